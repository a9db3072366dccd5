import type { ChargingProfile, ChargingRateUnit } from "../../src/index.ts";

/** A profile in few words: `periods` are `start:limit`, or `start:limit/phases`. */
export interface ProfileInShort {
  /** The connector that it is set at. */
  readonly at: number;
  readonly id: number;
  readonly purpose: ChargingProfile["chargingProfilePurpose"];
  readonly kind: ChargingProfile["chargingProfileKind"];
  /** The stack level. Default 0. */
  readonly level?: number;
  readonly recurrencyKind?: "Daily" | "Weekly";
  readonly transactionId?: number;
  readonly validFrom?: string;
  readonly validTo?: string;
  readonly start?: string;
  readonly duration?: number;
  /** Default A. */
  readonly unit?: ChargingRateUnit;
  readonly periods: string;
  readonly minChargingRate?: number;
}

/** A set of profiles, and the composite schedule that it makes. */
export interface WorkedExample {
  readonly name: string;
  readonly what: string;
  readonly asked: {
    readonly connectorId: number;
    readonly from: string;
    readonly durationSeconds: number;
    readonly unit: ChargingRateUnit;
  };
  /** When transaction 7 began, by connector. */
  readonly charging: Readonly<Record<number, string>>;
  readonly profiles: readonly ProfileInShort[];
  readonly expected: string;
}

/** Periods as they stand in a schedule. */
export function periodsOf(text: string): ChargingProfile["chargingSchedule"]["chargingSchedulePeriod"] {
  return text.split(" ").map((period) => {
    const [startPeriod, limit, numberPhases] = period.split(/[:/]/).map(Number) as [number, number, number?];
    return { startPeriod, limit, ...(numberPhases !== undefined && { numberPhases }) };
  });
}

/** The profile in full. */
export function inFull({
  id,
  purpose,
  kind,
  level = 0,
  start,
  duration,
  unit = "A",
  periods,
  minChargingRate,
  at: _,
  ...rest
}: ProfileInShort): ChargingProfile {
  return {
    chargingProfileId: id,
    stackLevel: level,
    chargingProfilePurpose: purpose,
    chargingProfileKind: kind,
    ...rest,
    chargingSchedule: {
      chargingRateUnit: unit,
      chargingSchedulePeriod: periodsOf(periods),
      ...(start !== undefined && { startSchedule: start }),
      ...(duration !== undefined && { duration }),
      ...(minChargingRate !== undefined && { minChargingRate }),
    },
  };
}

/** Two connectors of 48 A, 230 V, three phases. */
export const workedExamples: readonly WorkedExample[] = [
  {
    name: "W1",
    what: "\u00a73.13.7, no tx yet, 06:00 next day, 24 h, W [SC-46]",
    asked: { connectorId: 1, from: "2013-01-02T06:00:00Z", durationSeconds: 86400, unit: "W" },
    charging: { 1: "2013-01-02T06:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 1,
        purpose: "TxDefaultProfile",
        kind: "Recurring",
        recurrencyKind: "Daily",
        start: "2013-01-01T00:00:00Z",
        duration: 86400,
        unit: "W",
        periods: "0:11000/3 28800:6000/3 72000:11000/3",
      },
    ],
    expected: "0:11000/3 7200:6000/3 50400:11000/3",
  },
  {
    name: "W2",
    what: "stack with duration then fall back (SC-20,33)",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 3600, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      { at: 1, id: 2, purpose: "TxDefaultProfile", kind: "Absolute", start: "2024-06-03T12:00:00Z", periods: "0:16" },
      {
        at: 1,
        id: 3,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        level: 1,
        start: "2024-06-03T12:00:00Z",
        duration: 1200,
        periods: "0:10 600:20",
      },
    ],
    expected: "0:10 600:20 1200:16",
  },
  {
    name: "W3",
    what: "stack without duration never falls back",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 3600, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 1,
        id: 4,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:16 1800:12",
      },
      {
        at: 1,
        id: 5,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        level: 1,
        start: "2024-06-03T12:00:00Z",
        periods: "0:10 600:20",
      },
    ],
    expected: "0:10 600:20",
  },
  {
    name: "W4",
    what: "higher level begins before lower's next period",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 3600, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 1,
        id: 6,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:16 1800:12",
      },
      {
        at: 1,
        id: 7,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        level: 1,
        start: "2024-06-03T12:10:00Z",
        duration: 600,
        periods: "0:6",
      },
    ],
    expected: "0:16 600:6 1200:16 1800:12",
  },
  {
    name: "W5",
    what: "validTo ends inside the window; validFrom begins",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 3600, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      { at: 1, id: 8, purpose: "TxDefaultProfile", kind: "Absolute", start: "2024-06-03T12:00:00Z", periods: "0:16" },
      {
        at: 1,
        id: 9,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        level: 1,
        validFrom: "2024-06-03T12:10:00Z",
        validTo: "2024-06-03T12:20:00Z",
        start: "2024-06-03T12:00:00Z",
        periods: "0:6 900:8",
      },
    ],
    expected: "0:16 600:6 900:8 1200:16",
  },
  {
    name: "W6",
    what: "Weekly across boundary",
    asked: { connectorId: 1, from: "2024-06-09T23:00:00Z", durationSeconds: 14400, unit: "A" },
    charging: { 1: "2024-06-09T23:00:00Z" },
    profiles: [
      {
        at: 1,
        id: 10,
        purpose: "TxDefaultProfile",
        kind: "Recurring",
        recurrencyKind: "Weekly",
        start: "2024-06-03T00:00:00Z",
        duration: 604800,
        periods: "0:10 3600:14 604000:6",
      },
    ],
    expected: "0:14 2800:6 3600:10 7200:14",
  },
  {
    name: "W7",
    what: "Daily, duration 8 h: gap until next recurrence, lower level fills",
    asked: { connectorId: 1, from: "2024-06-03T06:00:00Z", durationSeconds: 86400, unit: "A" },
    charging: { 1: "2024-06-03T06:00:00Z" },
    profiles: [
      { at: 1, id: 11, purpose: "TxDefaultProfile", kind: "Absolute", start: "2024-06-01T00:00:00Z", periods: "0:16" },
      {
        at: 1,
        id: 12,
        purpose: "TxDefaultProfile",
        kind: "Recurring",
        level: 2,
        recurrencyKind: "Daily",
        start: "2024-06-01T00:00:00Z",
        duration: 28800,
        periods: "0:8 14400:10",
      },
    ],
    expected: "0:10 7200:16 64800:8 79200:10",
  },
  {
    name: "W8",
    what: "Daily whose periods/duration go beyond 86400 (SC-32)",
    asked: { connectorId: 1, from: "2024-06-03T22:00:00Z", durationSeconds: 14400, unit: "A" },
    charging: { 1: "2024-06-03T22:00:00Z" },
    profiles: [
      {
        at: 1,
        id: 13,
        purpose: "TxDefaultProfile",
        kind: "Recurring",
        recurrencyKind: "Daily",
        start: "2024-06-01T00:00:00Z",
        duration: 172800,
        periods: "0:8 82800:10 90000:20",
      },
    ],
    expected: "0:8 3600:10 7200:8",
  },
  {
    name: "W9",
    what: "Relative TxProfile 10 min into tx over TxDefault, ends after duration, falls to TxDefault",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 3600, unit: "A" },
    charging: { 1: "2024-06-03T11:50:00Z" },
    profiles: [
      { at: 0, id: 14, purpose: "TxDefaultProfile", kind: "Absolute", start: "2024-06-03T00:00:00Z", periods: "0:16" },
      {
        at: 1,
        id: 15,
        purpose: "TxProfile",
        kind: "Relative",
        transactionId: 7,
        duration: 2700,
        periods: "0:6 900:10 1800:12",
      },
    ],
    expected: "0:6 300:10 1200:12 2100:16",
  },
  {
    name: "W10",
    what: "CPM min TxDefault",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 3600, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 16,
        purpose: "ChargePointMaxProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:20 1200:10 2400:32",
      },
      {
        at: 0,
        id: 17,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:16 1800:8",
      },
    ],
    expected: "0:16 1200:10 1800:8",
  },
  {
    name: "W11",
    what: "connector 0: 2x10 A, CPM 32 -> 20, then 16+16 -> 32 -> min 25",
    asked: { connectorId: 0, from: "2024-06-03T12:00:00Z", durationSeconds: 3600, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z", 2: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 18,
        purpose: "ChargePointMaxProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:32 2400:25",
      },
      {
        at: 0,
        id: 19,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:10 1800:16",
      },
    ],
    expected: "0:20 1800:32 2400:25",
  },
  {
    name: "W12a",
    what: "mixed units; CPM 11 kW 3ph, TxDefault 1 ph 20 A; ask W and A",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 1800, unit: "W" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 20,
        purpose: "ChargePointMaxProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        unit: "W",
        periods: "0:11040/3 900:3680/3",
      },
      {
        at: 0,
        id: 21,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:20/3",
      },
    ],
    expected: "0:11040/3 900:3680/3",
  },
  {
    name: "W12b",
    what: "same asked in A",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 1800, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 22,
        purpose: "ChargePointMaxProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        unit: "W",
        periods: "0:11040/3 900:3680/3",
      },
      {
        at: 0,
        id: 23,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:20/3",
      },
    ],
    expected: "0:16/3 900:5.3/3",
  },
  {
    name: "W12c",
    what: "1-phase TxDefault 20A, CPM 11 kW 3ph, asked in A",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 1800, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 24,
        purpose: "ChargePointMaxProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        unit: "W",
        periods: "0:11040/3 900:3680/3",
      },
      {
        at: 0,
        id: 25,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:20/1",
      },
    ],
    expected: "0:20/1 900:16/1",
  },
  {
    name: "W13a",
    what: "own TxDefault L0 of connector 1 replaces connector 0's; connector 1",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 1800, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z", 2: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 26,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:16 600:12",
      },
      {
        at: 1,
        id: 27,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        duration: 900,
        periods: "0:10",
      },
    ],
    expected: "0:10 900:48",
  },
  {
    name: "W13b",
    what: "\u2026 connector 2",
    asked: { connectorId: 2, from: "2024-06-03T12:00:00Z", durationSeconds: 1800, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z", 2: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 28,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:16 600:12",
      },
      {
        at: 1,
        id: 29,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        duration: 900,
        periods: "0:10",
      },
    ],
    expected: "0:16 600:12",
  },
  {
    name: "W14",
    what: "minChargingRate 8 with limit 6",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 600, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 1,
        id: 30,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        periods: "0:6",
        minChargingRate: 8,
      },
    ],
    expected: "0:6",
  },
  {
    name: "W15",
    what: "OCTT TC_066",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 400, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 31,
        purpose: "ChargePointMaxProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        duration: 86400,
        periods: "0:10",
      },
      {
        at: 0,
        id: 32,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        start: "2024-06-03T12:00:00Z",
        duration: 400,
        periods: "0:6 260:8 300:16",
      },
      {
        at: 1,
        id: 33,
        purpose: "TxProfile",
        kind: "Absolute",
        transactionId: 7,
        start: "2024-06-03T12:00:00Z",
        duration: 260,
        periods: "0:8 50:11 140:16 200:6 240:12",
      },
    ],
    expected: "0:8 50:10 200:6 240:10 260:8 300:10",
  },
  {
    name: "W16",
    what: "Absolute without startSchedule, tx began 10 min ago",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 1800, unit: "A" },
    charging: { 1: "2024-06-03T11:50:00Z" },
    profiles: [
      {
        at: 1,
        id: 42,
        purpose: "TxProfile",
        kind: "Absolute",
        transactionId: 7,
        duration: 1800,
        periods: "0:6 900:10",
      },
    ],
    expected: "0:6 300:10 1200:48",
  },
  {
    name: "W17",
    what: "TxProfile L3 starts later in window, L1 TxProfile below, default beneath",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 3600, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 0,
        id: 39,
        purpose: "TxDefaultProfile",
        kind: "Absolute",
        level: 5,
        start: "2024-06-03T12:00:00Z",
        periods: "0:32",
      },
      {
        at: 1,
        id: 40,
        purpose: "TxProfile",
        kind: "Absolute",
        level: 1,
        transactionId: 7,
        start: "2024-06-03T12:00:00Z",
        duration: 2400,
        periods: "0:16",
      },
      {
        at: 1,
        id: 41,
        purpose: "TxProfile",
        kind: "Absolute",
        level: 3,
        transactionId: 7,
        start: "2024-06-03T12:20:00Z",
        duration: 600,
        periods: "0:8",
      },
    ],
    expected: "0:16 1200:8 1800:16 2400:32",
  },
  {
    name: "W18",
    what: "limit 0 = pause, then 6",
    asked: { connectorId: 1, from: "2024-06-03T12:00:00Z", durationSeconds: 600, unit: "A" },
    charging: { 1: "2024-06-03T12:00:00Z" },
    profiles: [
      {
        at: 1,
        id: 38,
        purpose: "TxProfile",
        kind: "Absolute",
        transactionId: 7,
        start: "2024-06-03T12:00:00Z",
        periods: "0:0 300:6.5",
      },
    ],
    expected: "0:0 300:6.5",
  },
];
