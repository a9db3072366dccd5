import { describe, expect, test } from "vitest";
import {
  type ChargingProfile,
  ChargingProfiles,
  explain,
  type InstalledProfile,
  limitAt,
  PayloadError,
  profileRefusal,
} from "../../src/index.ts";
import { inFull, type ProfileInShort } from "./worked-examples.ts";

const at = Date.parse("2024-06-03T12:00:00Z");
const maximum = { limit: 32, unit: "A" } as const;
const none = ChargingProfiles.none({
  connectors: { 1: maximum, 2: maximum },
  chargeProfileMaxStackLevel: 3,
  chargingScheduleAllowedChargingRateUnit: ["Current"],
  chargingScheduleMaxPeriods: 3,
  maxChargingProfilesInstalled: 3,
});
const charging = none.startedTransaction(1, { startedAt: at, transactionId: 7 });

const inShort: ProfileInShort = { at: 1, id: 1, purpose: "TxDefaultProfile", kind: "Absolute", periods: "0:16" };
const like = (more: Partial<ProfileInShort>): ChargingProfile => inFull({ ...inShort, ...more });

/** Sets one after the other; each must be accepted. */
function having(profiles: ChargingProfiles, ...all: readonly Partial<ProfileInShort>[]): ChargingProfiles {
  return all.reduce((before, each) => {
    const { connectorId, profile } = { connectorId: each.at ?? inShort.at, profile: like(each) };
    const verdict = before.set(connectorId, profile);
    expect(verdict.status).toBe("Accepted");
    return verdict.profiles;
  }, profiles);
}

const idsOf = ({ installed }: ChargingProfiles): readonly number[] =>
  installed.map(({ profile }) => profile.chargingProfileId);

describe("A profile is refused, and the rule is named,", () => {
  const tx = { purpose: "TxProfile" } as const;
  const max = { purpose: "ChargePointMaxProfile", at: 0 } as const;
  test.each<[string, string, Partial<ProfileInShort>, string]>([
    ["SC-57", "at a connector that is not there", { at: 3 }, "unknown-connector"],
    ["SC-06] [SC-60", "as a TxProfile of connector 0", { ...tx, at: 0 }, "tx-profile-at-0"],
    ["SC-09] [SC-63", "as a TxProfile where nothing charges", { ...tx, at: 2 }, "no-transaction"],
    ["SC-61", "as a TxProfile of another transaction", { ...tx, transactionId: 8 }, "other-transaction"],
    ["SC-45] [SC-62", "with a level that is too high", { level: 4 }, "stack-level"],
    ["SC-62", "with too many periods", { periods: "0:1 1:2 2:3 3:4" }, "periods"],
    ["SC-62", "in a unit that is not taken", { unit: "W" }, "unit"],
    [
      "SC-02] [SC-60",
      "as a ChargePointMaxProfile of one connector",
      { ...max, at: 1 },
      "charge-point-max-at-connector",
    ],
    ["SC-29", "when it does not begin with 0", { periods: "1:16" }, "first-period"],
    ["SC-29", "when its periods do not rise", { periods: "0:16 60:8 60:6" }, "rising-periods"],
    ["SC-30] [SC-31", "when nobody could say which period counts", { periods: "0:16 60:8 30:6" }, "rising-periods"],
    ["SC-30", "when it lasts less than nothing", { duration: -5 }, "duration"],
    [
      "SC-14",
      "when it is never valid",
      { validFrom: "2024-06-03T12:00:00Z", validTo: "2024-06-03T12:00:00Z" },
      "validity",
    ],
    ["SC-22", "when it allows less than nothing", { periods: "0:16 60:-1" }, "limits"],
    ["SC-38", "when it speaks of no phase", { periods: "0:16/0" }, "phases"],
    ["SC-38", "when it speaks of more phases than there are", { periods: "0:16 60:16/4" }, "phases"],
    ["SC-35", "when it is Recurring without a rhythm", { kind: "Recurring" }, "recurrency"],
    ["SC-35", "when it has a rhythm and is not Recurring", { recurrencyKind: "Daily" }, "recurrency"],
    ["SC-36", "when the whole would be relative to one transaction", { ...max, kind: "Relative" }, "start"],
    ["SC-36", "when the limit of the whole changes, and nobody knows when", { ...max, periods: "0:1 9:2" }, "start"],
  ])("[%s] %s", (_, __, profile, rule) => {
    const verdict = charging.set(profile.at ?? 1, like(profile));
    expect(verdict).toMatchObject({ status: "Refused", rule });
    expect(verdict).toHaveProperty("answer", rule === "unknown-connector" ? "PropertyConstraintViolation" : "Rejected");
    expect(verdict.profiles).toBe(charging);
  });

  test("[SC-62] when there are too many, unless it replaces one", () => {
    const full = having(none, { id: 1 }, { id: 2, level: 1 }, { id: 3, level: 2 });
    expect(full.set(1, like({ id: 4, level: 3 }))).toMatchObject({ status: "Refused", rule: "installed" });
    expect(idsOf(having(full, { id: 4, level: 2 }))).toEqual([1, 2, 4]);
    expect(idsOf(having(full, { id: 1, level: 3 }))).toEqual([1, 2, 3]);
  });

  test("as a Central System can know beforehand from the keys of the charger", () => {
    const charger = { numberOfConnectors: 2, chargeProfileMaxStackLevel: 3, chargingScheduleMaxPeriods: 3 };
    expect(profileRefusal(3, like({}), charger)).toMatchObject({ rule: "unknown-connector" });
    expect(profileRefusal(1, like({ level: 4 }), charger)).toMatchObject({ rule: "stack-level" });
    expect(profileRefusal(1, like({ level: 4 }))).toBeUndefined();
    expect(profileRefusal(1, like(tx), charger)).toBeUndefined();
  });

  test.each([0, -1, Number.NaN, 1e12])(
    "but not because a charger has %s connectors, whatever that means",
    (numberOfConnectors) => {
      expect(profileRefusal(1, like({}), { numberOfConnectors })).toBeUndefined();
    },
  );

  test("with an error of its own when it is no profile at all [SC-59]", () => {
    const nonsense = { ...like({}), stackLevel: -1 };
    expect(() => none.set(1, nonsense)).toThrow(PayloadError);
    expect(() => none.set(-1, like({}))).toThrow(PayloadError);
  });
});

describe("A profile replaces", () => {
  test("the one with its id, wherever that was [SC-16]", () => {
    const before = having(none, { id: 1, level: 2 });
    expect(having(before, { id: 1, at: 0, level: 0 }).installed).toEqual([
      { connectorId: 0, profile: like({ id: 1, level: 0 }) },
    ]);
  });

  test("the one with its purpose and level on its connector, and no other [SC-15]", () => {
    const before = having(none, { id: 1 }, { id: 2, at: 2 });
    const verdict = before.set(1, like({ id: 3 }));
    expect(verdict).toMatchObject({ replaced: [{ connectorId: 1, profile: like({ id: 1 }) }] });
    expect(idsOf(verdict.profiles)).toEqual([2, 3]);
    expect(idsOf(before)).toEqual([1, 2]);
  });

  test("at once, also when it is not valid yet [SC-17]", () => {
    const before = having(none, { id: 1, periods: "0:10" });
    const after = having(before, { id: 1, periods: "0:6", validFrom: "2024-06-03T13:00:00Z" });
    expect(limitAt(after, { connectorId: 1, at }).limit).toBe(32);
    expect(limitAt(after, { connectorId: 1, at: at + 3_600_000 }).limit).toBe(6);
  });

  test("keeps what it was given, whatever its owner does to the object", () => {
    const profile = like({ periods: "0:10" });
    const { profiles } = none.set(1, profile);
    (profile.chargingSchedule.chargingSchedulePeriod[0] as { limit: number }).limit = 0;
    expect(limitAt(profiles, { connectorId: 1, at }).limit).toBe(10);
  });
});

describe("A profile that never says anything again", () => {
  const hour = 3_600_000;
  const over = [
    ["is not valid any more", { validTo: "2024-06-03T13:00:00Z" }],
    ["has ended", { start: "2024-06-03T12:00:00Z", duration: 3600 }],
    [
      "has ended before it is valid",
      { start: "2024-06-03T12:00:00Z", duration: 3600, validFrom: "2024-06-03T14:00:00Z" },
    ],
  ] as const;

  test.each(over.slice(0, 1))("because it %s masks nothing [SC-05]", (_, more) => {
    const both = having(charging, { id: 1, at: 0, periods: "0:10" }, { id: 2, periods: "0:6", ...more });
    expect(limitAt(both, { connectorId: 1, at: at + hour - 1 }).limit).not.toBe(10);
    expect(limitAt(both, { connectorId: 1, at: at + hour }).limit).toBe(10);
    expect(limitAt(both, { connectorId: 1, at }).until).toBe(at + hour);
  });

  test.each(over)("because it %s makes room for another one, and not before [SC-62]", (_, more) => {
    const full = having(none, { id: 1, ...more }, { id: 2, level: 1 }, { id: 3, level: 2 });
    const fourth = like({ id: 4, level: 3 });
    expect(full.set(1, fourth, at + hour - 1)).toMatchObject({ rule: "installed" });
    const verdict = full.set(1, fourth, at + hour);
    expect(idsOf(verdict.profiles)).toEqual([2, 3, 4]);
    expect(verdict).toMatchObject({ replaced: [{ profile: { chargingProfileId: 1 } }] });
  });
});

describe("What is handed out", () => {
  test("cannot be written into, however deep [SC-56]", () => {
    const verdict = having(charging, { id: 1, periods: "0:6" }).set(1, like({ id: 1, periods: "0:8" }));
    const { profiles } = verdict;
    const [installed] = profiles.installed;
    const [replaced] = verdict.status === "Accepted" ? verdict.replaced : [];
    const [explained] = explain(profiles, { connectorId: 1, at }).profiles;
    for (const { profile } of [installed, replaced, explained] as InstalledProfile[]) {
      const [period] = profile.chargingSchedule.chargingSchedulePeriod as unknown as [{ limit: number }];
      expect(() => Object.assign(period, { limit: 99 })).toThrow(TypeError);
      expect(() => Object.assign(profile, { stackLevel: 99 })).toThrow(TypeError);
    }
    expect(() => (profiles.installed as InstalledProfile[]).pop()).toThrow(TypeError);
    expect(() => Object.assign(profiles.transaction(1) ?? {}, { startedAt: 0 })).toThrow(TypeError);
    expect(limitAt(profiles, { connectorId: 1, at }).limit).toBe(8);
  });
});

describe("What the charge point can deliver", () => {
  test("bounds each connector, too [SC-22] [SC-23]", () => {
    const fused = ChargingProfiles.none({ connectors: { 1: maximum, 2: maximum }, maximum: { limit: 20, unit: "A" } });
    expect([0, 1, 2].map((connectorId) => limitAt(fused, { connectorId, at }).limit)).toEqual([20, 20, 20]);
    expect(explain(fused, { connectorId: 1, at }).text).toBe("20 A: what the charge point can deliver");
  });
});

describe("Profiles are cleared", () => {
  const all = having(none, { id: 0, at: 0 }, { id: 1, level: 1 }, { id: 2, at: 2 });
  test.each<[string, string, Parameters<ChargingProfiles["clear"]>[0], readonly number[]]>([
    ["SC-72", "all, without a filter", {}, []],
    ["SC-74", "by id, whatever else is said", { id: 0, connectorId: 2, stackLevel: 3 }, [1, 2]],
    ["SC-73", "by all that is said", { stackLevel: 0, connectorId: 2 }, [0, 1]],
    ["SC-75", "on any connector, where none is said", { stackLevel: 0 }, [1]],
    ["SC-73", "of connector 0", { connectorId: 0 }, [1, 2]],
    ["SC-73", "by purpose", { chargingProfilePurpose: "TxDefaultProfile" }, []],
  ])("[%s] %s", (_, __, filter, left) => {
    const { status, profiles } = all.clear(filter);
    expect(status).toBe("Accepted");
    expect(idsOf(profiles)).toEqual(left);
  });

  test("or not, which is told [SC-76] [SC-77]", () => {
    expect(all.clear({ id: 5 })).toEqual({ status: "Unknown", profiles: all });
    expect(all.clear({ connectorId: 1, stackLevel: 0 }).status).toBe("Unknown");
    expect(none.clear().status).toBe("Unknown");
  });

  test("and what an own default has masked counts again [SC-05]", () => {
    const both = having(none, { id: 1, at: 0, periods: "0:16" }, { id: 2, periods: "0:10" });
    expect(limitAt(both, { connectorId: 1, at }).limit).toBe(10);
    expect(limitAt(both, { connectorId: 2, at }).limit).toBe(16);
    expect(limitAt(both.clear({ id: 2 }).profiles, { connectorId: 1, at }).limit).toBe(16);
  });
});

describe("A transaction", () => {
  test("takes a TxProfile that names it, or names none [SC-50] [SC-51]", () => {
    expect(idsOf(having(charging, { purpose: "TxProfile", transactionId: 7 }))).toEqual([1]);
    expect(idsOf(having(charging, { purpose: "TxProfile" }))).toEqual([1]);
    const unknown = none.startedTransaction(1, { startedAt: at });
    expect(unknown.set(1, like({ purpose: "TxProfile", transactionId: 7 }))).toMatchObject({
      rule: "other-transaction",
    });
    const known = unknown.startedTransaction(1, { startedAt: at, transactionId: 7 });
    expect(known.set(1, like({ purpose: "TxProfile", transactionId: 7 }))).toMatchObject({ status: "Accepted" });
  });

  test("goes on under a default that comes, and without one that goes [SC-07] [SC-10] [SC-11]", () => {
    const under = having(charging, { id: 1, periods: "0:10" });
    expect(limitAt(under, { connectorId: 1, at }).limit).toBe(10);
    const own = having(under, { id: 2, purpose: "TxProfile", periods: "0:20" });
    expect(limitAt(own, { connectorId: 1, at }).limit).toBe(20);
    expect(limitAt(own.clear({ id: 1 }).profiles, { connectorId: 1, at }).limit).toBe(20);
    expect(limitAt(own.clear().profiles, { connectorId: 1, at }).limit).toBe(32);
  });

  test("has none of the TxProfiles of the one before, which had another id [SC-07] [SC-08]", () => {
    const first = having(charging, { id: 1 }, { id: 2, purpose: "TxProfile", transactionId: 7, periods: "0:20" });
    expect(idsOf(first.startedTransaction(1, { startedAt: at, transactionId: 7 }))).toEqual([1, 2]);
    expect(idsOf(first.startedTransaction(1, { startedAt: at, transactionId: 8 }))).toEqual([1]);
    expect(idsOf(first.startedTransaction(1, { startedAt: at }))).toEqual([1]);
  });

  test("takes its TxProfiles with it, and nothing else [SC-08]", () => {
    const all = having(charging, { id: 1 }, { id: 2, purpose: "TxProfile", periods: "0:6" });
    const ended = all.endedTransaction(1);
    expect(idsOf(ended)).toEqual([1]);
    expect(ended.transaction(1)).toBeUndefined();
    expect(idsOf(all)).toEqual([1, 2]);
  });
});

test.each<[string, object]>([
  ["no connectors", { connectors: {} }],
  ["a connector 0", { connectors: { 0: maximum } }],
  ["a limit without a unit", { connectors: { 1: { limit: 32 } } }],
  ["NaN", { connectors: { 1: { limit: Number.NaN, unit: "A" } } }],
  ["phases that there are not", { connectors: { 1: { ...maximum, numberPhases: 0 } } }],
  ["a voltage of 0", { connectors: { 1: maximum }, voltage: 0 }],
  ["a unit that is none", { connectors: { 1: maximum }, chargingScheduleAllowedChargingRateUnit: ["A"] }],
])("Options with %s are no options", (_, options) => {
  expect(() => ChargingProfiles.none(options as never)).toThrow(TypeError);
});
