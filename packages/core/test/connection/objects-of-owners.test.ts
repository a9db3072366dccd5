import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { CentralSystem, type Frame } from "../../src/index.ts";
import { rawPeer } from "./raw-peer.ts";

const bill = {
  connectorId: 1,
  transactionId: 7,
  meterValue: [{ timestamp: "2026-01-01T00:00:00Z", sampledValue: [{ value: "1" }] }],
};

/** Takes everything out of a payload, as who hides what is not for a log. */
function emptied(frame: Frame): void {
  const payload = (frame as { readonly payload?: Record<string, unknown> }).payload ?? {};
  for (const name of Object.keys(payload)) delete payload[name];
}

describe("What owners do to objects that they are lent", () => {
  test("makes no bill a message that may be refused [trap 2]", async () => {
    const { connection, arrived, clock, closed, send } = rawPeer("CentralSystem");
    connection.handle("MeterValues", (req) => {
      delete (req as Partial<typeof req>).transactionId;
      throw new Error("The database is locked.");
    });
    await send(JSON.stringify([2, "1", "MeterValues", bill]));
    await clock.advance(2000);
    expect(arrived).toEqual([]);
    expect(closed).toMatchObject([{ code: 1013 }]);
  });

  test("changes nothing of what handlers and callers get: listeners of `message` have frames of their own", async () => {
    const { connection, send } = rawPeer("CentralSystem");
    connection.on("message", ({ frame }) => emptied(frame));
    const got: unknown[] = [];
    connection.handle("MeterValues", (req) => {
      got.push(req);
      return {};
    });
    await send(JSON.stringify([2, "1", "MeterValues", bill]));
    const conf = connection.call("ClearCache", {});
    await send('[3,"1",{"status":"Accepted"}]');
    expect(got).toEqual([bill]);
    expect(await conf).toEqual({ status: "Accepted" });
  });

  test("changes nothing of what a CentralSystem has asked for [J-131]", async () => {
    const clock = new FakeClock();
    const link = transportPair(clock);
    const centralSystem = new CentralSystem({ clock, createMessageId: () => "a" });
    centralSystem.on("message", ({ frame }) => emptied(frame));
    centralSystem.handle("StatusNotification", () => ({}));
    const arrived: unknown[] = [];
    link.chargePoint.listen({ message: (text) => arrived.push(JSON.parse(text)), close: () => {} });
    const connection = centralSystem.accept(link.centralSystem, "CP001");
    void connection.call("TriggerMessage", { requestedMessage: "StatusNotification" });
    await clock.advance(0);
    link.chargePoint.send('[3,"a",{"status":"Accepted"}]');
    const status = { connectorId: 1, errorCode: "NoError", status: "Available" };
    link.chargePoint.send(JSON.stringify([2, "1", "StatusNotification", status]));
    await clock.advance(0);
    expect(arrived.at(-1)).toEqual([3, "1", {}]);
  });
});

describe("A handler", () => {
  test("that has answered in time is not told to be late because what it answered is still being kept [CORE-BOOT-26]", async () => {
    const clock = new FakeClock();
    const link = transportPair(clock);
    const kept = (): Promise<void> => new Promise((resolve) => clock.wakeAt(clock.now() + 3000, resolve));
    const registrations = { get: () => undefined, set: kept };
    const centralSystem = new CentralSystem({ clock, registrations, handlerTimeoutMs: 1000 });
    const faults: unknown[] = [];
    centralSystem.on("fault", ({ error }) => faults.push(error));
    const conf = { status: "Accepted", interval: 300, currentTime: "2026-01-01T00:00:00Z" } as const;
    centralSystem.handle("BootNotification", async () => conf);
    const arrived: unknown[] = [];
    link.chargePoint.listen({ message: (text) => arrived.push(JSON.parse(text)), close: () => {} });
    centralSystem.accept(link.centralSystem, "CP001");
    link.chargePoint.send('[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]');
    await clock.advance(5000);
    expect(arrived).toEqual([[3, "1", conf]]);
    expect(faults).toEqual([]);
  });

  test.each([
    ["an error because of it", (reason: unknown) => new Error("Given up.", { cause: reason })],
    ["what the runtime throws", () => Object.assign(new Error("The operation was aborted"), { name: "AbortError" })],
  ])("that throws %s, once its signal has aborted, has done as it was told", async (_, thrown) => {
    const { connection, clock, events, send } = rawPeer("CentralSystem");
    connection.handle("DataTransfer", async (_, { signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      throw thrown(signal.reason);
    });
    await send('[2,"1","DataTransfer",{"vendorId":"V"}]');
    connection.close();
    await clock.advance(0);
    expect(events.fault).toEqual([]);
  });
});
