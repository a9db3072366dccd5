import type { Req } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { type ChargerSite, minute, second } from "../charger-site.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";
import { charging, ready } from "./ready.ts";

type Profile = Req<"SetChargingProfile">["csChargingProfiles"];

/** A profile of one limit from now on. */
function profileOf(
  chargingProfilePurpose: Profile["chargingProfilePurpose"],
  limit: number,
  more: object = {},
): Profile {
  return {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose,
    chargingProfileKind: chargingProfilePurpose === "ChargePointMaxProfile" ? "Absolute" : "Relative",
    chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
    ...more,
  };
}

const set = async (site: ChargerSite, connectorId: number, csChargingProfiles: Profile) => {
  const { status } = await site.call("SetChargingProfile", { connectorId, csChargingProfiles });
  await site.clock.advance(0);
  return status;
};

const offered = (site: ChargerSite, connectorId = 1): number | undefined => site.hardware.offers.get(connectorId)?.A;

describe("Smart charging", () => {
  test("TC_056: a default bounds what is offered at once; TC_067: and does not any more once it is cleared [TCK-C056] [SC-10] [SC-11]", async () => {
    const site = await charging();
    expect(offered(site)).toBe(32);
    expect(await set(site, 0, profileOf("TxDefaultProfile", 10))).toBe("Accepted");
    expect(offered(site)).toBe(10);
    expect(await site.call("ClearChargingProfile", { id: 1 })).toEqual({ status: "Accepted" });
    await site.clock.advance(0);
    expect(offered(site)).toBe(32);
    expect(site.take()).toEqual([]);
  });

  test("TC_057, TC_058: a TxProfile of the transaction that runs, and of none [TCK-C056] [SC-06] [SC-57]", async () => {
    const site = await ready();
    expect(await set(site, 1, profileOf("TxProfile", 8))).toBe("Rejected");
    site.hardware.plug(1);
    await site.after(() => site.hardware.present("TAG", 1));
    expect(await set(site, 1, profileOf("TxProfile", 8, { transactionId: 99 }))).toBe("Rejected");
    expect(await set(site, 1, profileOf("TxProfile", 8, { transactionId: 1 }))).toBe("Accepted");
    expect(offered(site)).toBe(8);
    // SC-08: it ends with the transaction.
    await site.after(() => site.hardware.present("TAG", 1));
    await site.after(() => site.hardware.unplug(1));
    site.hardware.plug(1);
    await site.after(() => site.hardware.present("TAG", 1));
    expect(offered(site)).toBe(32);
  });

  test("TC_059: a remote start brings a profile, which bounds the transaction from its first moment on; TC_060: of no other purpose [TCK-C056] [CORE-RST-11] [CORE-RST-12] [CORE-RST-15]", async () => {
    const site = await ready();
    await site.after(() => site.hardware.plug(1));
    const start = { idTag: "TAG", connectorId: 1 };
    expect(
      await site.call("RemoteStartTransaction", { ...start, chargingProfile: profileOf("TxDefaultProfile", 8) }),
    ).toEqual({ status: "Rejected" });
    expect(await site.call("RemoteStartTransaction", { ...start, chargingProfile: profileOf("TxProfile", 8) })).toEqual(
      {
        status: "Accepted",
      },
    );
    await site.clock.advance(0);
    expect(site.hardware.done.filter((each) => each.startsWith("offer"))).toEqual(["offer 1 8"]);
  });

  test("a profile of a remote start that leads to nothing is forgotten [CORE-RST-12]", async () => {
    const site = await ready({ configuration: { ConnectionTimeOut: 20 } });
    await site.call("RemoteStartTransaction", {
      idTag: "TAG",
      connectorId: 1,
      chargingProfile: profileOf("TxProfile", 8),
    });
    await site.after(() => {}, minute);
    site.hardware.plug(1);
    await site.after(() => site.hardware.present("TAG", 1));
    expect(offered(site)).toBe(32);
  });

  test("below 6 A is a pause: SuspendedEVSE, and the transaction goes on at the new limit [CORE-STAT-15] [STX-C5] [STX-E3]", async () => {
    const site = await charging();
    await set(site, 0, profileOf("TxDefaultProfile", 0));
    expect(site.take()).toEqual(["StatusNotification 1 SuspendedEVSE"]);
    expect(site.hardware.offers.get(1)).toBeUndefined();
    await set(site, 0, profileOf("TxDefaultProfile", 5.9));
    expect(site.take()).toEqual([]);
    await set(site, 0, profileOf("TxDefaultProfile", 6));
    expect(site.take()).toEqual(["StatusNotification 1 Charging"]);
    expect(offered(site)).toBe(6);
  });

  test("TC_066: the composite schedule is what is obeyed [TCK-C066] [SC-81] [SC-84]", async () => {
    const site = await charging();
    await set(site, 0, profileOf("ChargePointMaxProfile", 10, { chargingSchedule: schedule({ 0: 10 }) }));
    await set(
      site,
      0,
      profileOf("TxDefaultProfile", 6, {
        chargingProfileId: 2,
        chargingSchedule: schedule({ 0: 6, 260: 8, 300: 16 }, 400),
      }),
    );
    await set(
      site,
      1,
      profileOf("TxProfile", 8, {
        chargingProfileId: 3,
        chargingSchedule: schedule({ 0: 8, 50: 11, 140: 16, 200: 6, 240: 12 }, 260),
      }),
    );
    const { chargingSchedule } = await site.call("GetCompositeSchedule", {
      connectorId: 1,
      duration: 400,
      chargingRateUnit: "A",
    });
    const periods = chargingSchedule?.chargingSchedulePeriod ?? [];
    for (const [index, { limit, startPeriod }] of periods.entries()) {
      await site.clock.advance(startPeriod * second - (site.clock.now() - Date.UTC(2026, 0, 1)) + 1);
      expect([index, offered(site)]).toEqual([index, limit]);
    }
    expect(periods.map(({ limit }) => limit)).toEqual([8, 10, 6, 10, 8, 10]);
  });

  test("one limit for all is shared: equally, what one does not need is the other's, nobody gets less than 6 A [SC-23] [SC-83]", async () => {
    const hardware = new ScriptedHardware([{}, {}, {}]);
    const site = await ready({ hardware, pauseSeconds: 600 });
    await set(site, 0, profileOf("ChargePointMaxProfile", 20));
    const total = (): number => [1, 2, 3].reduce((sum, id) => sum + (offered(site, id) ?? 0), 0);
    for (const id of [1, 2, 3]) {
      hardware.plug(id);
      await site.after(() => hardware.present(`TAG${id}`, id));
      expect(total()).toBeLessThanOrEqual(20);
    }
    expect([1, 2, 3].map((id) => offered(site, id))).toEqual([6.6, 6.6, 6.6]);
    await set(site, 0, profileOf("ChargePointMaxProfile", 13));
    expect([1, 2, 3].map((id) => offered(site, id))).toEqual([6.5, 6.5, undefined]);
    expect(site.status(3)).toBe("SuspendedEVSE");
    const served = new Set<number>();
    for (let turns = 0; turns < 6; turns++) {
      await site.after(() => {}, 600 * second);
      for (const id of [1, 2, 3]) if (offered(site, id) !== undefined) served.add(id);
      expect(total()).toBeLessThanOrEqual(13);
    }
    expect([...served].sort()).toEqual([1, 2, 3]);
    // One is full: what it does not draw is for the others.
    await set(site, 0, profileOf("ChargePointMaxProfile", 40));
    hardware.measure(1, 1200, { "Power.Active.Import": 230 });
    await site.after(() => {}, minute);
    expect(total()).toBeLessThanOrEqual(40);
    expect(offered(site, 2)).toBeGreaterThan(14);
  });
});

function schedule(limits: Record<number, number>, duration?: number) {
  return {
    chargingRateUnit: "A" as const,
    ...(duration !== undefined && { duration }),
    chargingSchedulePeriod: Object.entries(limits).map(([start, limit]) => ({ startPeriod: Number(start), limit })),
  };
}
