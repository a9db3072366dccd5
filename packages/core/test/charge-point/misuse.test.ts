import { describe, expect, test } from "vitest";
import {
  CentralSystem,
  ConnectionClosedError,
  NotAcceptedError,
  PayloadError,
  VendorMessages,
} from "../../src/index.ts";
import { Site } from "./site.ts";

describe("ChargePoint.call tells misuse first", () => {
  describe.each(["before it is started", "while it is pending", "while it is accepted"])("%s", (when) => {
    test.each<[string, unknown, unknown, unknown, new (...args: never[]) => Error]>([
      ["an action that does not exist", "Reboot", {}, {}, TypeError],
      ["an action of the Central System", "Reset", { type: "Hard" }, {}, TypeError],
      ["an option that does not exist", "DataTransfer", { vendorId: "V" }, { timeout: 5 }, TypeError],
      ["options that are none", "DataTransfer", { vendorId: "V" }, null, TypeError],
      ["a payload that violates its schema", "DataTransfer", {}, {}, PayloadError],
      ["no payload", "DataTransfer", undefined, {}, PayloadError],
    ])("%s", async (_, action, req, options, error) => {
      const site = new Site();
      if (when.includes("pending")) site.behaviour.registration = "Pending";
      if (!when.includes("started")) await site.start();
      const call = site.chargePoint.call(action as never, req as never, options as never);
      await expect(call).rejects.toBeInstanceOf(error);
    });
  });

  test("and only then that nothing can be sent", async () => {
    const site = new Site();
    const call = () => site.chargePoint.call("DataTransfer", { vendorId: "V" });
    await expect(call()).rejects.toBeInstanceOf(NotAcceptedError);
    await site.start();
    site.behaviour.reachable = false;
    site.chargePoint.reconnectNow({ drop: true });
    await expect(call()).rejects.toBeInstanceOf(ConnectionClosedError);
  });
});

test.each([[undefined], [null], [5], [[]]])("ChargePoint.report refuses %j as a payload", (status) => {
  expect(() => new Site().chargePoint.report(status as never)).toThrow(PayloadError);
});

describe("handle refuses a handler that is no function at once", () => {
  test.each([
    ["ChargePoint", (handler: never) => new Site().chargePoint.handle("Reset", handler)],
    ["CentralSystem", (handler: never) => new CentralSystem().handle("Heartbeat", handler)],
    [
      "VendorMessages",
      (handler: never) => new VendorMessages<"ChargePoint">().handle({ vendorId: "V" } as never, handler),
    ],
  ])("%s", (_, handle) => {
    for (const handler of [undefined, null, {}, "Accepted"]) {
      expect(() => handle(handler as never)).toThrow(/^The handler for .* is .*\. Give a function\.$/);
    }
  });
});
