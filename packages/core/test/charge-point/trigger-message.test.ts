import { describe, expect, test } from "vitest";
import { type ChargePointCall, NotAcceptedError, type Req } from "../../src/index.ts";
import { Site } from "./site.ts";

type Requested = Req<"TriggerMessage">["requestedMessage"];

/** A Charge Point whose registration is pending, for so long that it does not boot again by itself. */
async function pending(): Promise<Site> {
  const site = new Site();
  Object.assign(site.behaviour, { registration: "Pending", interval: 10_000 });
  await site.start();
  return site;
}

/** Asks for a message, lets everything that follows happen, and tells the status of the answer. */
async function trigger(site: Site, requestedMessage: Requested, connectorId?: number): Promise<string | undefined> {
  const req = connectorId === undefined ? { requestedMessage } : { requestedMessage, connectorId };
  const conf = site.centralSystem.get("CP001")?.call("TriggerMessage", req);
  await site.clock.advance(0);
  return (await conf)?.status;
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

describe("TriggerMessage of a status", () => {
  test("is rejected for a connector of which there is none, and nothing is sent [RT-16]", async () => {
    const site = new Site();
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    await site.start();
    const before = site.actions.length;
    expect(await trigger(site, "StatusNotification", 2)).toBe("Rejected");
    expect(site.actions).toHaveLength(before);
  });

  test("is rejected before any status was reported [RT-06]", async () => {
    const site = new Site();
    await site.start();
    expect(await trigger(site, "StatusNotification")).toBe("Rejected");
    expect(site.actions).toEqual(["BootNotification"]);
  });

  test("of one connector is answered first, and sends the newest status of that one only [RT-01] [RT-05] [RT-08] [RT-10]", async () => {
    const site = await pending();
    for (const status of ["Available", "Preparing"] as const) {
      for (const connectorId of [1, 2]) site.chargePoint.report({ connectorId, status });
    }
    expect(await trigger(site, "StatusNotification", 2)).toBe("Accepted");
    expect(site.received.slice(1)).toMatchObject([["StatusNotification", { connectorId: 2, status: "Preparing" }]]);
    const sent = site.link.chargePoint.sent.slice(1).map((text) => JSON.parse(text)[0]);
    expect(sent).toEqual([3, 2]);
  });
});

describe("TriggerMessage of a Heartbeat", () => {
  test("is answered first and sends one although the registration is pending [RT-05] [RT-17] [CORE-BOOT-09]", async () => {
    const site = await pending();
    expect(await trigger(site, "Heartbeat")).toBe("Accepted");
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
    const sent = site.link.chargePoint.sent.slice(1).map((text) => JSON.parse(text)[0]);
    expect(sent).toEqual([3, 2]);
  });

  test("does not mind a connector, which is of no concern to it [RT-02]", async () => {
    const site = new Site();
    await site.start();
    expect(await trigger(site, "Heartbeat", 7)).toBe("Accepted");
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
  });
});

describe("TriggerMessage while a BootNotification is unanswered", () => {
  /** A Charge Point whose BootNotification gets no answer. */
  async function booting(): Promise<Site> {
    const site = new Site();
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("BootNotification", () => new Promise(() => {}));
    });
    site.chargePoint.handle("TriggerMessage", () => expect.unreachable());
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    await site.start();
    return site;
  }

  test.each(["Heartbeat", "StatusNotification", "MeterValues", "FirmwareStatusNotification"] as const)(
    "is rejected for %s: the answer may be Rejected, after which nothing may be sent [RT-06] [CORE-BOOT-02] [CORE-BOOT-12]",
    async (requestedMessage) => {
      const site = await booting();
      expect(await trigger(site, requestedMessage)).toBe("Rejected");
      expect(site.actions).toEqual(["BootNotification"]);
    },
  );

  test("is accepted for BootNotification, which is sent once the first has its outcome [RT-08] [CORE-BOOT-07]", async () => {
    const site = await booting();
    expect(await trigger(site, "BootNotification")).toBe("Accepted");
    expect(site.actions).toEqual(["BootNotification"]);
  });
});

describe("TriggerMessage of what only the owner can send", () => {
  /** Whether a CALL passes the gate. */
  const passes = async (site: Site, action: ChargePointCall): Promise<boolean> => {
    const call = site.chargePoint.call(action, { status: "Idle" } as never);
    const outcome = call.catch((error: unknown) => error);
    await site.clock.advance(0);
    return !((await outcome) instanceof NotAcceptedError);
  };

  test("opens the gate for that action, and no other, when the owner accepts while the registration is pending [RT-08] [RT-17] [CORE-BOOT-09]", async () => {
    const site = await pending();
    site.centralSystem.handle("FirmwareStatusNotification", () => ({}));
    site.chargePoint.handle("TriggerMessage", () => ({ status: "Accepted" }));
    expect(await passes(site, "FirmwareStatusNotification")).toBe(false);
    expect(await trigger(site, "FirmwareStatusNotification")).toBe("Accepted");
    expect(await passes(site, "FirmwareStatusNotification")).toBe(true);
    expect(await passes(site, "DiagnosticsStatusNotification")).toBe(false);
    expect(site.actions).toEqual(["BootNotification", "FirmwareStatusNotification"]);
  });

  test.each(["Rejected", "NotImplemented"] as const)(
    "keeps the gate shut when the owner says %s [RT-06] [RT-17] [CORE-BOOT-09]",
    async (status) => {
      const site = await pending();
      site.chargePoint.handle("TriggerMessage", () => ({ status }));
      expect(await trigger(site, "FirmwareStatusNotification")).toBe(status);
      expect(await passes(site, "FirmwareStatusNotification")).toBe(false);
      expect(site.actions).toEqual(["BootNotification"]);
    },
  );

  test("lets the owner send once the answer has left [RT-05]", async () => {
    const site = await pending();
    site.centralSystem.handle("FirmwareStatusNotification", () => ({}));
    site.chargePoint.handle("TriggerMessage", (_, { answered }) => {
      void answered.then(() => site.chargePoint.call("FirmwareStatusNotification", { status: "Idle" }));
      return { status: "Accepted" };
    });
    expect(await trigger(site, "FirmwareStatusNotification")).toBe("Accepted");
    expect(site.actions).toEqual(["BootNotification", "FirmwareStatusNotification"]);
  });

  test("shuts the gate again with the connection [CORE-BOOT-09]", async () => {
    const site = await pending();
    site.chargePoint.handle("TriggerMessage", () => ({ status: "Accepted" }));
    await trigger(site, "FirmwareStatusNotification");
    site.link.chargePoint.drop();
    await site.clock.advance(2000);
    expect(site.links).toHaveLength(2);
    const call = site.chargePoint.call("FirmwareStatusNotification", { status: "Idle" });
    expect(await rejection(call)).toMatchObject({ name: "NotAcceptedError", status: "Pending" });
  });
});

describe("ExtendedTriggerMessage", () => {
  const extended = async (site: Site, requestedMessage: Req<"ExtendedTriggerMessage">["requestedMessage"]) => {
    const conf = site.centralSystem.get("CP001")?.call("ExtendedTriggerMessage", { requestedMessage });
    const outcome = conf?.then(
      ({ status }) => status,
      (error: { code: string }) => error.code,
    );
    await site.clock.advance(0);
    return outcome;
  };

  test("is for the owner to support: without a handler it is not supported [J-071]", async () => {
    const site = new Site();
    await site.start();
    expect(await extended(site, "Heartbeat")).toBe("NotSupported");
    expect(site.actions).toEqual(["BootNotification"]);
  });

  test("sends what a Charge Point sends by itself, and asks the owner of the rest [RT-08]", async () => {
    const site = await pending();
    const asked: string[] = [];
    site.chargePoint.handle("ExtendedTriggerMessage", ({ requestedMessage }) => {
      asked.push(requestedMessage);
      return { status: "Accepted" };
    });
    site.centralSystem.handle("SignedFirmwareStatusNotification", () => ({}));
    expect(await extended(site, "Heartbeat")).toBe("Accepted");
    expect(await extended(site, "FirmwareStatusNotification")).toBe("Accepted");
    expect(asked).toEqual(["FirmwareStatusNotification"]);
    const call = site.chargePoint.call("SignedFirmwareStatusNotification", { status: "Idle" });
    await site.clock.advance(0);
    expect(await call).toEqual({});
    expect(site.actions).toEqual(["BootNotification", "Heartbeat", "SignedFirmwareStatusNotification"]);
  });
});
