import { describe, expect, test } from "vitest";
import { minute, second } from "../charger-site.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";
import { charging, ready } from "./ready.ts";

describe("Remote start and stop", () => {
  test("TC_010: plug, then remote start, without Authorize where AuthorizeRemoteTxRequests is false [TCK-C010] [CORE-RST-03] [CORE-RST-05]", async () => {
    const site = await ready();
    await site.after(() => site.hardware.plug(1));
    expect(await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 1 })).toEqual({ status: "Accepted" });
    await site.clock.advance(0);
    expect(site.take().sort()).toEqual(["StartTransaction 1 TAG", "StatusNotification 1 Charging"]);
  });

  test("what follows from a request is sent after the answer to it [J-111]", async () => {
    const site = await ready();
    await site.after(() => site.hardware.plug(1));
    const sent = () => site.links.at(-1)?.chargePoint.sent.map((text) => JSON.parse(text)) ?? [];
    const before = sent().length;
    await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 1 });
    await site.clock.advance(0);
    const started = sent().slice(before);
    const [first, ...rest] = started.map(([type, , action]) => (type === 3 ? "answer" : action));
    expect(first).toBe("answer");
    expect(rest.sort()).toEqual(["StartTransaction", "StatusNotification"]);
    await site.call("ChangeAvailability", { type: "Inoperative", connectorId: 2 });
    await site.clock.advance(0);
    const changed = sent().slice(before + started.length);
    expect(changed.map(([type, , action]) => (type === 3 ? "answer" : action))).toEqual([
      "answer",
      "StatusNotification",
    ]);
  });

  test("TC_011_1: with AuthorizeRemoteTxRequests as a card would [TCK-C010] [CORE-RST-02]", async () => {
    const site = await ready({ configuration: { AuthorizeRemoteTxRequests: true } });
    await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 1 });
    await site.clock.advance(0);
    expect(site.take()).toEqual(["Authorize TAG", "StatusNotification 1 Preparing"]);
    expect((await site.after(() => site.hardware.plug(1))).sort()).toEqual([
      "StartTransaction 1 TAG",
      "StatusNotification 1 Charging",
    ]);
  });

  test("TC_011_2: no cable within ConnectionTimeOut [TCK-C010] [CORE-RST-17]", async () => {
    const site = await ready({ configuration: { ConnectionTimeOut: 20 } });
    await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 1 });
    expect(await site.after(() => {}, 20 * second)).toEqual([
      "StatusNotification 1 Preparing",
      "StatusNotification 1 Available",
    ]);
  });

  test("TC_012: remote stop, with the reason Remote and the cable let go [TCK-C012] [CORE-RSP-01] [CORE-RSP-02] [CORE-RSP-03]", async () => {
    const site = await charging();
    expect(await site.call("RemoteStopTransaction", { transactionId: 1 })).toEqual({ status: "Accepted" });
    await site.clock.advance(0);
    expect(site.take().sort()).toEqual(["StatusNotification 1 Finishing", "StopTransaction 1 Remote"]);
    expect(site.hardware.done).toContain("unlock 1");
  });

  test("TC_026, TC_027, TC_028: what cannot be done is refused [TCK-C026] [CORE-RST-09] [CORE-RST-18] [CORE-RSP-04]", async () => {
    const site = await charging();
    expect(await site.call("RemoteStartTransaction", { idTag: "OTHER", connectorId: 1 })).toEqual({
      status: "Rejected",
    });
    expect(await site.call("RemoteStartTransaction", { idTag: "OTHER", connectorId: 3 })).toEqual({
      status: "Rejected",
    });
    expect(await site.call("RemoteStopTransaction", { transactionId: 99 })).toEqual({ status: "Rejected" });
    site.hardware.listener.faulted(2, { errorCode: "OtherError" });
    expect(await site.call("RemoteStartTransaction", { idTag: "OTHER", connectorId: 2 })).toEqual({
      status: "Rejected",
    });
    expect(await site.call("RemoteStartTransaction", { idTag: "OTHER" })).toEqual({ status: "Rejected" });
    expect(site.status(1)).toBe("Charging");
  });

  test.each([
    ["plugged", "Accepted", 2],
    ["first", "Accepted", 1],
    ["refuse", "Rejected", undefined],
  ] as const)("without a connector: %s [CORE-RST-07] [CORE-RST-08]", async (remoteStartChooses, status, connector) => {
    const site = await ready({ remoteStartChooses });
    await site.after(() => site.hardware.plug(2));
    expect(await site.call("RemoteStartTransaction", { idTag: "TAG" })).toEqual({ status });
    await site.clock.advance(0);
    const users = site.charger.state.connectors.filter(({ session }) => session?.idTag === "TAG");
    expect(users.map(({ connectorId }) => connectorId)).toEqual(connector === undefined ? [] : [connector]);
  });
});

describe("UnlockConnector", () => {
  test("TC_017: without a session [TCK-C017] [CORE-UNL-01]", async () => {
    const site = await ready();
    expect(await site.call("UnlockConnector", { connectorId: 1 })).toEqual({ status: "Unlocked" });
    expect(await site.after(() => {}, second)).toEqual([]);
  });

  test("TC_018_1: with a transaction: no energy, Unlocked, then StopTransaction UnlockCommand and Finishing [TCK-C017] [CORE-UNL-02]", async () => {
    const site = await charging();
    const answer = site.call("UnlockConnector", { connectorId: 1 });
    expect(await answer).toEqual({ status: "Unlocked" });
    expect(site.hardware.done.slice(-2)).toEqual(["offer 1 -", "unlock 1"]);
    await site.clock.advance(0);
    expect(site.take().sort()).toEqual(["StatusNotification 1 Finishing", "StopTransaction 1 UnlockCommand"]);
    expect(await site.after(() => site.hardware.unplug(1))).toEqual(["StatusNotification 1 Available"]);
  });

  test("TC_030: it fails [TCK-C030] [CORE-UNL-06]", async () => {
    const site = await ready();
    site.hardware.unlocking = "UnlockFailed";
    expect(await site.call("UnlockConnector", { connectorId: 1 })).toEqual({ status: "UnlockFailed" });
  });

  test("TC_017_2: of a fixed cable there is nothing to unlock: what runs goes on, and nobody is asked [TCK-C017] [CORE-UNL-05]", async () => {
    const site = await charging({ hardware: new ScriptedHardware([{ cable: "fixed" }]) });
    site.hardware.done.length = 0;
    expect(await site.call("UnlockConnector", { connectorId: 1 })).toEqual({ status: "NotSupported" });
    await site.after(() => {}, second);
    expect([site.status(1), site.hardware.done]).toEqual(["Charging", []]);
  });

  test("TC_031: there is no such connector, or no lock [TCK-C030] [CORE-UNL-05]", async () => {
    const site = await ready();
    expect(await site.call("UnlockConnector", { connectorId: 7 })).toEqual({ status: "NotSupported" });
    const hardware = new ScriptedHardware();
    Object.assign(hardware, { lock: undefined, unlock: undefined });
    const lockless = await charging({ hardware });
    expect(await lockless.call("UnlockConnector", { connectorId: 1 })).toEqual({ status: "NotSupported" });
    expect(await lockless.after(() => {}, second)).toEqual([]);
    expect(lockless.hardware.offers.get(1)).toBeDefined();
  });
});

describe("ChangeAvailability", () => {
  test("an idle connector at once, a busy one when it is free, an opposite request cancels [CORE-CA-02] [CORE-CA-03] [CORE-CA-04] [CORE-CA-05] [CORE-CA-09]", async () => {
    const site = await charging();
    const change = (connectorId: number, type: "Operative" | "Inoperative") =>
      site.call("ChangeAvailability", { connectorId, type });
    expect(await change(2, "Inoperative")).toEqual({ status: "Accepted" });
    expect(await site.after(() => {})).toEqual(["StatusNotification 2 Unavailable"]);
    expect(await change(2, "Inoperative")).toEqual({ status: "Accepted" });
    expect(await change(1, "Inoperative")).toEqual({ status: "Scheduled" });
    expect(await change(1, "Operative")).toEqual({ status: "Accepted" });
    expect(await change(1, "Inoperative")).toEqual({ status: "Scheduled" });
    expect(await change(9, "Inoperative")).toEqual({ status: "Rejected" });
    expect(await site.after(() => {}, second)).toEqual([]);
    await site.after(() => site.hardware.present("TAG", 1));
    expect(await site.after(() => site.hardware.unplug(1))).toEqual(["StatusNotification 1 Unavailable"]);
    expect(await change(1, "Operative")).toEqual({ status: "Accepted" });
    expect(await site.after(() => {})).toEqual(["StatusNotification 1 Available"]);
  });

  test("connector 0 is the charger and every connector; a wish of one of its own stays [CORE-CA-06] [CORE-STAT-03]", async () => {
    const site = await charging();
    expect(await site.call("ChangeAvailability", { connectorId: 0, type: "Inoperative" })).toEqual({
      status: "Scheduled",
    });
    expect((await site.after(() => {})).sort()).toEqual([
      "StatusNotification 0 Unavailable",
      "StatusNotification 2 Unavailable",
    ]);
    expect(site.status(1)).toBe("Charging");
    await site.after(() => site.hardware.present("TAG", 1));
    expect(await site.after(() => site.hardware.unplug(1))).toEqual(["StatusNotification 1 Unavailable"]);
    await site.call("ChangeAvailability", { connectorId: 1, type: "Inoperative" });
    await site.call("ChangeAvailability", { connectorId: 0, type: "Operative" });
    expect((await site.after(() => {})).sort()).toEqual([
      "StatusNotification 0 Available",
      "StatusNotification 2 Available",
    ]);
    expect(site.status(1)).toBe("Unavailable");
  });

  test("nothing can be begun there, and a cable that is in makes it Preparing once it is back [CORE-CA-08] [CORE-AUTH-04] [STX-H2]", async () => {
    const site = await ready();
    await site.call("ChangeAvailability", { connectorId: 1, type: "Inoperative" });
    await site.after(() => {});
    expect(await site.after(() => site.hardware.plug(1), minute)).toEqual([]);
    expect(await site.after(() => site.hardware.present("TAG", 1))).toEqual([]);
    expect(site.said).toEqual(["1: TAG is refused: the connector is unavailable"]);
  });

  test("TC_013, TC_014, TC_034: Unavailable survives resets and power cuts [TCK-C013] [TCK-C032] [CORE-CA-07] [CORE-RES-05] [CORE-STAT-05]", async () => {
    const site = await ready();
    await site.call("ChangeAvailability", { connectorId: 1, type: "Inoperative" });
    await site.after(() => {});
    for (const type of ["Soft", "Hard"] as const) {
      expect(await site.call("Reset", { type })).toEqual({ status: "Accepted" });
      expect(await site.after(() => {}, 5 * second)).toEqual([
        "BootNotification",
        "StatusNotification 0 Available",
        "StatusNotification 1 Unavailable",
        "StatusNotification 2 Available",
      ]);
      expect(site.hardware.done.slice(-4)).toEqual(["offer 1 -", "offer 2 -", "unlock 1", "unlock 2"]);
      expect(site.hardware.done).toContain(`reboot ${type}`);
    }
    await site.powerCut();
    expect(await site.after(() => {}, second)).toContain("StatusNotification 1 Unavailable");
    expect(await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 1 })).toEqual({ status: "Rejected" });
  });
});

describe("Reset", () => {
  test.each([
    ["Soft", "SoftReset"],
    ["Hard", "HardReset"],
  ] as const)(
    "TC_015, TC_016: %s, with a transaction: it is stopped with the reason %s, once [TCK-C015] [CORE-RES-02] [CORE-RES-03] [CORE-RES-04] [CORE-RES-06] [CORE-RES-08]",
    async (type, reason) => {
      const site = await charging();
      expect(await site.call("Reset", { type })).toEqual({ status: "Accepted" });
      const told = await site.after(() => {}, minute);
      expect(told.filter((line) => line.startsWith("StopTransaction"))).toEqual([`StopTransaction 1 ${reason}`]);
      expect(told).toContain("BootNotification");
      if (type === "Soft")
        expect(told.indexOf(`StopTransaction 1 ${reason}`)).toBeLessThan(told.indexOf("BootNotification"));
      expect(site.charger.chargePoint.undelivered.count).toBe(0);
    },
  );

  test("a second Reset changes nothing, and nobody can begin meanwhile [CORE-RES-01]", async () => {
    const hardware = new ScriptedHardware();
    const site = await charging({ hardware });
    hardware.rebooted = () => {};
    await site.call("Reset", { type: "Soft" });
    expect(await site.call("Reset", { type: "Soft" })).toEqual({ status: "Accepted" });
    expect(await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 2 })).toEqual({ status: "Rejected" });
    await site.after(() => site.hardware.present("OTHER", 2), minute);
    expect(hardware.done.filter((each) => each.startsWith("reboot"))).toEqual(["reboot Soft"]);
    expect(site.payloads("StopTransaction")).toHaveLength(1);
    expect(site.status(2)).toBe("Available");
  });

  test("hardware that does not restart is told to as often as ResetRetries says; then that is told [CORE-RES-07]", async () => {
    const hardware = new ScriptedHardware();
    const site = await ready({ hardware, configuration: { ResetRetries: 2 } });
    hardware.rebooted = () => {
      throw new Error("It does not.");
    };
    await site.call("Reset", { type: "Soft" });
    const told = await site.after(() => {}, minute);
    expect(hardware.done.filter((each) => each.startsWith("reboot"))).toHaveLength(3);
    expect(told).toEqual(["StatusNotification 0 Available ResetFailure"]);
    expect(site.faults).toHaveLength(3);
  });
});

describe("Power cuts", () => {
  test("TC_032_1: a transaction that ran is stopped with PowerLoss [TCK-C032] [CORE-STOP-17]", async () => {
    const site = await charging();
    site.hardware.measure(1, 1700);
    await site.powerCut();
    const told = await site.after(() => {}, minute);
    expect(told).toContain("StopTransaction 1 PowerLoss");
    expect(site.payloads("StopTransaction")).toMatchObject([{ meterStop: 1700 }]);
    expect(site.hardware.offers.get(1)).toBeUndefined();
  });

  test("TC_032_2: or goes on, where the hardware says so and the cable is still there [TCK-C032]", async () => {
    const hardware = new ScriptedHardware([{ resumesAfterPowerLoss: true }]);
    const site = await charging({ hardware });
    await site.powerCut();
    expect(await site.after(() => {}, second)).toContain("StatusNotification 1 Charging");
    expect(hardware.offers.get(1)).toBeDefined();
    await site.after(() => hardware.present("TAG", 1));
    expect(site.payloads("StopTransaction")).toMatchObject([{ reason: "Local", transactionId: 1 }]);
  });

  test("a meter that begins anew does not make a register fall [CORE-MTR-15]", async () => {
    const site = await charging({ keepReadingSeconds: 0 });
    site.hardware.measure(1, 5000);
    site.hardware.registers.set(1, 0);
    await site.powerCut();
    await site.after(() => {}, minute);
    expect(site.payloads("StopTransaction")).toMatchObject([{ meterStop: 5000 }]);
  });

  test("what the identifier was found to be is not forgotten [CORE-LAO-10]", async () => {
    const hardware = new ScriptedHardware([{ resumesAfterPowerLoss: true }]);
    const site = await ready({ hardware, configuration: { StopTransactionOnInvalidId: false } });
    // Whoever asks first is told something else than who has started.
    site.centralSystem.on("message", ({ direction, frame }) => {
      if (direction === "in" && frame.type === "CALL" && frame.action === "StartTransaction")
        site.idTags.set("TAG", { status: "Blocked" });
    });
    hardware.plug(1);
    await site.after(() => hardware.present("TAG", 1));
    expect(site.status(1)).toBe("SuspendedEVSE");
    await site.powerCut();
    expect(await site.after(() => {}, second)).toContain("StatusNotification 1 SuspendedEVSE");
    expect(hardware.offers.get(1)).toBeUndefined();
  });
});
