import { describe, expect, test } from "vitest";
import { ChargingProfiles, type ChargingProfilesOptions, explain, limitAt } from "../../src/index.ts";
import { inFull, type ProfileInShort } from "./worked-examples.ts";

const at = Date.parse("2024-06-03T12:00:00Z");
const maximum = { limit: 32, unit: "A" } as const;

/** What is installed, one after the other, while a transaction runs on connector 1. */
function having(all: readonly Partial<ProfileInShort>[], options: Partial<ChargingProfilesOptions> = {}) {
  const none = ChargingProfiles.none({ connectors: { 1: maximum, 2: maximum }, ...options });
  return all.reduce<ChargingProfiles>(
    (before, more) => {
      const each = { at: 1, id: 1, purpose: "TxDefaultProfile", kind: "Absolute", periods: "0:16", ...more } as const;
      const verdict = before.set(each.at, inFull(each));
      expect(verdict).toMatchObject({ status: "Accepted" });
      return verdict.profiles;
    },
    none.startedTransaction(1, { startedAt: at }),
  );
}

const why = (profiles: ChargingProfiles, connectorId = 1) => {
  const { profiles: explained, text } = explain(profiles, { connectorId, at });
  return [text, ...explained.map(({ profile, standing }) => `${profile.chargingProfileId} ${standing}`)];
};

describe("A limit is explained", () => {
  test("by the hardware, where no profile says anything [SC-26]", () => {
    expect(why(having([]))).toEqual(["32 A: what the connector can deliver"]);
    expect(why(having([{ start: "2024-06-03T13:00:00Z" }]))).toEqual([
      "32 A until 2024-06-03T13:00:00.000Z: what the connector can deliver; " +
        "without a word from profile 1 (TxDefaultProfile, level 0)",
      "1 silent",
    ]);
  });

  test("by the profile that wins, and by each that does not, with the reason [SC-07] [SC-14] [SC-21]", () => {
    const profiles = having([
      { id: 1, purpose: "TxProfile", periods: "0:6", duration: 3600, start: "2024-06-03T12:00:00Z" },
      { id: 2, at: 0, purpose: "ChargePointMaxProfile", periods: "0:20" },
      { id: 3, level: 1, kind: "Recurring", recurrencyKind: "Daily", start: "2024-01-01T00:00:00Z", periods: "0:10" },
      { id: 4, at: 0, level: 1, periods: "0:12" },
      { id: 5, validTo: "2024-01-01T00:00:00Z" },
    ]);
    expect(why(profiles)).toEqual([
      "6 A until 2024-06-03T13:00:00.000Z: profile 1 (TxProfile, level 0, 6 A); " +
        "less than profile 2 (ChargePointMaxProfile, level 0, 20 A); " +
        "over profile 3 (TxDefaultProfile, level 1, Daily, 10 A); " +
        "instead of profile 4 (TxDefaultProfile, level 1, 12 A); " +
        "without a word from profile 5 (TxDefaultProfile, level 0)",
      "1 wins",
      "2 higher",
      "3 overruled",
      "4 masked",
      "5 silent",
    ]);
  });

  test("by one of those that allow the same, and the others are as much [SC-21]", () => {
    const profiles = having([{ periods: "0:10" }, { id: 2, at: 0, purpose: "ChargePointMaxProfile", periods: "0:10" }]);
    expect(why(profiles)).toEqual([
      "10 A: profile 1 (TxDefaultProfile, level 0, 10 A); as much as profile 2 (ChargePointMaxProfile, level 0, 10 A)",
      "1 wins",
      "2 equal",
    ]);
  });

  test("until it is another one, and not until something is said that changes nothing [SC-21]", () => {
    const start = "2024-06-03T12:00:00Z";
    const whole = { id: 2, at: 0, purpose: "ChargePointMaxProfile", start, periods: "0:32 600:31 1200:4" } as const;
    const profiles = having([{ periods: "0:6" }, whole]);
    expect(limitAt(profiles, { connectorId: 1, at })).toMatchObject({ limit: 6, until: at + 1_200_000 });
    expect(why(profiles)[0]).toContain("6 A until 2024-06-03T12:20:00.000Z");
  });

  test("by the hardware, where that is the least although a profile prevails [SC-22] [SC-82]", () => {
    const profiles = having([{ periods: "0:40" }]);
    expect(why(profiles)).toEqual([
      "32 A: what the connector can deliver; less than profile 1 (TxDefaultProfile, level 0, 40 A)",
      "1 higher",
    ]);
  });

  test("for the charge point by its connectors, by its profile, or by what it can deliver itself [SC-23] [SC-83]", () => {
    const whole = { id: 2, at: 0, purpose: "ChargePointMaxProfile" } as const;
    const connectors = "(connector 1: 16 A, connector 2: 32 A)";
    expect(why(having([{}]), 0)).toEqual([`48 A: what its connectors may draw together ${connectors}`]);
    expect(why(having([{}, { ...whole, periods: "0:60" }]), 0)).toEqual([
      `48 A: what its connectors may draw together; less than profile 2 (ChargePointMaxProfile, level 0, 60 A) ${connectors}`,
      "2 higher",
    ]);
    expect(why(having([{}, { ...whole, periods: "0:35" }]), 0)).toEqual([
      `35 A: profile 2 (ChargePointMaxProfile, level 0, 35 A) ${connectors}`,
      "2 wins",
    ]);
    const weak = { maximum: { limit: 40, unit: "A" } } as const;
    expect(why(having([{}, { ...whole, periods: "0:45" }], weak), 0)).toEqual([
      `40 A: what the charge point can deliver; less than profile 2 (ChargePointMaxProfile, level 0, 45 A) ${connectors}`,
      "2 higher",
    ]);
  });
});
