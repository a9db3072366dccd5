/*
 * The Local Authorization List, kept so that a power cut at any moment leaves exactly one list that the Central System
 * once sent, with its version.
 *
 * In the store it is a journal under `local-auth-list/`. Every accepted SendLocalList.req is one record, so it is either
 * there or not, and half of an update cannot be. A Full one makes all earlier records superfluous; they are deleted
 * then, or at the next load. When the Differential ones since the last Full one weigh more than the list itself, the
 * next is written as the Full one that it results in: the journal stays in proportion to the list, and a long series of
 * updates takes time in proportion to their length.
 *
 * A Differential record names the record that it follows. So what follows a record that is lost or damaged is never
 * applied: the list falls back to an earlier one with its earlier version, and the Central System sees by
 * GetLocalListVersion that it has to send again.
 */

import type { Clock } from "../clock.ts";
import type { Conf, Req } from "../messages/actions.ts";
import { type OptionRules, optionRules, takeOption, takeOptions } from "../options.ts";
import { prefixOf } from "../store/own-keys.ts";
import { patient } from "../store/patient-store.ts";
import type { RecordStore, StoredRecord } from "../store/record-store.ts";
import { parseRecord, type ReportFault, setAside, writeAll } from "../store/stored-records.ts";
import {
  foldIdTag,
  type IdTagInfo,
  type IdTagLookUp,
  idTagInfoAt,
  isIdTagInfo,
  isValid,
  type KnownIdTag,
} from "./id-tag.ts";

/** What a {@link LocalAuthList} needs to know. */
export interface LocalAuthListOptions {
  /** Is told of records that cannot be read and of writes that the store refused. */
  readonly report: ReportFault;
  /** The configuration key LocalAuthListMaxLength: how many identifiers the list holds. Default 10 000. */
  readonly localAuthListMaxLength?: number | undefined;
  /** The configuration key SendLocalListMaxLength: how many identifiers one SendLocalList.req holds. Default 1000. */
  readonly sendLocalListMaxLength?: number | undefined;
  /** How long the store is waited for goes by it. Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

const { required } = optionRules;

const rules: OptionRules<LocalAuthListOptions> = {
  report: required(optionRules.callback),
  localAuthListMaxLength: optionRules.whole(1),
  sendLocalListMaxLength: optionRules.whole(1),
  clock: optionRules.clock,
};

type SendLocalList = Req<"SendLocalList">;
type UpdateStatus = Conf<"SendLocalList">["status"];

/** By folded idTag: what an identifier is set to, or that it is deleted. */
type Changes = ReadonlyMap<string, KnownIdTag | undefined>;

/** One update in the journal. */
interface JournalRecord {
  /** Its place: later ones have larger ones. */
  readonly sequence: number;
  /** The sequence of the record whose list a Differential update changes. */
  readonly follows: number;
  readonly req: SendLocalList;
}

const prefix = prefixOf("local-auth-list");

/** Of one length, so that the order of the keys is the order of the sequences. */
const keyOf = (sequence: number): string => `${prefix}${String(sequence).padStart(16, "0")}`;

/** What the Differential records may weigh when the list is empty. */
const leastWeight = 100;

/**
 * Holds the identifiers that the Central System wants to be authorized, or refused, without being asked. Only a
 * SendLocalList.req changes it.
 *
 * @spec OCPP 1.6 §3.5.2, §5.10, §5.15 [LAL-01 … LAL-06, LAL-10 … LAL-34]
 */
export class LocalAuthList implements IdTagLookUp {
  readonly #store: RecordStore;
  readonly #report: ReportFault;
  readonly #localAuthListMaxLength: number;
  readonly #sendLocalListMaxLength: number;
  /** By folded idTag. */
  #entries = new Map<string, KnownIdTag>();
  #listVersion = 0;
  /** The sequence of the record that led to this list; 0 before the first. */
  #current = 0;
  #nextSequence = 1;
  /** The sequences of the records that make up this list. */
  #journal: number[] = [];
  /** How much there is in the Differential records of the journal: 1 for each record and 1 for each of its entries. */
  #weight = 0;
  #lastUpdate: Promise<unknown> = Promise.resolve();

  private constructor(store: RecordStore, options: LocalAuthListOptions) {
    const {
      report,
      localAuthListMaxLength = 10_000,
      sendLocalListMaxLength = 1000,
      clock,
    } = takeOptions("LocalAuthList", options, rules);
    this.#store = patient(takeOption("store", store, required(optionRules.store)), clock);
    this.#report = report;
    this.#localAuthListMaxLength = localAuthListMaxLength;
    this.#sendLocalListMaxLength = sendLocalListMaxLength;
  }

  /**
   * Reads the list that a store keeps under `local-auth-list/`. Records that cannot be used are reported and moved to
   * keys that begin with `corrupt/`; the list is then that of the last update before them.
   *
   * @throws TypeError `store` is none, one of the options is not what it may be, or there is no such option.
   * @throws What the store's `load` rejects with, or an Error when it does not answer.
   * @spec OCPP 1.6 §3.5.2 [LAL-02]
   */
  static async load(store: RecordStore, options: LocalAuthListOptions): Promise<LocalAuthList> {
    const list = new LocalAuthList(store, options);
    for (const record of await list.#store.load(prefix)) await list.#replay(record);
    return list;
  }

  /**
   * The version number for GetLocalListVersion.conf: that of the last update, or 0 while the list is empty.
   *
   * @spec OCPP 1.6 §5.10 [LAL-10, LAL-11]
   */
  get version(): number {
    return this.#entries.size === 0 ? 0 : this.#listVersion;
  }

  /** The identifiers in the list, as the Central System spelled them. */
  get idTags(): readonly string[] {
    return [...this.#entries.values()].map(({ idTag }) => idTag);
  }

  /** Whether an identifier is in the list, whatever its status. @spec OCPP 1.6 §3.5.3 [CORE-CACHE-09] */
  has(idTag: string): boolean {
    return this.#entries.has(foldIdTag(idTag));
  }

  /**
   * What the list says about an identifier, with status `Expired` once its validity has ended.
   *
   * @param now - Milliseconds since the epoch.
   * @spec OCPP 1.6 §3.5.2, §7.27 [LAL-01, CORE-LAO-07, CORE-IDT-06]
   */
  lookUp(idTag: string, now: number): IdTagInfo | undefined {
    const entry = this.#entries.get(foldIdTag(idTag));
    return entry && idTagInfoAt(entry.idTagInfo, now);
  }

  /**
   * Whether what the Central System has just said about an identifier contradicts the list: the one calls it valid and
   * the other does not. Then a StatusNotification with errorCode `LocalListConflict` is due for connector 0.
   *
   * @param received - From an Authorize.conf, StartTransaction.conf or StopTransaction.conf.
   * @param now - Milliseconds since the epoch.
   * @spec OCPP 1.6 §3.5.2 [LAL-06]
   */
  conflictsWith(idTag: string, received: IdTagInfo, now: number): boolean {
    const listed = this.lookUp(idTag, now);
    return listed !== undefined && isValid(listed) !== isValid(received);
  }

  /**
   * Carries out a SendLocalList.req: all of it and durably, or nothing. Updates take effect one after another, in the
   * order of the calls; until one is settled, the list is the one before.
   *
   * After `Accepted`, call `removeListed` of the authorization cache.
   *
   * @returns The status for SendLocalList.conf; never rejects. `VersionMismatch`: a Differential update is not newer than
   * the list. `Failed`: listVersion is -1, or 0 where the list is not to be emptied by a Full update; an idTag occurs twice, a
   * Full update has an entry without idTagInfo, the update or the list would be too long, or the store refused (and that
   * is reported).
   * @spec OCPP 1.6 §5.15, §6.41, §7.1, §7.47, §7.48 [LAL-20 … LAL-33]
   */
  update(req: SendLocalList): Promise<UpdateStatus> {
    const taken = copyOf(req); // Its turn may come later.
    const update = () => this.#update(taken);
    const status = this.#lastUpdate.then(update, update);
    this.#lastUpdate = status;
    return status;
  }

  async #update(req: SendLocalList): Promise<UpdateStatus> {
    // The documents' own answer to an outdated version, so it goes before the others [LAL-28].
    if (req.updateType === "Differential" && req.listVersion <= this.version) return "VersionMismatch";
    const changes = changesOf(req);
    if (changes === undefined || !this.#allows(req, changes)) return "Failed";

    const tooHeavy = this.#weight + weightOf(changes) > leastWeight + this.#entries.size;
    const replaced = req.updateType === "Full" ? new Map() : tooHeavy ? new Map(this.#entries) : undefined;
    const entries = replaced && applied(changes, replaced);

    const sequence = this.#nextSequence;
    const record: JournalRecord = {
      sequence,
      follows: this.#current,
      req: entries ? { ...req, updateType: "Full", localAuthorizationList: [...entries.values()] } : req,
    };
    const value = JSON.stringify(record);
    if (!(await this.#write("update", [() => this.#store.put(keyOf(sequence), value)]))) {
      // A store may fail after it has written. What is answered with Failed should not be there after a restart.
      await this.#write("take back an update of", [() => this.#store.delete(keyOf(sequence))]);
      return "Failed";
    }
    const superseded = this.#journal;
    this.#nextSequence++;
    this.#advance(record, changes, entries);
    if (entries !== undefined) await this.#delete(superseded);
    return "Accepted";
  }

  /** LAL-21, LAL-33: what is wrong with an update apart from its entries. */
  #allows({ listVersion, updateType, localAuthorizationList = [] }: SendLocalList, changes: Changes): boolean {
    // The certification tool empties the list with version 0, which is what an empty list has.
    const empties = updateType === "Full" && localAuthorizationList.length === 0;
    if ((listVersion === 0 && !empties) || listVersion === -1) return false;
    if (localAuthorizationList.length > this.#sendLocalListMaxLength) return false;
    let length = updateType === "Full" ? 0 : this.#entries.size;
    for (const [folded, entry] of changes) {
      const present = updateType === "Differential" && this.#entries.has(folded);
      length += Number(entry !== undefined) - Number(present);
    }
    return length <= this.#localAuthListMaxLength;
  }

  /** Makes the list what a record in the journal says; `entries` is what results when the record is a Full one. */
  #advance({ sequence, req }: JournalRecord, changes: Changes, entries: Map<string, KnownIdTag> | undefined): void {
    this.#entries = entries ?? applied(changes, this.#entries);
    this.#weight = entries ? 0 : this.#weight + weightOf(changes);
    if (entries) this.#journal = [sequence];
    else this.#journal.push(sequence);
    this.#listVersion = req.listVersion;
    this.#current = sequence;
  }

  /** Takes up a record that was read back. */
  async #replay(stored: StoredRecord): Promise<void> {
    const record = journalRecordOf(stored);
    const changes = record && changesOf(record.req);
    if (record === undefined || changes === undefined) {
      await setAside(this.#store, stored, "is no update of the Local Authorization List", this.#report);
      return;
    }
    this.#nextSequence = record.sequence + 1;
    if (record.req.updateType === "Full") {
      const superseded = this.#journal;
      this.#advance(record, changes, applied(changes, new Map()));
      await this.#delete(superseded);
    } else if (record.follows === this.#current) {
      this.#advance(record, changes, undefined);
    } else {
      const why = "follows an update of the Local Authorization List that is missing";
      await setAside(this.#store, stored, why, this.#report);
    }
  }

  /** What cannot be deleted does no harm: it is superseded at the next load, too, and deleted then. */
  async #delete(superseded: readonly number[]): Promise<void> {
    const deletions = superseded.map((sequence) => () => this.#store.delete(keyOf(sequence)));
    await this.#write("remove what is superseded in", deletions);
  }

  #write(what: string, writes: readonly (() => Promise<void>)[]): Promise<boolean> {
    return writeAll(`${what} the Local Authorization List`, this.#report, writes);
  }
}

function copyOf({ localAuthorizationList, ...req }: SendLocalList): SendLocalList {
  if (localAuthorizationList === undefined) return req;
  const entries = localAuthorizationList.map(({ idTagInfo, ...entry }) =>
    idTagInfo === undefined ? entry : { ...entry, idTagInfo: { ...idTagInfo } },
  );
  return { ...req, localAuthorizationList: entries };
}

/** LAL-25 … LAL-27: what an update changes; `undefined` when its entries break a rule. */
function changesOf({ updateType, localAuthorizationList = [] }: SendLocalList): Changes | undefined {
  const changes = new Map<string, KnownIdTag | undefined>();
  for (const { idTag, idTagInfo } of localAuthorizationList) {
    const folded = foldIdTag(idTag);
    if (changes.has(folded) || (updateType === "Full" && idTagInfo === undefined)) return undefined;
    changes.set(folded, idTagInfo && { idTag, idTagInfo });
  }
  return changes;
}

/** Changes `entries` in place: copying the list for each update would take quadratic time. */
function applied(changes: Changes, entries: Map<string, KnownIdTag>): Map<string, KnownIdTag> {
  for (const [folded, entry] of changes) {
    if (entry === undefined) entries.delete(folded);
    else entries.set(folded, entry);
  }
  return entries;
}

const weightOf = (changes: Changes): number => 1 + changes.size;

/** The update that a record holds; `undefined` when it holds none, or that of another key. */
function journalRecordOf({ key, value }: StoredRecord): JournalRecord | undefined {
  const { sequence, follows, req } = (parseRecord(value) ?? {}) as Record<string, unknown>;
  const readable = Number.isSafeInteger(sequence) && Number.isSafeInteger(follows) && isSendLocalList(req);
  if (!readable || keyOf(sequence as number) !== key) return undefined;
  return { sequence: sequence as number, follows: follows as number, req };
}

function isSendLocalList(value: unknown): value is SendLocalList {
  if (typeof value !== "object" || value === null) return false;
  const { listVersion, updateType, localAuthorizationList = [] } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(listVersion) || (updateType !== "Full" && updateType !== "Differential")) return false;
  return Array.isArray(localAuthorizationList) && localAuthorizationList.every(isAuthorizationEntry);
}

function isAuthorizationEntry(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { idTag, idTagInfo } = value as Record<string, unknown>;
  return typeof idTag === "string" && (idTagInfo === undefined || isIdTagInfo(idTagInfo));
}
