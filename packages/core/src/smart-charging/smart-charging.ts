/*
 * The charging profiles of a Charge Point, kept through power cuts, and the limits that they make, as a machine.
 *
 * Theory of operation. `ChargingProfiles` is a value; this holds the present one, writes down what it has taken before that
 * is answered, and says which limits are others than before. Each profile is one record under `charging-profile/`, by its id;
 * it has a number by which later ones can be told from earlier ones, for a power cut may leave one beside the one that has
 * replaced it. A TxProfile names its transaction by the Charge Point's own count, and is dropped when that does not run any
 * more, at the latest at the next start.
 *
 *   Inputs    setChargingProfile, clearChargingProfile    what the Central System asks for
 *             transactionsAre                             which transactions run
 *             followedBy                                  who wants to know
 *   Outputs   limit                                       what a connector, or all of them, may draw from now on
 *             refused                                     a profile was not taken, and why
 *
 * Changes are made one after the other, in the order of the calls.
 */

import type { Clock } from "../clock.ts";
import { dateTimeOf } from "../date-time.ts";
import { CallError } from "../errors.ts";
import type { Machine } from "../machine.ts";
import type { Conf, Req } from "../messages/actions.ts";
import { parseReq } from "../messages/validate.ts";
import { type OptionRules, optionRules, takeOption, takeOptions } from "../options.ts";
import { prefixOf } from "../store/own-keys.ts";
import { patient } from "../store/patient-store.ts";
import type { RecordStore, StoredRecord } from "../store/record-store.ts";
import { parseRecord, type ReportFault, setAside, tell, writeAll } from "../store/stored-records.ts";
import { type ChargingProfile, type FrozenChargingProfile, frozen, type InstalledProfile } from "./charging-profile.ts";
import {
  ChargingProfiles,
  type ChargingProfilesOptions,
  chargingProfilesRules,
  isReplaced,
  matches,
} from "./charging-profiles.ts";
import { compositeSchedule, type LimitNow, limitAt } from "./composite-schedule.ts";
import { type ChargingProfileKeys, defaultKeys, type ProfileRefusal } from "./installation.ts";

/** What {@link SmartCharging} needs to know. */
export interface SmartChargingOptions extends ChargingProfilesOptions {
  /** Is told of records that cannot be read and of writes that the store refused. */
  readonly report: ReportFault;
  /** How long the store is waited for goes by it. Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

/** What a connector, or with number 0 the charge point as a whole, may draw from now on. */
export interface LimitChange extends LimitNow {
  readonly connectorId: number;
}

/** A profile that was not taken, and why. */
export interface RefusedProfile extends ProfileRefusal, InstalledProfile {}

export type SmartChargingOutput =
  | { readonly type: "limit"; readonly change: LimitChange }
  | { readonly type: "refused"; readonly refused: RefusedProfile };

/** A transaction that runs. */
export interface RunningTransaction {
  /** By the Charge Point's own count. */
  readonly number: number;
  readonly connectorId: number;
  readonly startedAt: number;
  readonly transactionId: number | undefined;
}

/** What the store keeps of a profile. */
interface ProfileRecord extends InstalledProfile {
  /** Later ones have larger ones. */
  readonly sequence: number;
  /** Of a TxProfile: the number of its transaction. */
  readonly transaction?: number | undefined;
}

/** SC-28 */
const notKept: ProfileRefusal = {
  rule: "not-kept",
  answer: "Rejected",
  message: "The store did not keep it.",
};

/** SC-08 */
const transactionEnded: ProfileRefusal = {
  rule: "transaction-ended",
  answer: "Rejected",
  message: "Its transaction ended before it was kept.",
};

/** How long what the store has refused waits, unless profiles change before. A store that hangs takes half of it. */
const retryMs = 60_000;

const prefix = prefixOf("charging-profile");
const keyOf = (profile: FrozenChargingProfile): string => `${prefix}${profile.chargingProfileId}`;

const rules: OptionRules<SmartChargingOptions> = {
  ...chargingProfilesRules,
  report: optionRules.required(optionRules.callback),
  clock: optionRules.clock,
};

/**
 * Smart charging of a Charge Point: give it to that as `smartCharging`.
 *
 * @spec OCPP 1.6 §3.13, §5.5, §5.7, §5.16
 */
export class SmartCharging implements Machine<SmartChargingOutput> {
  readonly #store: RecordStore;
  readonly #report: ReportFault;
  #profiles: ChargingProfiles;
  /** What is to be in the store, by key. */
  readonly #records = new Map<string, ProfileRecord>();
  /** Keys under which the store may hold something else, because it has not taken a write yet. */
  readonly #unsure = new Set<string>();
  /** When that was last tried again. */
  #triedAt = Number.NEGATIVE_INFINITY;
  #sequence = 0;
  /** The time that was told last: by it profiles are over. */
  #now = Number.NEGATIVE_INFINITY;
  #running: readonly RunningTransaction[] = [];
  /** TxProfiles that were kept, until it is known which transactions run. */
  #waiting: readonly ProfileRecord[] = [];
  #latest: Promise<unknown> = Promise.resolve();
  /** What was told last, by connector. */
  readonly #told = new Map<number, LimitNow>();
  #outputs: SmartChargingOutput[] = [];
  #deadline = Number.POSITIVE_INFINITY;
  /** Who is told that profiles are others; nobody follows the limits without. */
  #changed: (() => void) | undefined;

  /** The keys that a Configuration should tell. @spec OCPP 1.6 §9.4 [SC-27] */
  readonly keys: Required<ChargingProfileKeys>;

  private constructor(store: RecordStore, options: SmartChargingOptions) {
    const { clock, report, ...rest } = takeOptions("SmartCharging", options, rules);
    this.#store = patient(takeOption("store", store, optionRules.required(optionRules.store)), clock);
    this.#report = report;
    this.#profiles = ChargingProfiles.none(rest);
    const { connectors: _, maximum: __, voltage: ___, numberPhases: ____, ...keys } = rest;
    this.keys = { ...defaultKeys, ...keys };
  }

  /**
   * Reads the profiles that a store keeps under `charging-profile/`. Records that cannot be used are reported and moved to
   * keys that begin with `corrupt/`.
   *
   * @throws TypeError `store` is none, one of the options is not what it may be, or there is no such option.
   * @throws What the store's `load` rejects with, or an Error when it does not answer.
   * @spec OCPP 1.6 §3.13.5 (errata 3.37) [SC-28]
   */
  static async load(store: RecordStore, options: SmartChargingOptions): Promise<SmartCharging> {
    const smartCharging = new SmartCharging(store, options);
    await smartCharging.#restore(await smartCharging.#store.load(prefix));
    return smartCharging;
  }

  /** The present profiles and the transactions that they apply to: for `limitAt`, `compositeSchedule` and `explain`. */
  get profiles(): ChargingProfiles {
    return this.#profiles;
  }

  get deadline(): number {
    return this.#deadline;
  }

  poll(): SmartChargingOutput | undefined {
    return this.#outputs.shift();
  }

  /** Says which limits are others than those that were told, or hold less long. */
  advance(now: number): void {
    this.#now = now;
    this.#deadline = Number.POSITIVE_INFINITY;
    if (this.#changed === undefined) return;
    for (const connectorId of [...this.#profiles.connectorIds, 0]) {
      const limit = limitAt(this.#profiles, { connectorId, at: now });
      this.#deadline = Math.min(this.#deadline, limit.until);
      const told = this.#told.get(connectorId);
      const isSame = told?.limit === limit.limit && told.numberPhases === limit.numberPhases;
      // What was told to hold until a moment is not left to stand when it will not.
      if (isSame && limit.until >= told.until) continue;
      this.#told.set(connectorId, limit);
      this.#outputs.push({ type: "limit", change: { connectorId, ...limit } });
    }
  }

  /**
   * Says who follows the limits; `undefined`: nobody any more.
   *
   * @param changed - Is called when other profiles are installed, or one was refused, from outside of any input.
   */
  followedBy(changed: (() => void) | undefined): void {
    this.#changed = changed;
    this.#told.clear();
    this.#outputs = [];
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /**
   * Says which transactions run, and all that is known of them.
   *
   * @param now - Milliseconds since the epoch, as are all times.
   */
  transactionsAre(running: readonly RunningTransaction[], now: number): void {
    const known = this.#profiles.connectorIds;
    const before = this.#running;
    this.#running = running.filter(({ connectorId }) => known.includes(connectorId));
    for (const { connectorId, number } of before)
      if (!this.#running.some((other) => other.number === number)) this.#ended(connectorId, number);
    for (const { connectorId, startedAt, transactionId } of this.#running)
      this.#profiles = this.#profiles.runsTransaction(connectorId, { startedAt, transactionId });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const record of waiting) this.#resume(record);
    if (this.#unsure.size > 0 && Math.abs(now - this.#triedAt) >= retryMs) {
      this.#triedAt = now;
      void this.#inTurn(() => this.#tidy());
    }
    this.advance(now);
  }

  /**
   * Carries out a SetChargingProfile.req, durably or not at all. Until it is settled, the profiles are those of before.
   *
   * @returns `Rejected` with the store's refusal, too.
   * @throws CallError `PropertyConstraintViolation`: there is no such connector.
   * @throws PayloadError It violates the schema of SetChargingProfile.req.
   * @spec OCPP 1.6 §5.16 [SC-15 … SC-19, SC-28, SC-56 … SC-63]
   */
  async setChargingProfile(req: Req<"SetChargingProfile">): Promise<Conf<"SetChargingProfile">> {
    // A copy, now: its turn may come when the owner has written something else into it.
    const { connectorId, csChargingProfiles } = parseReq("SetChargingProfile", req, "local");
    return this.#inTurn(() => this.#set(connectorId, csChargingProfiles));
  }

  /**
   * Carries out a ClearChargingProfile.req. What the store does not forget, it is asked to again, a minute later or with the
   * next change.
   *
   * @throws PayloadError It violates the schema of ClearChargingProfile.req.
   * @spec OCPP 1.6 §5.5 [SC-70 … SC-77]
   */
  async clearChargingProfile(req: Req<"ClearChargingProfile">): Promise<Conf<"ClearChargingProfile">> {
    const filter = parseReq("ClearChargingProfile", req, "local");
    return this.#inTurn(async () => {
      const { status, profiles } = this.#profiles.clear(filter);
      const waiting = this.#waiting.filter((each) => !matches(each, filter));
      const isKnown = status === "Accepted" || waiting.length < this.#waiting.length;
      this.#waiting = waiting;
      this.#profiles = profiles;
      this.#changed?.();
      await this.#tidy();
      return { status: isKnown ? "Accepted" : "Unknown" };
    });
  }

  /**
   * Answers a GetCompositeSchedule.req.
   *
   * @spec OCPP 1.6 §5.7 [SC-80 … SC-89]
   */
  getCompositeSchedule(req: Req<"GetCompositeSchedule">, now: number): Conf<"GetCompositeSchedule"> {
    const { chargingRateUnit: unit, connectorId, duration: durationSeconds } = req;
    if (connectorId !== 0 && !this.#profiles.connectorIds.includes(connectorId)) return { status: "Rejected" };
    const chargingSchedule = compositeSchedule(this.#profiles, { connectorId, from: now, durationSeconds, unit });
    return { status: "Accepted", connectorId, scheduleStart: dateTimeOf(now), chargingSchedule };
  }

  async #set(connectorId: number, profile: ChargingProfile): Promise<Conf<"SetChargingProfile">> {
    const verdict = this.#profiles.set(connectorId, profile, this.#now);
    if (verdict.status === "Refused") return this.#refuse(connectorId, profile, verdict);
    const key = keyOf(profile);
    const before = this.#records.get(key);
    const isTx = profile.chargingProfilePurpose === "TxProfile";
    // Where several run, the latest: `ChargingProfiles` knows no other.
    const transaction = isTx
      ? this.#running.filter((each) => each.connectorId === connectorId).at(-1)?.number
      : undefined;
    const record: ProfileRecord = { sequence: ++this.#sequence, connectorId, profile, transaction };
    this.#records.set(key, record);
    const isKept = await writeAll("keep a charging profile", this.#report, [() => this.#write(key)]);
    // The transaction may have ended meanwhile.
    const hasEnded = isTx && this.#running.every(({ number }) => number !== transaction);
    const verdictNow = this.#profiles.set(connectorId, profile, this.#now);
    if (!isKept || hasEnded || verdictNow.status === "Refused") {
      // What is answered with Rejected should not be there after a restart, and what it would have replaced should.
      if (before === undefined) this.#records.delete(key);
      else this.#records.set(key, before);
      await writeAll("take back a charging profile", this.#report, [() => this.#write(key)]);
      const refusal = !isKept ? notKept : hasEnded ? transactionEnded : (verdictNow as ProfileRefusal);
      return this.#refuse(connectorId, profile, refusal);
    }
    this.#profiles = verdictNow.profiles;
    this.#waiting = this.#waiting.filter((other) => !isReplaced(other, record));
    this.#changed?.();
    await this.#tidy();
    return { status: "Accepted" };
  }

  #refuse(
    connectorId: number,
    profile: ChargingProfile,
    { answer, message, rule }: ProfileRefusal,
  ): Conf<"SetChargingProfile"> {
    this.#outputs.push({ type: "refused", refused: { connectorId, profile, rule, message, answer } });
    this.#changed?.();
    if (answer === "Rejected") return { status: answer };
    throw new CallError(answer, message);
  }

  #ended(connectorId: number, number: number): void {
    if (this.#running.some((other) => other.connectorId === connectorId)) {
      // Another one runs there by now: what is its own stays.
      for (const { profile } of this.#profiles.installed) {
        const isIts =
          profile.chargingProfilePurpose === "TxProfile" && this.#records.get(keyOf(profile))?.transaction === number;
        if (isIts) this.#profiles = this.#profiles.clear({ id: profile.chargingProfileId }).profiles;
      }
    } else this.#profiles = this.#profiles.endedTransaction(connectorId);
    void this.#inTurn(() => this.#tidy());
    this.#waiting = this.#waiting.filter(({ transaction }) => transaction !== number);
  }

  /** Takes up a TxProfile that was kept, if its transaction runs. */
  #resume({ connectorId, profile, transaction }: ProfileRecord): void {
    const runs = this.#running.some((each) => each.number === transaction && each.connectorId === connectorId);
    // By now its transaction may have another id, or none that is known: it is that one all the same.
    const { transactionId: _, ...anonymous } = profile;
    if (!runs || !this.#reinstall({ connectorId, profile: anonymous })) void this.#inTurn(() => this.#tidy());
  }

  /** Installs what was accepted once. What other options do not allow any more is forgotten, which is told. */
  #reinstall({ connectorId, profile }: InstalledProfile): boolean {
    const verdict = this.#profiles.restore(connectorId, profile);
    this.#profiles = verdict.profiles;
    if (verdict.status === "Accepted") return true;
    const { chargingProfileId } = profile;
    tell(
      this.#report,
      new Error(`Charging profile ${chargingProfileId} was kept, and is forgotten: ${verdict.message}`),
    );
    return false;
  }

  /** Deletes the records of profiles that are not installed any more, and writes again what the store has refused. */
  async #tidy(): Promise<void> {
    const needed = new Set(this.#profiles.installed.map(({ profile }) => keyOf(profile)));
    for (const { profile } of this.#waiting) needed.add(keyOf(profile));
    for (const key of this.#records.keys()) {
      if (needed.has(key)) continue;
      this.#records.delete(key);
      this.#unsure.add(key);
    }
    const writes = [...this.#unsure].map((key) => () => this.#write(key));
    if (writes.length > 0) await writeAll("forget charging profiles", this.#report, writes);
  }

  /** Has the store hold what is to be under a key. */
  async #write(key: string): Promise<void> {
    this.#unsure.add(key);
    const record = this.#records.get(key);
    if (record === undefined) await this.#store.delete(key);
    else await this.#store.put(key, JSON.stringify(record));
    this.#unsure.delete(key);
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#latest.then(act, act);
    this.#latest = turn.catch(() => {});
    return turn;
  }

  async #restore(stored: readonly StoredRecord[]): Promise<void> {
    const records: ProfileRecord[] = [];
    for (const each of stored) {
      const record = profileRecordOf(each);
      if (record === undefined) await setAside(this.#store, each, "is no charging profile", this.#report);
      else records.push(record);
    }
    const later: ProfileRecord[] = [];
    // The latest first: what it has replaced is not there again, though its record may be, and takes no room from it.
    for (const record of records.sort((a, b) => b.sequence - a.sequence)) {
      this.#records.set(keyOf(record.profile), record);
      this.#sequence = Math.max(this.#sequence, record.sequence);
      if (later.some((other) => isReplaced(record, other))) continue;
      later.push(record);
      if (record.profile.chargingProfilePurpose !== "TxProfile") this.#reinstall(record);
    }
    this.#waiting = later.filter(({ profile }) => profile.chargingProfilePurpose === "TxProfile");
    await this.#tidy();
  }
}

/** `undefined`: it is none. */
function profileRecordOf({ key, value }: StoredRecord): ProfileRecord | undefined {
  const { connectorId, profile, sequence, transaction } = (parseRecord(value) ?? {}) as Partial<ProfileRecord>;
  try {
    const req = { connectorId, csChargingProfiles: profile };
    const { csChargingProfiles } = parseReq("SetChargingProfile", req, "local");
    const isOurs = Number.isSafeInteger(sequence) && keyOf(csChargingProfiles) === key;
    if (!isOurs) return undefined;
    return { connectorId, profile: frozen(csChargingProfiles), sequence, transaction } as ProfileRecord;
  } catch {
    return undefined;
  }
}
