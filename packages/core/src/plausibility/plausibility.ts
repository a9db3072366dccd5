/*
 * Whether the transactions of a Charge Point can have been as it says. Nobody is accused of what is legitimate: false
 * alarms are how such checks end. So whatever can be told in two ways counts as the better one, and what is not known
 * counts for nothing:
 *
 * - The same message again is a repetition: its answer was lost. [CORE-TXQ-15, Q14]
 * - An end that fits no transaction, with the id -1 or one of the Charge Point's own making, may be that of any that runs:
 *   from then on none of them is known to run. [CORE-TXQ-12, Q12]
 * - One id may be that of several transactions: then a message is about the one that it fits.
 * - Without `parentIdTag` nobody has said which group an idTag is in. An empty one says that it is in none.
 * - Readings are compared with what was measured before them, never with what merely arrived before them.
 * - A register that was rounded, or told with few digits, may be anywhere within that. Meters that begin each transaction
 *   at 0 are not compared with the last one.
 * - Another meter, which BootNotification shows, may have been installed at any moment since the Charge Point was last heard
 *   of: what it queued meanwhile comes after the BootNotification, of the old meter and of the new one.
 * - Clocks are set now and then: `clockToleranceMs`.
 *
 * What was found is told once: the present message becomes what later ones are compared with. Only the end of a transaction
 * is compared with its start whatever was found in between, because the bill is made of both.
 */

import { sameGroup } from "../authorization/authorize.ts";
import { sameIdTag } from "../authorization/id-tag.ts";
import { putLatest } from "../bounded.ts";
import { transactionMessageKey } from "../central-system/transaction-message-key.ts";
import type { Conf, Req } from "../messages/actions.ts";
import { type OptionRules, optionRules, takeOptions } from "../options.ts";
import {
  copyOfState,
  isPlausibilityState,
  type MeterExchange,
  type PlausibilityState,
  type RememberedTransaction,
} from "./plausibility-state.ts";
import { billedRegister, type Register, registerAt } from "./register.ts";
import { Found, type Suspect } from "./suspect.ts";

/** Settings of {@link Plausibility}. */
export interface PlausibilityOptions {
  /** What another instance remembered of the same Charge Point. Default: nothing. */
  readonly state?: PlausibilityState | undefined;
  /** How wrong the clock of the Charge Point may be, in milliseconds. Default 120 000. */
  readonly clockToleranceMs?: number | undefined;
}

const rules: OptionRules<PlausibilityOptions> = {
  state: { give: "what `state` of another instance was, or nothing to begin anew", takes: isPlausibilityState },
  clockToleranceMs: optionRules.number("a number of milliseconds from 0 on", 0),
};

/** Of so many connectors the latest transactions are remembered; the one that was silent longest goes first. */
const maxConnectors = 256;
const maxTransactions = 4;

/** OCPP 1.6 is of October 2015: what is earlier was timed by a clock that was never set. */
const beginning = Date.UTC(2015, 9);

/** The longest interval of clock-aligned values, which have the time at which it begins. [CORE-MTR-05, CORE-MTR-07] */
const dayMs = 86_400_000;

/** How readings are taken, each kind compared with itself. */
type ReadingKind = "sampled" | "aligned";

/** How long after its time the register of a reading may have been read. */
const longestMs: Readonly<Record<ReadingKind, number>> = { sampled: 0, aligned: dayMs };

interface Reading {
  readonly register: Register;
  readonly time: number;
}

/**
 * Looks at the transactions of one Charge Point, message by message in the order of their arrival, for what cannot be
 * right about a bill. It never throws, keeps no answer from anybody, and remembers the last four transactions of each
 * connector. Billing, a Central System and whoever reads logs use the same rules.
 *
 * Payloads are those that have been validated; all moments `now` are in milliseconds since the epoch.
 *
 * @spec OCPP 1.6 §3.7, §3.16, §4.7, §4.8, §4.10, §7.31 [CORE-MV-07, CORE-MTR-15, CORE-START-10, CORE-STOP-14, CORE-AUTH-09]
 */
export class Plausibility {
  readonly #clockToleranceMs: number;
  /** The one that was silent longest comes first. */
  readonly #connectors: Map<number, RememberedTransaction[]>;
  #meter: string | undefined;
  #exchange: MeterExchange | undefined;

  /** @throws TypeError One of the options is not what it may be, or there is no such option. */
  constructor(options: PlausibilityOptions = {}) {
    const { clockToleranceMs = 120_000, state } = takeOptions("Plausibility", options, rules);
    const { connectors, exchange, meter }: PlausibilityState =
      state === undefined ? { connectors: [] } : copyOfState(state);
    this.#clockToleranceMs = clockToleranceMs;
    this.#connectors = new Map(connectors.map(([id, transactions]) => [id, [...transactions]]));
    this.#exchange = exchange;
    this.#meter = meter;
  }

  /** What it remembers, as a copy: keep it beside what you keep of the transactions themselves. */
  get state(): PlausibilityState {
    return copyOfState({ connectors: [...this.#connectors], exchange: this.#exchange, meter: this.#meter });
  }

  /**
   * Takes a BootNotification: another meter, or another charger, begins with another register. One that tells no serial
   * number at all may be another one each time.
   */
  booted(req: Req<"BootNotification">, now: number): void {
    const { chargePointSerialNumber, chargeBoxSerialNumber, meterSerialNumber } = req;
    const serialNumbers = [chargePointSerialNumber, chargeBoxSerialNumber, meterSerialNumber];
    const meter = JSON.stringify([...serialNumbers, req.meterType, req.chargePointVendor, req.chargePointModel]);
    if (this.#meter !== meter || !serialNumbers.some(Boolean)) {
      const heardAt = [...this.#connectors.values()].flat().flatMap(momentsOf);
      // A transaction may outlive several exchanges, so what lies between them is not compared either.
      const after = this.#exchange?.after ?? Math.min(now, Math.max(beginning, ...heardAt));
      this.#exchange = { after, before: now };
    }
    this.#meter = meter;
  }

  /**
   * Takes a StartTransaction and its answer.
   *
   * @param conf - Absent: it was not answered.
   */
  started(req: Req<"StartTransaction">, conf: Conf<"StartTransaction"> | undefined, now: number): readonly Suspect[] {
    const { connectorId, idTag, meterStart, timestamp } = req;
    const transactionId = givenBy(conf);
    const found = new Found(connectorId, transactionId);
    const startKey = transactionMessageKey("", "StartTransaction", req);
    const earlier = this.#of(connectorId);
    const repeated = earlier.find((transaction) => transaction.startKey === startKey);
    if (repeated !== undefined) {
      const hasOther = repeated.transactionId !== undefined && transactionId !== repeated.transactionId;
      if (transactionId !== undefined && hasOther) found.tell("start-repeated");
      setOrForget(repeated, "transactionId", transactionId ?? repeated.transactionId);
      setOrForget(repeated, "parentIdTag", conf?.idTagInfo.parentIdTag ?? repeated.parentIdTag);
      return found.suspects;
    }

    const startedAt = timeOf(timestamp);
    const last = earlier.at(-1);
    this.#expectPast(startedAt, now, found);
    if (last?.runs) found.tell("start-while-running");
    if (this.#isBefore(startedAt, last?.stoppedAt ?? last?.startedAt ?? beginning)) found.tell("time-before-last");
    // CORE-MTR-16: some meters begin each transaction at 0.
    const isRebased = meterStart === 0 && last?.meterStart === 0;
    const register = registerAt(meterStart);
    const isComparable = !isRebased && this.#isOneMeter(last?.stoppedAt ?? last?.startedAt, startedAt);
    if (last !== undefined && isComparable && falls(register, last)) found.tell("register-below-last");

    for (const transaction of earlier) transaction.runs = false;
    earlier.push({
      startKey,
      ...(transactionId !== undefined && { transactionId }),
      idTag,
      ...(conf?.idTagInfo.parentIdTag !== undefined && { parentIdTag: conf.idTagInfo.parentIdTag }),
      ...(startedAt !== undefined && { startedAt }),
      meterStart,
      ...reaching(meterStart),
      runs: true,
    });
    if (earlier.length > maxTransactions) earlier.shift();
    return found.suspects;
  }

  /** Takes MeterValues. Those that name no transaction, or none that is remembered, and those of connector 0 are not judged. */
  measured({ connectorId, meterValue, transactionId }: Req<"MeterValues">, now: number): readonly Suspect[] {
    const transactions = this.#withId(transactionId);
    if (connectorId === 0 || transactions.length === 0) return [];
    const here = transactions.filter((transaction) => this.#connectorOf(transaction) === connectorId);
    const read = (transaction: RememberedTransaction): Found => {
      const found = new Found(connectorId, transactionId);
      this.#read(transaction, meterValue, now, found);
      return found;
    };
    // Of several with this id it is of the one that it fits.
    const fits = here.find((transaction) => read({ ...transaction }).suspects.length === 0) ?? here[0];
    if (fits !== undefined) return read(fits).suspects;
    const found = new Found(connectorId, transactionId);
    if (!meterValue.some(({ timestamp }) => this.#isForgotten(connectorId, timestamp))) found.tell("reading-outside");
    return found.suspects;
  }

  /**
   * Takes a StopTransaction and its answer.
   *
   * @param conf - Absent: it was not answered.
   */
  stopped(req: Req<"StopTransaction">, conf: Conf<"StopTransaction"> | undefined, now: number): readonly Suspect[] {
    const transactions = this.#withId(req.transactionId);
    const judge = (transaction: RememberedTransaction): Found => this.#stop(transaction, req, conf, now);
    const fitting = transactions.filter((transaction) => judge({ ...transaction }).suspects.length === 0);
    const [only = transactions[0]] = fitting;
    if (only !== undefined && fitting.length <= 1) return judge(only).suspects;
    // It may be the end of any of them, or said again; or of any at all.
    const possible = fitting.length > 0 ? fitting : [...this.#connectors.values()].flat();
    for (const transaction of possible) transaction.runs = false;
    const found = new Found(undefined, req.transactionId);
    this.#expectPast(timeOf(req.timestamp), now, found);
    return found.suspects;
  }

  /** Takes the end of a transaction, or of one that has ended. */
  #stop(
    transaction: RememberedTransaction,
    req: Req<"StopTransaction">,
    conf: Conf<"StopTransaction"> | undefined,
    now: number,
  ): Found {
    const { meterStop, timestamp, transactionData = [], transactionId } = req;
    const found = new Found(this.#connectorOf(transaction), transactionId);
    const stoppedAt = timeOf(timestamp);
    this.#expectPast(stoppedAt, now, found);
    if (transaction.meterStop !== undefined) {
      if (transaction.meterStop !== meterStop) found.tell("stop-repeated");
      return found;
    }

    if (this.#isBefore(stoppedAt, transaction.startedAt)) found.tell("stop-before-start");
    if (this.#isBefore(stoppedAt, transaction.sampledAt)) found.tell("reading-outside");
    // What has been told before, or not at all: it is compared with itself, from the start on.
    const { sampledAt: _, alignedAt: __, ...unread } = transaction;
    const retold = { ...unread, ...reaching(transaction.meterStart), ...(stoppedAt !== undefined && { stoppedAt }) };
    this.#read(retold, transactionData, now, found);
    const end = registerAt(meterStop);
    const hasFallen = falls(end, transaction) || falls(end, retold);
    if (hasFallen && this.#isOneMeter(transaction.startedAt, stoppedAt)) found.tell("register-falls");
    if (isByOther(transaction, req, conf)) found.tell("stop-by-other");

    transaction.runs = false;
    transaction.meterStop = meterStop;
    Object.assign(transaction, reaching(meterStop));
    setOrForget(transaction, "stoppedAt", stoppedAt);
    return found;
  }

  /** Takes readings of a transaction. */
  #read(
    transaction: RememberedTransaction,
    meterValue: Req<"MeterValues">["meterValue"],
    now: number,
    found: Found,
  ): void {
    const readings: Record<ReadingKind, Reading[]> = { sampled: [], aligned: [] };
    for (const { sampledValue, timestamp } of meterValue) {
      const time = timeOf(timestamp);
      this.#expectPast(time, now, found);
      for (const value of sampledValue) {
        const kind = value.context === "Sample.Clock" ? "aligned" : "sampled";
        const begin = (transaction.startedAt ?? Number.NaN) - longestMs[kind];
        if (this.#isBefore(time, begin) || this.#isBefore(transaction.stoppedAt, time)) found.tell("reading-outside");
        const register = billedRegister(value);
        if (register !== undefined && time !== undefined) readings[kind].push({ register, time });
      }
    }
    for (const kind of ["sampled", "aligned"] as const) {
      for (const reading of this.#inOrder(readings[kind])) this.#note(transaction, kind, reading, found);
    }
  }

  /** Readings of one kind in the order of their times, unless a clock that was set explains another order. */
  #inOrder(readings: readonly Reading[]): readonly Reading[] {
    let latest = 0;
    for (const { time } of readings) {
      if (this.#isBefore(time, latest)) return [...readings].sort((a, b) => a.time - b.time);
      latest = Math.max(time, latest);
    }
    return readings;
  }

  /**
   * Compares a reading with the latest one of its kind that was measured before it, and takes that one's place. One that is
   * late is compared with what follows, at the latest with the end.
   */
  #note(transaction: RememberedTransaction, kind: ReadingKind, { register, time }: Reading, found: Found): void {
    if (transaction.meterStop !== undefined) return;
    const at = `${kind}At` as const;
    const last = transaction[at];
    if (last !== undefined && time < last) {
      if (this.#isOneMeter(time, last)) transaction[kind] = Math.max(transaction[kind], register.low);
      return;
    }
    const hasFallen = register.high <= transaction[kind] && time !== last;
    const until = time + longestMs[kind];
    if (hasFallen && this.#isOneMeter(last ?? transaction.startedAt, until)) found.tell("register-falls");
    transaction[at] = time;
    // Of several that fit together, the highest is known to be reached.
    transaction[kind] = hasFallen ? register.low : Math.max(transaction[kind], register.low);
  }

  /** Whether the same meter showed what was measured at two moments, as far as it is known. */
  #isOneMeter(earlier: number | undefined, later: number | undefined): boolean {
    if (this.#exchange === undefined) return true;
    const { after, before } = this.#exchange;
    return this.#isBefore(later ?? before, after) || this.#isBefore(before, earlier ?? after);
  }

  #expectPast(time: number | undefined, now: number, found: Found): void {
    if (this.#isBefore(now, time)) found.tell("time-in-future");
  }

  /** Whether a clock that is not quite right can explain neither; a moment that is not known is before nothing. */
  #isBefore(a: number | undefined, b: number | undefined): boolean {
    return a !== undefined && b !== undefined && a < b - this.#clockToleranceMs;
  }

  /** The transactions of a connector that is heard of now. */
  #of(connectorId: number): RememberedTransaction[] {
    const transactions = this.#connectors.get(connectorId) ?? [];
    putLatest(this.#connectors, connectorId, transactions, maxConnectors);
    return transactions;
  }

  /** Those that were given this id: first what runs, then the latest. */
  #withId(transactionId: number | undefined): RememberedTransaction[] {
    if (transactionId === undefined) return [];
    const all = [...this.#connectors.values()].flat();
    const withId = all.filter((transaction) => transaction.transactionId === transactionId);
    return withId.reverse().sort((a, b) => Number(b.runs) - Number(a.runs));
  }

  /** Whether there may have been a transaction on this connector that is no longer remembered. */
  #isForgotten(connectorId: number, timestamp: string): boolean {
    const [oldest, ...others] = this.#connectors.get(connectorId) ?? [];
    return others.length === maxTransactions - 1 && !this.#isBefore(oldest?.startedAt, timeOf(timestamp));
  }

  #connectorOf(transaction: RememberedTransaction | undefined): number | undefined {
    if (transaction === undefined) return undefined;
    return [...this.#connectors].find(([, transactions]) => transactions.includes(transaction))?.[0];
  }
}

/**
 * The id that an answer gives to a transaction. -1 is that of Charge Points that were told none, and what is up to 0 often
 * means that the idTag is none to charge with. [CORE-START-14, CORE-TXQ-12]
 */
function givenBy(conf: Conf<"StartTransaction"> | undefined): number | undefined {
  if (conf === undefined || conf.transactionId === -1) return undefined;
  return conf.transactionId > 0 || conf.idTagInfo.status === "Accepted" ? conf.transactionId : undefined;
}

/** `undefined` for what names no moment. */
function timeOf(timestamp: string): number | undefined {
  const time = Date.parse(timestamp);
  return Number.isNaN(time) ? undefined : time;
}

/** Whether a register is lower than it has been in a transaction. */
function falls({ high }: Register, { aligned, sampled }: RememberedTransaction): boolean {
  return high <= Math.max(aligned, sampled);
}

/** What a register has reached for certain, in both kinds of readings. */
function reaching(wh: number): Pick<RememberedTransaction, "sampled" | "aligned"> {
  const { low } = registerAt(wh);
  return { sampled: low, aligned: low };
}

/** When something about a transaction was measured. */
function momentsOf({ alignedAt, sampledAt, startedAt, stoppedAt }: RememberedTransaction): number[] {
  return [alignedAt, sampledAt, startedAt, stoppedAt].filter((moment) => moment !== undefined);
}

/** A card was presented, and it is known to be none that may stop this transaction. */
function isByOther(
  transaction: RememberedTransaction,
  { idTag, reason = "Local" }: Req<"StopTransaction">,
  conf: Conf<"StopTransaction"> | undefined,
): boolean {
  if (idTag === undefined || idTag === "" || reason !== "Local" || sameIdTag(idTag, transaction.idTag)) return false;
  const group = conf?.idTagInfo?.parentIdTag;
  const parentIdTag = transaction.parentIdTag ?? undefined;
  // Nobody has said which groups they are in.
  if (parentIdTag === undefined || group === undefined) return false;
  const starters = [transaction.idTag, parentIdTag];
  return !starters.some((starter) => sameGroup(starter, idTag) || sameGroup(starter, group));
}

function setOrForget<Name extends "transactionId" | "parentIdTag" | "stoppedAt">(
  transaction: RememberedTransaction,
  name: Name,
  value: RememberedTransaction[Name] | undefined,
): void {
  if (value === undefined) delete transaction[name];
  else transaction[name] = value as Required<RememberedTransaction>[Name];
}
