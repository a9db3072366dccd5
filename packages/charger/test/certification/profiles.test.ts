import type { Req } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { firmwareManagement } from "../../src/index.ts";
import { type ChargerSite, hour, minute, second } from "../charger-site.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";
import { charging, ready } from "./ready.ts";

const soon = (site: { clock: { now(): number } }, ms = hour): string => new Date(site.clock.now() + ms).toISOString();

describe("Offline", () => {
  test("TC_036: values of while it was cut off arrive in order, one interval apart, before new ones [TCK-C036] [CORE-MTR-02]", async () => {
    const site = await charging({ configuration: { MeterValueSampleInterval: 60 } });
    site.reachable = false;
    site.links.at(-1)?.chargePoint.drop();
    const startedAt = site.charger.chargePoint.transactions[0]?.startedAt ?? 0;
    await site.after(() => {}, 5 * minute);
    site.reachable = true;
    await site.after(() => {}, 20 * minute);
    const times = site
      .payloads("MeterValues")
      .map((each) => Date.parse((each as { meterValue: { timestamp: string }[] }).meterValue[0]?.timestamp ?? ""));
    expect(times.length).toBeGreaterThan(10);
    expect(times).toEqual(times.map((_, index) => startedAt + (index + 1) * minute));
  });

  test("what meters show outside of transactions while it is cut off is told to nobody, also later [J-217]", async () => {
    const site = await ready({ configuration: { ClockAlignedDataInterval: 60 } });
    site.reachable = false;
    site.links.at(-1)?.chargePoint.drop();
    await site.after(() => {}, 10 * minute);
    expect(site.payloads("MeterValues")).toEqual([]);
    site.reachable = true;
    const from = site.clock.now();
    await site.after(() => {}, hour);
    const times = (site.payloads("MeterValues") as Req<"MeterValues">[]).map(
      ({ meterValue }) => meterValue[0]?.timestamp,
    );
    expect(times.length).toBeGreaterThan(10);
    expect(times.filter((time) => Date.parse(time ?? "") < from)).toEqual([]);
  });

  test.each([
    ["TC_037_1", "Accepted", true, "Charging", undefined],
    ["TC_037_2", "Invalid", false, "SuspendedEVSE", undefined],
    ["TC_037_3", "Invalid", true, "Finishing", "StopTransaction 1 DeAuthorized"],
  ] as const)(
    "%s: started offline, the identifier is %s, StopTransactionOnInvalidId is %s [TCK-C037] [CORE-LAO-09] [CORE-LAO-10] [CORE-START-04]",
    async (_, status, StopTransactionOnInvalidId, expected, stop) => {
      const configuration = { StopTransactionOnInvalidId, AllowOfflineTxForUnknownId: true };
      const site = await ready({ configuration });
      site.reachable = false;
      site.links.at(-1)?.chargePoint.drop();
      await site.after(() => site.hardware.plug(1));
      await site.after(() => site.hardware.present("TAG", 1));
      expect(site.status(1)).toBe("Charging");
      site.idTags.set("TAG", { status });
      site.reachable = true;
      const told = await site.after(() => {}, 5 * minute);
      expect(site.status(1)).toBe(expected);
      expect(told).toContain("StartTransaction 1 TAG");
      expect(told.find((line) => line.startsWith("StopTransaction"))).toBe(stop);
      // The cable is for whoever has started only. [CORE-LAO-09]
      expect(site.hardware.done.includes("unlock 1")).toBe(false);
    },
  );

  test("MaxEnergyOnInvalidId: so much is still offered [CORE-LAO-11]", async () => {
    const configuration = {
      StopTransactionOnInvalidId: false,
      AllowOfflineTxForUnknownId: true,
      MaxEnergyOnInvalidId: 500,
    };
    const site = await ready({ configuration });
    site.reachable = false;
    site.links.at(-1)?.chargePoint.drop();
    site.hardware.plug(1);
    await site.after(() => site.hardware.present("TAG", 1));
    site.idTags.set("TAG", { status: "Blocked" });
    site.reachable = true;
    await site.after(() => {}, 5 * minute);
    expect(site.status(1)).toBe("Charging");
    await site.after(() => site.hardware.measure(1, 1499));
    expect(site.status(1)).toBe("Charging");
    await site.after(() => site.hardware.measure(1, 1500));
    expect(site.status(1)).toBe("SuspendedEVSE");
    expect(site.hardware.offers.get(1)).toBeUndefined();
  });

  test("TC_038, TC_039: what was stopped, or all that happened, while it was cut off is told in order [TCK-C037] [CORE-STOP-01]", async () => {
    const site = await charging({ configuration: { AllowOfflineTxForUnknownId: true, MeterValueSampleInterval: 0 } });
    site.reachable = false;
    site.links.at(-1)?.chargePoint.drop();
    await site.after(() => site.hardware.present("TAG", 1), minute);
    await site.after(() => site.hardware.unplug(1), minute);
    await site.after(() => site.hardware.plug(1), minute);
    await site.after(() => site.hardware.present("OTHER", 1), minute);
    await site.after(() => site.hardware.present("OTHER", 1), minute);
    site.reachable = true;
    await site.after(() => {}, 20 * minute);
    expect(site.takeOf("StartTransaction", "StopTransaction")).toEqual([]);
    const actions = site.received.map(({ action }) => action).filter((action) => action.endsWith("Transaction"));
    expect(actions).toEqual(["StartTransaction", "StopTransaction", "StartTransaction", "StopTransaction"]);
  });
});

describe("Configuration", () => {
  test("TC_019: the required keys of the profiles, with what can be changed [TCK-C019] [CFG-61] [CFG-62] [SC-27]", async () => {
    const site = await ready();
    const { configurationKey = [] } = await site.call("GetConfiguration", {});
    const keys = new Map(configurationKey.map(({ key, readonly }) => [key, readonly]));
    for (const key of [
      "NumberOfConnectors",
      "GetConfigurationMaxKeys",
      "SupportedFeatureProfiles",
      "LocalAuthListMaxLength",
      "SendLocalListMaxLength",
      "ChargeProfileMaxStackLevel",
      "ChargingScheduleAllowedChargingRateUnit",
      "ChargingScheduleMaxPeriods",
      "MaxChargingProfilesInstalled",
    ]) {
      expect([key, keys.get(key)]).toEqual([key, true]);
    }
    for (const key of [
      "ClockAlignedDataInterval",
      "ConnectionTimeOut",
      "ConnectorPhaseRotation",
      "HeartbeatInterval",
      "LocalAuthorizeOffline",
      "LocalPreAuthorize",
      "MeterValuesAlignedData",
      "MeterValuesSampledData",
      "MeterValueSampleInterval",
      "ResetRetries",
      "StopTransactionOnInvalidId",
      "StopTxnAlignedData",
      "StopTxnSampledData",
      "TransactionMessageAttempts",
      "TransactionMessageRetryInterval",
      "LocalAuthListEnabled",
    ]) {
      expect([key, keys.get(key)]).toEqual([key, false]);
    }
  });

  test.each([
    { cables: ["fixed", "fixed"], readonly: true, value: "false" },
    { cables: ["fixed", "socket"], readonly: false, value: "true" },
  ] as const)("what lets no cable go cannot be told to: $cables [CFG-35]", async ({ cables, readonly, value }) => {
    const site = await ready({ hardware: new ScriptedHardware(cables.map((cable) => ({ cable }))) });
    const key = "UnlockConnectorOnEVSideDisconnect";
    expect((await site.call("GetConfiguration", { key: [key] })).configurationKey).toEqual([{ key, readonly, value }]);
    expect(await site.call("ChangeConfiguration", { key, value: "true" })).toEqual({
      status: readonly ? "Rejected" : "Accepted",
    });
  });

  test("TC_021: what is changed is obeyed at once [TCK-C021] [CORE-CC-02]", async () => {
    const site = await charging({ configuration: { MeterValueSampleInterval: 60 } });
    expect(await site.call("ChangeConfiguration", { key: "MeterValueSampleInterval", value: "10" })).toEqual({
      status: "Accepted",
    });
    expect(await site.after(() => {}, 30 * second)).toEqual(["MeterValues 1 1", "MeterValues 1 1", "MeterValues 1 1"]);
    await site.call("ChangeConfiguration", { key: "MeterValueSampleInterval", value: "0" });
    expect(await site.after(() => {}, minute)).toEqual([]); // CORE-MTR-03
  });

  test("TC_040: unknown keys, values that are none, and measurands that no meter has [TCK-C040] [CORE-MTR-09] [CORE-CC-04] [CORE-CC-05] [CORE-CC-12]", async () => {
    const site = await ready();
    const change = async (key: string, value: string) =>
      (await site.call("ChangeConfiguration", { key, value })).status;
    expect(await change("NoSuchKey", "1")).toBe("NotSupported");
    expect(await change("MeterValueSampleInterval", "-1")).toBe("Rejected");
    expect(await change("NumberOfConnectors", "3")).toBe("Rejected");
    expect(await change("MeterValuesSampledData", "SoC,Frequency")).toBe("Rejected");
    expect(await change("MeterValuesSampledData", "SoC,Current.Import.L1")).toBe("Accepted");
    expect(site.charger.configuration.get("MeterValuesSampledData")).toEqual(["SoC", "Current.Import.L1"]);
  });

  test("MinimumStatusDuration: what did not last is not told, and the rest is told late [CORE-STAT-07] [CORE-STAT-08]", async () => {
    const site = await ready({ configuration: { MinimumStatusDuration: 10 }, minimumStatusSeconds: 2 });
    await site.after(() => site.hardware.plug(1), 11 * second);
    await site.after(() => site.hardware.unplug(1));
    expect(await site.after(() => {}, minute)).toEqual([]);
    await site.after(() => site.hardware.plug(1));
    expect(await site.after(() => {}, 12 * second - 1)).toEqual([]);
    expect(await site.after(() => {}, 1)).toEqual(["StatusNotification 1 Preparing"]);
  });

  test("TC_061: after ClearCache it asks again [TCK-C061]; TC_062: vendors are unknown [TCK-C062]", async () => {
    const site = await charging({ configuration: { LocalPreAuthorize: true } });
    expect(await site.call("ClearCache", {})).toEqual({ status: "Accepted" });
    await site.after(() => site.hardware.present("TAG", 1));
    await site.after(() => site.hardware.unplug(1));
    expect(await site.after(() => site.hardware.present("TAG", 1))).toContain("Authorize TAG");
    expect(await site.call("DataTransfer", { vendorId: "nobody" })).toEqual({ status: "UnknownVendorId" });
  });
});

describe("The Local Authorization List", () => {
  const entry = (idTag: string) => ({ idTag, idTagInfo: { status: "Accepted" as const } });

  test("TC_042: has version 0 while it is empty, and again once a Full update has emptied it [TCK-C042]", async () => {
    const site = await ready();
    const version = async () => (await site.call("GetLocalListVersion", {})).listVersion;
    expect(await version()).toBe(0);
    const localAuthorizationList = [entry("A")];
    expect(await site.call("SendLocalList", { listVersion: 5, updateType: "Full", localAuthorizationList })).toEqual({
      status: "Accepted",
    });
    expect(await version()).toBe(5);
    expect(await site.call("SendLocalList", { listVersion: 6, updateType: "Full" })).toEqual({ status: "Accepted" });
    expect(await version()).toBe(0);
  });

  test("TC_043: an update is Accepted, a lower version is a VersionMismatch, one that is too long has Failed; these change nothing [TCK-C043]", async () => {
    const site = await ready({ configuration: { LocalPreAuthorize: true, SendLocalListMaxLength: 2 } });
    const update = async (listVersion: number, ...idTags: readonly string[]) =>
      (
        await site.call("SendLocalList", {
          listVersion,
          updateType: "Differential",
          localAuthorizationList: idTags.map(entry),
        })
      ).status;
    expect(await update(5, "A")).toBe("Accepted");
    expect(await update(4, "B")).toBe("VersionMismatch");
    expect(await update(6, "B", "C", "D")).toBe("Failed");
    await site.powerCut();
    expect(await site.call("GetLocalListVersion", {})).toEqual({ listVersion: 5 });
    site.take();
    await site.after(() => site.hardware.plug(1));
    expect(await site.after(() => site.hardware.present("B", 1))).toContain("Authorize B");
    await site.after(() => site.hardware.plug(2));
    expect(await site.after(() => site.hardware.present("A", 2))).not.toContain("Authorize A");
    expect(site.status(2)).toBe("Charging");
  });
});

describe("Reservations", () => {
  const reservation = { connectorId: 1, idTag: "TAG", reservationId: 7 };

  test("TC_046_1: used by whom it is for; another card is not asked about [TCK-C046] [RSV-02] [RSV-08] [RSV-13] [RSV-14] [RSV-17] [STX-A7] [STX-G2] [CORE-START-02]", async () => {
    const site = await ready();
    expect(await site.call("ReserveNow", { ...reservation, expiryDate: soon(site) })).toEqual({ status: "Accepted" });
    expect(await site.after(() => {})).toEqual(["StatusNotification 1 Reserved"]);
    expect(await site.after(() => site.hardware.present("OTHER", 1))).toEqual([]);
    expect(await site.after(() => site.hardware.present("TAG", 1))).toEqual([
      "Authorize TAG",
      "StatusNotification 1 Preparing",
    ]);
    expect((await site.after(() => site.hardware.plug(1))).sort()).toEqual([
      "StartTransaction 1 TAG reservation 7",
      "StatusNotification 1 Charging",
    ]);
    await site.after(() => site.hardware.present("TAG", 1));
    expect(await site.after(() => site.hardware.unplug(1))).toEqual(["StatusNotification 1 Available"]);
  });

  test("TC_046_2: and by remote start [TCK-C046]", async () => {
    const site = await ready();
    await site.call("ReserveNow", { ...reservation, expiryDate: soon(site) });
    expect(await site.call("RemoteStartTransaction", { idTag: "OTHER", connectorId: 1 })).toEqual({
      status: "Rejected",
    });
    expect(await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 1 })).toEqual({ status: "Accepted" });
    await site.after(() => {});
    expect(await site.after(() => site.hardware.plug(1))).toContain("StartTransaction 1 TAG reservation 7");
  });

  test("TC_047: it expires, also while the power is off [TCK-C046] [RSV-15] [STX-G1]", async () => {
    const site = await ready();
    await site.call("ReserveNow", { ...reservation, expiryDate: soon(site, minute) });
    await site.after(() => {});
    expect(await site.after(() => {}, minute)).toEqual(["StatusNotification 1 Available"]);
    await site.call("ReserveNow", { ...reservation, expiryDate: soon(site, minute) });
    await site.powerCut();
    expect(await site.after(() => {})).toContain("StatusNotification 1 Reserved");
    expect(await site.after(() => {}, minute)).toEqual(["StatusNotification 1 Available"]);
  });

  test("TC_048: Faulted, Occupied, Unavailable, Rejected [TCK-C046] [RSV-03] [RSV-04] [RSV-05] [RSV-06] [RSV-10]", async () => {
    const site = await charging({ configuration: { ReserveConnectorZeroSupported: false } });
    const reserve = async (more: object) =>
      (await site.call("ReserveNow", { ...reservation, expiryDate: soon(site), ...more })).status;
    expect(await reserve({})).toBe("Occupied");
    expect(await reserve({ connectorId: 2 })).toBe("Accepted");
    expect(await reserve({ connectorId: 2, reservationId: 8 })).toBe("Occupied");
    expect(await reserve({ connectorId: 2, reservationId: 7 })).toBe("Accepted"); // RSV-01
    site.hardware.listener.faulted(2, { errorCode: "OtherError" });
    expect(await reserve({ connectorId: 2, reservationId: 8 })).toBe("Faulted");
    expect(site.charger.state.connectors[1]?.reservation).toBeUndefined(); // RSV-13
    site.hardware.listener.mended(2);
    await site.call("ChangeAvailability", { connectorId: 2, type: "Inoperative" });
    expect(await reserve({ connectorId: 2 })).toBe("Unavailable");
    expect(await reserve({ connectorId: 0 })).toBe("Rejected");
    expect(await reserve({ connectorId: 5 })).toBe("Rejected");
    await site.call("ChangeAvailability", { connectorId: 2, type: "Operative" });
    expect(await reserve({ connectorId: 2, expiryDate: soon(site, -minute) })).toBe("Rejected");
  });

  test.each<readonly [string, (site: ChargerSite) => unknown]>([
    ["it is faulted", (site) => site.hardware.listener.faulted(2, { errorCode: "OtherError" })],
    ["the charger is faulted", (site) => site.hardware.listener.emergencyStop(true)],
    ["it is taken out of service", (site) => site.call("ChangeAvailability", { connectorId: 2, type: "Inoperative" })],
    ["the charger is, by its owner", (site) => site.charger.setOperative(0, false)],
    [
      "it waits for firmware",
      (site) => site.call("UpdateFirmware", { location: "http://a.example/b", retrieveDate: "2026-01-01T00:00:00Z" }),
    ],
  ])("a reservation is over when its connector cannot be used: %s [RSV-13]", async (_, happens) => {
    const transfers = { protocols: ["HTTP"] as const, download: async () => "/tmp/file", upload: async () => {} };
    const site = await charging({ firmwareManagement: firmwareManagement(transfers) });
    const reserved = { ...reservation, connectorId: 2, expiryDate: soon(site) };
    expect(await site.call("ReserveNow", reserved)).toEqual({ status: "Accepted" });
    await site.after(() => {});
    await happens(site);
    await site.after(() => {}, second);
    expect(site.charger.state.connectors[1]?.reservation).toBeUndefined();
    await site.powerCut();
    expect(site.charger.state.connectors[1]?.reservation).toBeUndefined();
  });

  test("TC_049, TC_050: of any connector: one is kept, whichever, and no status is another [TCK-C046] [RSV-09] [CORE-STAT-03]", async () => {
    const site = await ready();
    const anyOne = { ...reservation, connectorId: 0, expiryDate: soon(site) };
    expect(await site.call("ReserveNow", anyOne)).toEqual({ status: "Accepted" });
    expect(await site.after(() => {})).toEqual([]);
    expect(site.charger.state.reservations).toMatchObject([{ reservationId: 7 }]);
    // One of two may be used by others.
    site.hardware.plug(1);
    await site.after(() => site.hardware.present("OTHER", 1));
    expect(site.status(1)).toBe("Charging");
    site.take();
    expect(await site.after(() => site.hardware.present("STRANGER", 2))).toEqual([]);
    expect(await site.call("RemoteStartTransaction", { idTag: "STRANGER" })).toEqual({ status: "Rejected" });
    expect(await site.call("ReserveNow", { ...anyOne, reservationId: 8 })).toEqual({ status: "Occupied" });
    site.hardware.plug(2);
    expect(await site.after(() => site.hardware.present("TAG", 2))).toContain("StartTransaction 2 TAG reservation 7");
  });

  test("TC_051, TC_052: it is cancelled, or there is none [TCK-C046] [RSV-20] [RSV-21]", async () => {
    const site = await ready();
    await site.call("ReserveNow", { ...reservation, expiryDate: soon(site) });
    await site.after(() => {});
    expect(await site.call("CancelReservation", { reservationId: 8 })).toEqual({ status: "Rejected" });
    expect(await site.call("CancelReservation", { reservationId: 7 })).toEqual({ status: "Accepted" });
    expect(await site.after(() => {})).toEqual(["StatusNotification 1 Available"]);
    await site.powerCut();
    expect(site.charger.state.connectors[0]?.reservation).toBeUndefined();
  });

  test("TC_053: whoever belongs to the group may use it, and is asked about [TCK-C046] [RSV-08] [RSV-11] [RSV-12]", async () => {
    const site = await ready();
    site.idTags.set("FRIEND", { status: "Accepted", parentIdTag: "GROUP" });
    await site.call("ReserveNow", { ...reservation, parentIdTag: "GROUP", expiryDate: soon(site) });
    await site.after(() => site.hardware.plug(1));
    expect(await site.after(() => site.hardware.present("STRANGER", 1))).toEqual(["Authorize STRANGER"]);
    expect(await site.after(() => site.hardware.present("FRIEND", 1))).toContain(
      "StartTransaction 1 FRIEND reservation 7",
    );
  });
});

describe("Triggers", () => {
  test("TC_054: statuses, meter values, Heartbeat; TC_055: of no connector [TCK-C054] [RT-03] [RT-04] [RT-11]", async () => {
    const site = await charging();
    const trigger = async (req: Parameters<typeof site.call<"TriggerMessage">>[1]) => {
      const { status } = await site.call("TriggerMessage", req);
      await site.clock.advance(0);
      return [status, ...site.take()];
    };
    expect(await trigger({ requestedMessage: "MeterValues", connectorId: 1 })).toEqual(["Accepted", "MeterValues 1 1"]);
    expect(await trigger({ requestedMessage: "MeterValues" })).toEqual([
      "Accepted",
      "MeterValues 2",
      "MeterValues 1 1",
    ]);
    expect(await trigger({ requestedMessage: "StatusNotification" })).toEqual([
      "Accepted",
      "StatusNotification 0 Available",
      "StatusNotification 1 Charging",
      "StatusNotification 2 Available",
    ]);
    expect(await trigger({ requestedMessage: "Heartbeat" })).toEqual(["Accepted", "Heartbeat"]);
    expect(await trigger({ requestedMessage: "MeterValues", connectorId: 3 })).toEqual(["Rejected"]);
    expect(await trigger({ requestedMessage: "StatusNotification", connectorId: 3 })).toEqual(["Rejected"]);
    const [value] = site.payloads("MeterValues") as { meterValue: { sampledValue: { context: string }[] }[] }[];
    expect(value?.meterValue[0]?.sampledValue[0]?.context).toBe("Trigger");
  });
});
