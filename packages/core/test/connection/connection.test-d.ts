import { expectTypeOf, test } from "vitest";
import type { CentralSystem, Conf, Connection, Handler, Req } from "../../src/index.ts";

declare const chargePoint: Connection<"ChargePoint">;
declare const centralSystem: Connection<"CentralSystem">;
declare const facade: CentralSystem;
const boot = { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" };

test("call is typed by its action", () => {
  expectTypeOf(chargePoint.call("BootNotification", boot)).resolves.toEqualTypeOf<Conf<"BootNotification">>();
  expectTypeOf(centralSystem.call("Reset", { type: "Soft" })).resolves.toEqualTypeOf<{
    status: "Accepted" | "Rejected";
  }>();
  // Either role may send it.
  chargePoint.call("DataTransfer", { vendorId: "com.example" });
  centralSystem.call("DataTransfer", { vendorId: "com.example" });
});

test("call refuses the actions of the other role [trap 18]", () => {
  // @ts-expect-error: a Charge Point cannot send Reset
  chargePoint.call("Reset", { type: "Soft" });
  // @ts-expect-error: a Central System cannot send BootNotification
  centralSystem.call("BootNotification", boot);
});

test("call refuses a misspelt action [trap 18]", () => {
  // @ts-expect-error: no such action
  chargePoint.call("Bootnotification", boot);
  // @ts-expect-error: no such action
  chargePoint.call("toString", {});
});

test("call refuses wrong, missing and extra fields, at any depth [trap 18]", () => {
  // @ts-expect-error: chargePointModel is missing
  chargePoint.call("BootNotification", { chargePointVendor: "VendorX" });
  // @ts-expect-error: a number is no vendor
  chargePoint.call("BootNotification", { ...boot, chargePointVendor: 1 });
  // @ts-expect-error: the field is called firmwareVersion
  chargePoint.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M", firmware: "1" });
  // @ts-expect-error: Warm is no ResetType
  centralSystem.call("Reset", { type: "Warm" });
  // @ts-expect-error: Heartbeat.req has no fields
  chargePoint.call("Heartbeat", { idTag: "A" });
  const timestamp = "2026-01-01T00:00:00Z";
  chargePoint.call("MeterValues", {
    connectorId: 1,
    // @ts-expect-error: kJ is no unit
    meterValue: [{ timestamp, sampledValue: [{ value: "1", unit: "kJ" }] }],
  });
});

test("handle takes the actions of the other role, and types their payloads", () => {
  chargePoint.handle("Reset", (req, context) => {
    expectTypeOf(req).toEqualTypeOf<Req<"Reset">>();
    expectTypeOf(context.connection).toEqualTypeOf<Connection<"ChargePoint">>();
    expectTypeOf(context.answered).toEqualTypeOf<Promise<boolean>>();
    return { status: "Accepted" };
  });
  facade.handle("MeterValues", async () => ({}));
  // @ts-expect-error: a Charge Point receives no BootNotification
  chargePoint.handle("BootNotification", () => ({ status: "Accepted", currentTime: "", interval: 1 }));
  // @ts-expect-error: a Central System receives no Reset
  facade.handle("Reset", () => ({ status: "Accepted" }));
});

test("handle refuses a wrong answer [trap 18]", () => {
  // @ts-expect-error: Perhaps is no ResetStatus
  chargePoint.handle("Reset", () => ({ status: "Perhaps" }));
  // @ts-expect-error: the answer is missing
  chargePoint.handle("Reset", () => {});
  // @ts-expect-error: the answer lacks interval
  facade.handle("BootNotification", async () => ({ status: "Accepted", currentTime: "2026-01-01T00:00:00Z" }));
  // @ts-expect-error: MeterValues.conf has no fields
  facade.handle("MeterValues", () => ({ status: "Accepted" }));
});

test("handle refuses fields that the answer does not have, at any depth, be it promised [trap 18]", () => {
  // @ts-expect-error: the field is called idTagInfo
  facade.handle("StopTransaction", async () => ({ idTagInf: { status: "Accepted" } }));
  // @ts-expect-error: the field is called expiryDate
  facade.handle("Authorize", async () => ({ idTagInfo: { status: "Accepted", expiryDat: "2026-01-01T00:00:00Z" } }));
  // @ts-expect-error: the same of a Connection
  chargePoint.handle("DataTransfer", () => ({ status: "Accepted", dat: "" }));
  // @ts-expect-error: readonly is a boolean, and there is no such thing as read
  chargePoint.handle("GetConfiguration", () => ({ configurationKey: [{ key: "A", readonly: true, read: 1 }] }));
});

test("handle takes every way to write a right answer", () => {
  facade.handle("StopTransaction", ({ idTag }) => {
    if (idTag === undefined) return {};
    return { idTagInfo: { status: "Accepted", expiryDate: "2026-01-01T00:00:00Z" } };
  });
  facade.handle("StopTransaction", async ({ idTag }) => (idTag ? { idTagInfo: { status: "Accepted" } } : {}));
  facade.handle("Heartbeat", () => {
    throw new Error("no");
  });
  const declared: Handler<"CentralSystem", "Authorize"> = async () => ({ idTagInfo: { status: "Accepted" } });
  facade.handle("Authorize", declared);
  facade.handle("MeterValues", (): Conf<"MeterValues"> => ({}));
  chargePoint.handle("DataTransfer", () => ({ status: "Accepted", data: undefined }));
  chargePoint.handle("GetConfiguration", () => ({ configurationKey: [{ key: "A", readonly: true, value: "1" }] }));
});

test("events are typed by their names", () => {
  chargePoint.on("closed", ({ code, reason }) => {
    expectTypeOf(code).toEqualTypeOf<number>();
    expectTypeOf(reason).toEqualTypeOf<string>();
  });
  facade.on("message", ({ identity }) => expectTypeOf(identity).toEqualTypeOf<string>());
  // @ts-expect-error: there is no error event
  chargePoint.on("error", () => {});
  // @ts-expect-error: a Central System says disconnected, not closed
  facade.on("closed", () => {});
});
