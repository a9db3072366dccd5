import type { Req } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { ChargerSite, hour, minute, second } from "../charger-site.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";
import { charging, ready } from "./ready.ts";

const profile = (chargingProfileId: number, stackLevel: number, limit: number, more: object = {}) => ({
  chargingProfileId,
  stackLevel,
  chargingProfilePurpose: "TxProfile" as const,
  chargingProfileKind: "Relative" as const,
  chargingSchedule: { chargingRateUnit: "A" as const, chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
  ...more,
});

describe("The main meter", () => {
  test("is connector 0, at the inlet, and of no transaction [CORE-MV-04] [CORE-MV-05] [CORE-MV-08] [CORE-MTR-08]", async () => {
    const hardware = new ScriptedHardware();
    Object.assign(hardware, { mainMeasurands: ["Energy.Active.Import.Register", "Voltage.L1-N"] });
    const site = await charging({
      hardware,
      configuration: { ClockAlignedDataInterval: 60, MeterValueSampleInterval: 0 },
    });
    hardware.listener.measured(0, { "Energy.Active.Import.Register": 77_000, "Voltage.L1-N": 231 });
    await site.after(() => {}, minute);
    const all = site.payloads("MeterValues") as Req<"MeterValues">[];
    const ofMain = all.filter(({ connectorId }) => connectorId === 0);
    expect(ofMain).toEqual([
      {
        connectorId: 0,
        meterValue: [
          {
            timestamp: expect.stringMatching(/:00\.000Z$/),
            sampledValue: [
              {
                value: "77000",
                context: "Sample.Clock",
                measurand: "Energy.Active.Import.Register",
                location: "Inlet",
                unit: "Wh",
              },
            ],
          },
        ],
      },
    ]);
    // CORE-MV-07: the others are of the transaction that ran when they were measured, or of none.
    expect(all.map(({ connectorId, transactionId }) => [connectorId, transactionId]).sort()).toEqual([
      [0, undefined],
      [1, 1],
      [2, undefined],
    ]);
  });

  test("what is offered is told as what is offered [CORE-MV-14]", async () => {
    const hardware = new ScriptedHardware([{ measurands: ["Energy.Active.Import.Register", "Current.Offered"] }]);
    const configuration = { MeterValueSampleInterval: 60, MeterValuesSampledData: ["Current.Offered" as const] };
    const site = await charging({ hardware, configuration });
    hardware.measure(1, 1000, { "Current.Offered": hardware.offers.get(1)?.A });
    await site.after(() => {}, minute);
    const [{ meterValue }] = site.payloads("MeterValues") as [Req<"MeterValues">];
    expect(meterValue[0]?.sampledValue).toEqual([
      { value: "32", context: "Sample.Periodic", measurand: "Current.Offered", unit: "A" },
    ]);
  });
});

describe("A clock that was wrong, as a Heartbeat tells", () => {
  test("meters are read at the right times from then on [CORE-HB-05] [CORE-MTR-02] [CORE-MTR-05]", async () => {
    const site = await charging({
      configuration: { ClockAlignedDataInterval: 900, MeterValueSampleInterval: 600 },
    });
    await site.after(() => {}, 7 * minute);
    site.aheadMs = 4 * minute;
    await site.call("TriggerMessage", { requestedMessage: "Heartbeat" });
    const before = site.payloads("MeterValues").length;
    await site.after(() => {}, 20 * minute);
    const told = (site.payloads("MeterValues") as Req<"MeterValues">[])
      .slice(before)
      .filter(({ connectorId }) => connectorId === 1)
      .map(({ meterValue: [value] }) => `${value?.timestamp?.slice(11, 19)} ${value?.sampledValue[0]?.context}`);
    expect(told).toEqual([
      "00:15:00 Sample.Clock",
      "00:20:00 Sample.Periodic",
      "00:30:00 Sample.Clock",
      "00:30:00 Sample.Periodic",
    ]);
  });
});

describe("After a power cut", () => {
  test.each([true, false])(
    "a cable that is locked is let go, where a transaction ran: %s [CORE-STOP-17] [CORE-UNL-04]",
    async (ran) => {
      const site = ran ? await charging() : await ready();
      if (!ran) site.hardware.plug(1);
      await site.after(() => {}, minute);
      site.hardware.done.length = 0;
      await site.powerCut();
      await site.after(() => {}, second);
      expect(site.hardware.done.filter((line) => line.startsWith("unlock"))).toEqual(["unlock 1", "unlock 2"]);
      expect(site.status(1)).toBe(ran ? "Finishing" : "Preparing");
      await site.after(() => site.hardware.unplug(1), second);
      expect(site.status(1)).toBe("Available");
    },
  );

  test("one that goes on keeps its cable locked", async () => {
    const site = await charging({ hardware: new ScriptedHardware([{ resumesAfterPowerLoss: true }]) });
    site.hardware.done.length = 0;
    await site.powerCut();
    await site.after(() => {}, second);
    expect([site.status(1), site.hardware.done]).toEqual(["Charging", ["offer 1 -", "offer 1 32"]]);
  });
});

describe("Before it is accepted", () => {
  test("a card is decided on as offline, and what was begun is told afterwards [CORE-BOOT-15] [CORE-BOOT-16]", async () => {
    for (const allowed of [false, true]) {
      const site = new ChargerSite({ configuration: { AllowOfflineTxForUnknownId: allowed } });
      site.registration = "Pending";
      site.interval = 60;
      await site.start();
      site.hardware.plug(1);
      expect(await site.after(() => site.hardware.present("TAG", 1))).toEqual(["BootNotification"]);
      expect(site.status(1)).toBe(allowed ? "Charging" : "Preparing");
      site.registration = "Accepted";
      const told = await site.after(() => {}, 2 * minute);
      expect(told.filter((line) => line.endsWith("Transaction 1 TAG"))).toEqual(
        allowed ? ["StartTransaction 1 TAG"] : [],
      );
      expect(told).toContain(`StatusNotification 1 ${allowed ? "Charging" : "Finishing"}`);
    }
  });
});

describe("A session", () => {
  test("is from the first that somebody does until the connector is free; its transaction while both are there, with pauses [CORE-GEN-10] [CORE-GEN-11] [CORE-GEN-12]", async () => {
    const site = await ready();
    const seen: (readonly [session: boolean, transaction: boolean, offer: boolean])[] = [];
    const look = (): void => {
      const [first] = site.charger.state.connectors;
      seen.push([first?.session !== undefined, first?.session?.transaction !== undefined, first?.offer !== undefined]);
    };
    const limit = async (amperes: number): Promise<void> => {
      const csChargingProfiles = profile(1, 0, amperes);
      await site.call("SetChargingProfile", { connectorId: 1, csChargingProfiles });
      await site.clock.advance(0);
    };
    look();
    await site.after(() => site.hardware.plug(1));
    look();
    await site.after(() => site.hardware.present("TAG", 1));
    look();
    await limit(0);
    look();
    await limit(16);
    look();
    await site.after(() => site.hardware.present("TAG", 1));
    look();
    await site.after(() => site.hardware.unplug(1));
    look();
    expect(seen).toEqual([
      [false, false, false],
      [true, false, false],
      [true, true, true],
      [true, true, false],
      [true, true, true],
      [true, false, false],
      [false, false, false],
    ]);
  });

  test("that a remote start is accepted says that it is tried, not that it succeeds [CORE-RST-01]", async () => {
    const site = await ready({ configuration: { AuthorizeRemoteTxRequests: true } });
    site.idTags.set("TAG", { status: "Blocked" });
    await site.after(() => site.hardware.plug(1));
    expect(await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 1 })).toEqual({ status: "Accepted" });
    expect(await site.after(() => {}, second)).toEqual(["Authorize TAG"]);
    expect(site.status(1)).toBe("Preparing");
  });

  test("a later profile of the transaction replaces that of the remote start, or is stacked on it [CORE-RST-10] [CORE-RST-13]", async () => {
    const site = await ready();
    await site.after(() => site.hardware.plug(1));
    await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 1, chargingProfile: profile(1, 0, 8) });
    await site.clock.advance(0);
    const set = async (id: number, level: number, limit: number): Promise<number | undefined> => {
      const csChargingProfiles = profile(id, level, limit, { transactionId: 1 });
      expect(await site.call("SetChargingProfile", { connectorId: 1, csChargingProfiles })).toEqual({
        status: "Accepted",
      });
      await site.clock.advance(0);
      return site.hardware.offers.get(1)?.A;
    };
    expect(site.hardware.offers.get(1)?.A).toBe(8);
    expect(await set(2, 0, 10)).toBe(10);
    expect(site.charger.profiles.installed).toHaveLength(1);
    expect(await set(3, 1, 12)).toBe(12);
    expect(site.charger.profiles.installed).toHaveLength(2);
  });

  test("between a reservation and its use the identifier is asked about [RSV-16]", async () => {
    const site = await ready();
    const expiryDate = new Date(site.clock.now() + hour).toISOString();
    await site.call("ReserveNow", { connectorId: 1, idTag: "TAG", reservationId: 1, expiryDate });
    site.idTags.set("TAG", { status: "Expired" });
    await site.after(() => site.hardware.plug(1));
    expect(await site.after(() => site.hardware.present("TAG", 1))).toEqual(["Authorize TAG"]);
    expect(site.hardware.offers.get(1)).toBeUndefined();
  });

  test("nothing can be begun at a connector whose status is inoperative, and something at the others [CORE-STAT-13] [CORE-CONN-02] [CORE-CONN-03]", async () => {
    const site = await ready({ hardware: new ScriptedHardware([{}, {}, {}]) });
    await site.call("ChangeAvailability", { connectorId: 1, type: "Inoperative" });
    site.hardware.listener.faulted(2, { errorCode: "OtherError" });
    await site.clock.advance(0);
    expect(site.charger.state.connectors.map(({ connectorId, status }) => `${connectorId} ${status}`)).toEqual([
      "1 Unavailable",
      "2 Faulted",
      "3 Available",
    ]);
    const answers: string[] = [];
    for (const connectorId of [1, 2, 3, 4]) {
      answers.push((await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId })).status);
    }
    expect(answers).toEqual(["Rejected", "Rejected", "Accepted", "Rejected"]);
  });

  test("StartTransaction and StopTransaction cannot be triggered [RT-12]; firmware is not here yet", async () => {
    const site = await ready();
    for (const requestedMessage of ["DiagnosticsStatusNotification", "FirmwareStatusNotification"] as const) {
      expect(await site.call("TriggerMessage", { requestedMessage })).toEqual({ status: "NotImplemented" });
    }
    const absurd = site.call("TriggerMessage", { requestedMessage: "StartTransaction" as "Heartbeat" });
    await expect(absurd).rejects.toThrow("requestedMessage");
  });
});

describe("After stop", () => {
  test("nothing is offered, sent or waited for", async () => {
    const site = await charging({ configuration: { ConnectionTimeOut: 20, MeterValueSampleInterval: 10 } });
    await site.after(() => site.hardware.plug(2));
    await site.charger.stop();
    expect(site.hardware.offers.get(1)).toBeUndefined();
    site.hardware.listener.presented("TAG", 1);
    await site.clock.advance(hour);
    expect(site.take()).toEqual([]);
    expect(site.clock.pending).toBe(0);
  });
});
