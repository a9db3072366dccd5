import { FakeClock, transportPair } from "@ocppj/testing";
import { expect, test } from "vitest";
import { CentralSystem } from "../../src/index.ts";

const currentTime = "2026-01-01T00:00:00Z";

/** A Central System with a Charge Point that may send everything. */
function site<Context>(context: Context) {
  const clock = new FakeClock();
  const registrations = { get: () => "Accepted" as const, set: () => {} };
  const centralSystem = new CentralSystem<{ readonly name: Context }>({ clock, registrations });
  const link = transportPair(clock);
  const arrived: unknown[] = [];
  link.chargePoint.listen({ message: (text) => arrived.push(JSON.parse(text)), close: () => {} });
  const connection = centralSystem.accept(link.centralSystem, "CP001", { name: context });
  const send = async (action: string, payload: object): Promise<unknown> => {
    link.chargePoint.send(JSON.stringify([2, action, action, payload]));
    await clock.advance(0);
    return arrived.at(-1);
  };
  return { centralSystem, connection, send };
}

test("The handler of all other actions gets those that have none, checked, and its answers are checked by their action", async () => {
  const { centralSystem, send } = site("tenant");
  const seen: unknown[] = [];
  centralSystem.handle("Heartbeat", () => ({ currentTime }));
  centralSystem.handleOthers((call, { connection }) => {
    seen.push([call, connection.context.name]);
    switch (call.action) {
      case "Authorize":
        return { idTagInfo: { status: call.req.idTag === "A" ? "Accepted" : "Invalid" } };
      default:
        return { status: "Accepted" };
    }
  });
  expect(await send("Heartbeat", {})).toEqual([3, "Heartbeat", { currentTime }]);
  expect(await send("Authorize", { idTag: "A" })).toEqual([3, "Authorize", { idTagInfo: { status: "Accepted" } }]);
  expect(await send("Authorize", {})).toEqual([4, "Authorize", "ProtocolError", expect.any(String), {}]);
  expect(await send("FirmwareStatusNotification", { status: "Idle" })).toEqual([
    4,
    "FirmwareStatusNotification",
    "InternalError",
    expect.any(String),
    {},
  ]);
  expect(await send("Frobnicate", {})).toEqual([4, "Frobnicate", "NotImplemented", expect.any(String), {}]);
  expect(seen).toEqual([
    [{ action: "Authorize", req: { idTag: "A" } }, "tenant"],
    [{ action: "FirmwareStatusNotification", req: { status: "Idle" } }, "tenant"],
  ]);
});

test("There is one, and `handles` counts it", () => {
  const { centralSystem, connection } = site(1);
  centralSystem.handle("Heartbeat", () => ({ currentTime }));
  expect([centralSystem.handles("Heartbeat"), centralSystem.handles("Authorize")]).toEqual([true, false]);
  centralSystem.handleOthers(() => ({}));
  expect(centralSystem.handles("Authorize")).toBe(true);
  expect(() => centralSystem.handleOthers(() => ({}))).toThrow(TypeError);
  expect(() => site(1).centralSystem.handleOthers("all" as never)).toThrow(TypeError);
  expect(connection.context).toEqual({ name: 1 });
});
