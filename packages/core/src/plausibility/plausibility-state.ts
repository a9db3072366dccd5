/** What is remembered of one transaction: plain JSON, in which an absent property is something that nobody knows. */
export interface RememberedTransaction {
  /** Tells a repeated StartTransaction from another one. */
  readonly startKey: string;
  /** Never -1. Absent: none was given. */
  transactionId?: number;
  readonly idTag: string;
  /** The group of the idTag; empty where it is in none, absent where nobody has said. `null` was once told in place of that. */
  parentIdTag?: string | null;
  /** Milliseconds since the epoch, as all times here. */
  readonly startedAt?: number;
  /** In Wh, as all registers here. */
  readonly meterStart: number;
  /** What the register has reached for certain, by samples of any moment. */
  sampled: number;
  /** The same by clock-aligned values, whose time is the beginning of their interval. */
  aligned: number;
  /** The times of the latest of both. */
  sampledAt?: number;
  alignedAt?: number;
  /** Whether it runs, as far as it is known: it has not ended, and nothing says that its end was lost. */
  runs: boolean;
  stoppedAt?: number;
  meterStop?: number;
}

/** Between these moments another meter was installed, once or more often. */
export interface MeterExchange {
  readonly after: number;
  readonly before: number;
}

/** What a `Plausibility` remembers of its Charge Point: plain JSON, to be kept and given back as it is. */
export interface PlausibilityState {
  /** What the last BootNotification said of the meter; absent before the first. */
  readonly meter?: string | undefined;
  /** All exchanges of the meter; absent before the first. */
  readonly exchange?: MeterExchange | undefined;
  /** The latest transactions of each connector, the oldest first. */
  readonly connectors: readonly (readonly [connectorId: number, transactions: readonly RememberedTransaction[]])[];
}

type Check = (value: unknown) => boolean;

const isNumber: Check = Number.isFinite;
const isText: Check = (value) => typeof value === "string";
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** A check for each property, so that the compiler insists on all of them. */
const checks: { readonly [Name in keyof RememberedTransaction]-?: Check } = {
  startKey: isText,
  transactionId: optional(isNumber),
  idTag: isText,
  parentIdTag: optional((value) => value === null || isText(value)),
  startedAt: optional(isNumber),
  meterStart: isNumber,
  sampled: isNumber,
  aligned: isNumber,
  sampledAt: optional(isNumber),
  alignedAt: optional(isNumber),
  runs: (value) => typeof value === "boolean",
  stoppedAt: optional(isNumber),
  meterStop: optional(isNumber),
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const isTransaction: Check = (value) =>
  isRecord(value) && Object.entries(checks).every(([name, check]) => check(value[name]));

const isExchange: Check = (value) => isRecord(value) && isNumber(value.after) && isNumber(value.before);

const isConnector: Check = (value) =>
  Array.isArray(value) && isNumber(value[0]) && Array.isArray(value[1]) && value[1].every(isTransaction);

/** Whether something that was kept is a state. */
export function isPlausibilityState(value: unknown): value is PlausibilityState {
  if (!isRecord(value) || !optional(isText)(value.meter) || !optional(isExchange)(value.exchange)) return false;
  return Array.isArray(value.connectors) && value.connectors.every(isConnector);
}

/** A copy that shares nothing with the original. */
export const copyOfState = (state: PlausibilityState): PlausibilityState => JSON.parse(JSON.stringify(state));
