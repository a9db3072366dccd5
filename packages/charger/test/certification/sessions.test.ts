import { describe, expect, test } from "vitest";
import { ChargerSite, minute, second } from "../charger-site.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";
import { charging, ready } from "./ready.ts";

describe("Booting", () => {
  test("TC_001: is Rejected, waits, boots again, and tells the status of everything once it is Accepted [TCK-C001] [CORE-STAT-02]", async () => {
    const site = new ChargerSite();
    site.registration = "Rejected";
    site.interval = 60;
    await site.start();
    expect(site.take()).toEqual(["BootNotification"]);
    site.registration = "Accepted";
    site.interval = 20;
    expect(await site.after(() => {}, minute)).toEqual([
      "BootNotification",
      "StatusNotification 0 Available",
      "StatusNotification 1 Available",
      "StatusNotification 2 Available",
    ]);
    expect(await site.after(() => {}, minute)).toEqual(["Heartbeat", "Heartbeat", "Heartbeat"]);
  });

  test("TC_002: answers while it is Pending, and sends nothing by itself [TCK-C002] [CORE-BOOT-09]", async () => {
    const site = new ChargerSite();
    site.registration = "Pending";
    site.interval = 60;
    await site.start();
    expect((await site.call("GetConfiguration", { key: ["NumberOfConnectors"] })).configurationKey).toEqual([
      { key: "NumberOfConnectors", readonly: true, value: "2" },
    ]);
    site.hardware.plug(1);
    expect(await site.after(() => {}, minute)).toEqual(["BootNotification", "BootNotification"]);
  });
});

describe("Sessions", () => {
  test("TC_003: plug first [TCK-C003] [STX-A2] [STX-B3]", async () => {
    const site = await ready();
    expect(await site.after(() => site.hardware.plug(1))).toEqual(["StatusNotification 1 Preparing"]);
    expect((await site.after(() => site.hardware.present("TAG", 1))).sort()).toEqual([
      "Authorize TAG",
      "StartTransaction 1 TAG",
      "StatusNotification 1 Charging",
    ]);
    expect(site.hardware.done).toEqual(["lock 1", "offer 1 32"]);
    expect(await site.after(() => site.hardware.present("TAG", 1))).toEqual([
      "StatusNotification 1 Finishing",
      "StopTransaction TAG 1 Local",
    ]);
    expect(site.hardware.done.slice(2)).toEqual(["offer 1 -", "unlock 1"]);
    expect(await site.after(() => site.hardware.unplug(1))).toEqual(["StatusNotification 1 Available"]);
  });

  test("TC_004_1: card first [TCK-C004] [CORE-AUTH-01]", async () => {
    const site = await ready();
    expect(await site.after(() => site.hardware.present("TAG", 1))).toEqual([
      "Authorize TAG",
      "StatusNotification 1 Preparing",
    ]);
    expect((await site.after(() => site.hardware.plug(1))).sort()).toEqual([
      "StartTransaction 1 TAG",
      "StatusNotification 1 Charging",
    ]);
  });

  test("TC_004_2: a card, and no cable within ConnectionTimeOut [TCK-C004] [STX-B1] [CFG-06]", async () => {
    const site = await ready({ configuration: { ConnectionTimeOut: 30 } });
    await site.after(() => site.hardware.present("TAG", 1));
    expect(await site.after(() => {}, 30 * second - 1)).toEqual([]);
    expect(await site.after(() => {}, 1)).toEqual(["StatusNotification 1 Available"]);
    expect(await site.after(() => site.hardware.plug(1))).toEqual(["StatusNotification 1 Preparing"]);
  });

  test("a cable, and no card within ConnectionTimeOut: Finishing; a card begins anew [STX-B6] [STX-F2]", async () => {
    const site = await ready({ configuration: { ConnectionTimeOut: 30 } });
    await site.after(() => site.hardware.plug(1));
    expect(await site.after(() => {}, 30 * second)).toEqual(["StatusNotification 1 Finishing"]);
    const began = await site.after(() => site.hardware.present("TAG", 1));
    expect(began.slice(0, 2)).toEqual(["Authorize TAG", "StatusNotification 1 Preparing"]);
    expect(began.slice(2).sort()).toEqual(["StartTransaction 1 TAG", "StatusNotification 1 Charging"]);
  });

  test.each([
    // stop, unlock: what is told, and whether the cable is let go.
    [true, true, "StopTransaction 1 EVDisconnected", "StatusNotification 1 Finishing (EV side disconnected)", true],
    [true, false, "StopTransaction 1 EVDisconnected", "StatusNotification 1 Finishing (EV side disconnected)", false],
    [false, true, undefined, "StatusNotification 1 SuspendedEV (EV side disconnected)", false],
    [false, false, undefined, "StatusNotification 1 SuspendedEV (EV side disconnected)", false],
  ])(
    "TC_005: unplugged at the vehicle, with StopTransactionOnEVSideDisconnect %s and UnlockConnectorOnEVSideDisconnect %s [TCK-C005] [CORE-STOP-08] [CORE-STOP-09] [CORE-STOP-10] [CORE-STOP-11] [CORE-STOP-12] [CORE-STAT-11] [CORE-STAT-12]",
    async (StopTransactionOnEVSideDisconnect, UnlockConnectorOnEVSideDisconnect, stop, status, isUnlocked) => {
      const configuration = { StopTransactionOnEVSideDisconnect, UnlockConnectorOnEVSideDisconnect };
      const site = await charging({ configuration });
      const told = await site.after(() => site.hardware.unplug(1, "vehicle"));
      expect(told.sort()).toEqual([status, stop].filter((line) => line !== undefined).sort());
      expect(site.hardware.offers.get(1)).toBeUndefined();
      expect(site.hardware.done.includes("unlock 1")).toBe(isUnlocked);
      // Plugged in again.
      const again = await site.after(() => site.hardware.plug(1));
      if (stop === undefined) {
        expect(again).toEqual(["StatusNotification 1 Charging"]);
        expect(site.hardware.offers.get(1)).toBeDefined();
      } else expect(site.hardware.offers.get(1)).toBeUndefined();
      // Whoever has started may take the cable.
      if (!isUnlocked) {
        await site.after(() => site.hardware.present("TAG", 1));
        expect(site.hardware.done).toContain("unlock 1");
      }
      expect(await site.after(() => site.hardware.unplug(1))).toContain("StatusNotification 1 Available");
    },
  );

  test("TC_007: starts from the cache, without asking [TCK-C007] [CORE-LAO-22]", async () => {
    const site = await charging({ configuration: { LocalPreAuthorize: true } });
    await site.after(() => site.hardware.present("TAG", 1));
    await site.after(() => site.hardware.unplug(1));
    await site.after(() => site.hardware.plug(1));
    expect((await site.after(() => site.hardware.present("TAG", 1))).sort()).toEqual([
      "StartTransaction 1 TAG",
      "StatusNotification 1 Charging",
    ]);
  });

  test("TC_008: starts from the Local Authorization List [TCK-C007] [CORE-LAO-20]", async () => {
    const site = await ready({ configuration: { LocalPreAuthorize: true } });
    const update = { listVersion: 1, updateType: "Full" as const };
    const localAuthorizationList = [{ idTag: "LISTED", idTagInfo: { status: "Accepted" as const } }];
    expect(await site.call("SendLocalList", { ...update, localAuthorizationList })).toEqual({ status: "Accepted" });
    site.take();
    site.hardware.plug(1);
    expect((await site.after(() => site.hardware.present("LISTED", 1))).sort()).toEqual([
      "StartTransaction 1 LISTED",
      "StatusNotification 1 Charging",
      "StatusNotification 1 Preparing",
    ]);
  });

  test("TC_023: a card that is refused starts nothing [TCK-C023] [CORE-AUTH-14]", async () => {
    const site = await ready();
    site.idTags.set("TAG", { status: "Blocked" });
    await site.after(() => site.hardware.plug(1));
    expect(await site.after(() => site.hardware.present("TAG", 1), minute - 1)).toEqual(["Authorize TAG"]);
    expect(site.hardware.done).toEqual([]);
  });

  test("TC_024: a lock that does not close: Faulted, and nothing starts until the cable is out [TCK-C024]", async () => {
    const site = await ready();
    site.hardware.jams = true;
    await site.after(() => site.hardware.plug(1));
    expect(await site.after(() => site.hardware.present("TAG", 1))).toEqual([
      "Authorize TAG",
      "StatusNotification 1 Faulted ConnectorLockFailure",
    ]);
    expect(site.hardware.offers.get(1)).toBeUndefined();
    expect(site.faults).toHaveLength(1);
    site.hardware.jams = false;
    expect(await site.after(() => site.hardware.unplug(1))).toEqual(["StatusNotification 1 Available"]);
  });

  test("TC_068, TC_069: another card of the group stops, and is told [TCK-C069] [CORE-AUTH-09]", async () => {
    const site = await ready();
    site.idTags.set("TAG", { status: "Accepted", parentIdTag: "GROUP" });
    site.idTags.set("FRIEND", { status: "Accepted", parentIdTag: "GROUP" });
    site.hardware.plug(1);
    await site.after(() => site.hardware.present("TAG", 1));
    expect(await site.after(() => site.hardware.present("STRANGER", 1))).toEqual(["Authorize STRANGER"]);
    expect(site.status(1)).toBe("Charging");
    expect(await site.after(() => site.hardware.present("FRIEND", 1))).toEqual([
      "Authorize FRIEND",
      "StatusNotification 1 Finishing",
      "StopTransaction FRIEND 1 Local",
    ]);
  });

  test("the button stops [CORE-STOP-17]; the owner's does, too", async () => {
    const site = await charging();
    expect(await site.after(() => site.hardware.listener.pressed("stop", 1))).toContain("StopTransaction 1 Local");
    const other = await charging();
    expect(await other.after(() => other.charger.stopTransaction(1))).toContain("StopTransaction 1 Local");
  });

  test("what is asked for by vehicle and charger is one status [CORE-STAT-04] [CORE-STAT-14] [CORE-STAT-15]", async () => {
    const site = await charging();
    expect(await site.after(() => site.hardware.listener.wantsEnergy(1, false))).toEqual([
      "StatusNotification 1 SuspendedEV",
    ]);
    expect(await site.after(() => site.hardware.listener.wantsEnergy(1, true))).toEqual([
      "StatusNotification 1 Charging",
    ]);
  });

  test("faults: energy ends at once, the transaction ends, or goes on where the hardware says so [STX-C9] [STX-I3] [CORE-STOP-17]", async () => {
    const site = await charging();
    const fault = { errorCode: "GroundFailure" } as const;
    const told = await site.after(() => site.hardware.listener.faulted(1, fault));
    expect(told.sort()).toEqual(["StatusNotification 1 Faulted GroundFailure", "StopTransaction 1 Other"]);
    expect(site.hardware.offers.get(1)).toBeUndefined();
    expect(await site.after(() => site.hardware.listener.mended(1))).toEqual(["StatusNotification 1 Finishing"]);

    const hardware = new ScriptedHardware([{ resumesAfterFault: true }]);
    const resuming = await charging({ hardware });
    expect(await resuming.after(() => hardware.listener.faulted(1, fault))).toEqual([
      "StatusNotification 1 Faulted GroundFailure",
    ]);
    expect(hardware.offers.get(1)).toBeUndefined();
    expect(await resuming.after(() => hardware.listener.mended(1))).toEqual(["StatusNotification 1 Charging"]);
    expect(hardware.offers.get(1)).toBeDefined();
  });

  test("a warning is told, and changes nothing else [CORE-STAT-09]", async () => {
    const site = await charging();
    const warning = { errorCode: "HighTemperature" } as const;
    expect(await site.after(() => site.hardware.listener.warned(1, warning))).toEqual([
      "StatusNotification 1 Charging HighTemperature",
    ]);
    expect(await site.after(() => site.hardware.listener.mended(1, warning))).toEqual([
      "StatusNotification 1 Charging",
    ]);
  });

  test("the emergency button stops everything with the reason EmergencyStop, whatever follows [CORE-STOP-17] [CORE-STOP-18]", async () => {
    const site = await charging();
    const told = await site.after(() => {
      site.hardware.listener.emergencyStop(true);
      site.hardware.unplug(1);
    });
    expect(told).toContain("StopTransaction 1 EmergencyStop");
    expect(told).toContain("StatusNotification 0 Faulted OtherError (Emergency stop)");
    expect(site.charger.state.status).toBe("Faulted");
    await site.after(() => site.hardware.listener.emergencyStop(false));
    expect([site.charger.state.status, site.status(1), site.status(2)]).toEqual([
      "Available",
      "Available",
      "Available",
    ]);
  });

  test("a card at the reader of the charger is for the connector that it uses, that was plugged in last, or that will be", async () => {
    const site = await ready();
    await site.after(() => site.hardware.plug(2));
    expect((await site.after(() => site.hardware.present("TAG"))).sort()).toEqual([
      "Authorize TAG",
      "StartTransaction 2 TAG",
      "StatusNotification 2 Charging",
    ]);
    await site.after(() => site.hardware.present("TAG"));
    expect(site.status(2)).toBe("Finishing");
    await site.after(() => site.hardware.unplug(2));
    expect(await site.after(() => site.hardware.present("TAG"))).toEqual([]);
    expect((await site.after(() => site.hardware.plug(1))).sort()).toEqual([
      "Authorize TAG",
      "StartTransaction 1 TAG",
      "StatusNotification 1 Charging",
      "StatusNotification 1 Preparing",
    ]);
  });
});
