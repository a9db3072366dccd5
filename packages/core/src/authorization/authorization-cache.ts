import type { Clock } from "../clock.ts";
import type { Conf } from "../messages/actions.ts";
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

/** What an {@link AuthorizationCache} needs to know. */
export interface AuthorizationCacheOptions {
  /** Is told of records that cannot be read and of writes that the store refused. */
  readonly report: ReportFault;
  /** How many identifiers the cache holds, at least 1. Default 1000. */
  readonly maxEntries?: number | undefined;
  /** Says which identifiers are in the Local Authorization List, whose place is not here. Default: none. */
  readonly list?: { has(idTag: string): boolean } | undefined;
  /** How long the store is waited for goes by it. Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

const { object, required } = optionRules;

const rules: OptionRules<AuthorizationCacheOptions> = {
  report: required(optionRules.callback),
  maxEntries: optionRules.whole(1),
  list: object("a LocalAuthList", "has"),
  clock: optionRules.clock,
};

interface Entry extends KnownIdTag {
  /** Entries that were received later have larger ones, across restarts. */
  readonly sequence: number;
}

const prefix = prefixOf("authorization-cache");

/** As JSON, since a store may be unable to keep apart keys that are not proper Unicode. */
const keyOf = (folded: string): string => `${prefix}${JSON.stringify(folded)}`;

/**
 * Remembers what the Central System said about identifiers, valid or not, so that they can be authorized locally.
 *
 * It is in memory for look-ups and in a store for the next start: one record for each identifier. What the store refuses
 * to write is reported, and holds until the end of the program all the same.
 *
 * @spec OCPP 1.6 §3.5.1, §3.5.3 [CORE-CACHE-01 … CORE-CACHE-11]
 */
export class AuthorizationCache implements IdTagLookUp {
  readonly #store: RecordStore;
  readonly #report: ReportFault;
  readonly #maxEntries: number;
  readonly #list: { has(idTag: string): boolean } | undefined;
  /** By folded idTag; what was received earlier comes earlier. */
  readonly #entries = new Map<string, Entry>();
  #nextSequence = 1;

  private constructor(store: RecordStore, options: AuthorizationCacheOptions) {
    const { report, maxEntries = 1000, list, clock } = takeOptions("AuthorizationCache", options, rules);
    this.#store = patient(takeOption("store", store, required(optionRules.store)), clock);
    this.#report = report;
    this.#maxEntries = maxEntries;
    this.#list = list;
  }

  /**
   * Reads the cache that a store keeps under `authorization-cache/`. A record that cannot be read is reported and moved
   * to a key that begins with `corrupt/`; the others count. Identifiers that are in the Local Authorization List are
   * removed, so load the list first.
   *
   * @throws TypeError `store` is none, one of the options is not what it may be, or there is no such option.
   * @throws What the store's `load` rejects with.
   * @spec OCPP 1.6 §3.5.1 [CORE-CACHE-06]
   */
  static async load(store: RecordStore, options: AuthorizationCacheOptions): Promise<AuthorizationCache> {
    const cache = new AuthorizationCache(store, options);
    const records = await cache.#store.load(prefix);
    const entries = records.map((record) => ({ record, entry: entryOf(record) }));
    for (const { record, entry } of entries) {
      if (entry === undefined)
        await setAside(cache.#store, record, "is no entry of the authorization cache", cache.#report);
    }
    const inOrder = entries.flatMap(({ entry }) => entry ?? []).sort((a, b) => a.sequence - b.sequence);
    for (const entry of inOrder) cache.#entries.set(foldIdTag(entry.idTag), entry);
    cache.#nextSequence = 1 + (inOrder.at(-1)?.sequence ?? 0);
    await cache.removeListed();
    return cache;
  }

  /** The identifiers in the cache, as they were last spelled; those that were received earlier come earlier. */
  get idTags(): readonly string[] {
    return [...this.#entries.values()].map(({ idTag }) => idTag);
  }

  /**
   * What the Central System last said about an identifier, with status `Expired` once its validity has ended.
   *
   * @param now - Milliseconds since the epoch.
   * @spec OCPP 1.6 §3.5.1, §7.27 [CORE-CACHE-03, CORE-CACHE-11, CORE-IDT-06]
   */
  lookUp(idTag: string, now: number): IdTagInfo | undefined {
    const entry = this.#entries.get(foldIdTag(idTag));
    return entry && idTagInfoAt(entry.idTagInfo, now);
  }

  /**
   * Takes what the Central System said about an identifier in an Authorize.conf, StartTransaction.conf or
   * StopTransaction.conf; it can be looked up at once. Nothing is kept of identifiers in the Local Authorization List.
   *
   * A new identifier that finds the cache full displaces all that are not valid and, if there are none, the valid one
   * that was received longest ago.
   *
   * @param now - Milliseconds since the epoch.
   * @returns Resolves when it would survive a power cut, or when the store's refusal has been reported; never rejects.
   * @spec OCPP 1.6 §3.5.1, §3.5.3, §4.1 [CORE-CACHE-02, CORE-CACHE-04, CORE-CACHE-05, CORE-CACHE-09, CORE-AUTH-08]
   */
  async update(idTag: string, idTagInfo: IdTagInfo, now: number): Promise<void> {
    if (this.#list?.has(idTag)) {
      await this.#remove([foldIdTag(idTag)]);
      return;
    }
    const folded = foldIdTag(idTag);
    this.#entries.delete(folded);
    const displaced = this.#displaced(now);
    for (const other of displaced) this.#entries.delete(other);
    const entry: Entry = { idTag, idTagInfo: { ...idTagInfo }, sequence: this.#nextSequence++ };
    this.#entries.set(folded, entry);
    await writeAll("update the authorization cache", this.#report, [
      ...displaced.map((other) => () => this.#store.delete(keyOf(other))),
      () => this.#store.put(keyOf(folded), JSON.stringify(entry)),
    ]);
  }

  /**
   * Removes the identifiers that are in the Local Authorization List now. Call it after every update of the list.
   *
   * @returns Resolves when they would not come back after a power cut, or when the store's refusal has been reported;
   * never rejects.
   * @spec OCPP 1.6 §3.5.3 [CORE-CACHE-09, LAL-34]
   */
  async removeListed(): Promise<void> {
    const listed = [...this.#entries].filter(([, { idTag }]) => this.#list?.has(idTag));
    await this.#remove(listed.map(([folded]) => folded));
  }

  /**
   * Forgets all identifiers, as ClearCache.req asks for; the Local Authorization List is not affected.
   *
   * @returns The status for ClearCache.conf: `Rejected` when the store refuses to remove some, which then stay. Never
   * rejects.
   * @spec OCPP 1.6 §5.4 [CORE-CL-01, CORE-CL-03]
   */
  async clear(): Promise<Conf<"ClearCache">["status"]> {
    const removals = [...this.#entries].map(([folded, entry]) => async () => {
      await this.#store.delete(keyOf(folded));
      // Not what has been received in the meantime: its record is written after this one is deleted.
      if (this.#entries.get(folded) === entry) this.#entries.delete(folded);
    });
    return (await writeAll("clear the authorization cache", this.#report, removals)) ? "Accepted" : "Rejected";
  }

  /** CORE-CACHE-05: which entries make room for one more. */
  #displaced(now: number): readonly string[] {
    const excess = this.#entries.size + 1 - this.#maxEntries;
    if (excess <= 0) return [];
    const entries = [...this.#entries];
    const notValid = entries.filter(([, { idTagInfo }]) => !isValid(idTagInfoAt(idTagInfo, now)));
    const valid = entries.filter(([, { idTagInfo }]) => isValid(idTagInfoAt(idTagInfo, now)));
    return [...notValid, ...valid.slice(0, Math.max(0, excess - notValid.length))].map(([folded]) => folded);
  }

  async #remove(folded: readonly string[]): Promise<void> {
    const present = folded.filter((idTag) => this.#entries.delete(idTag));
    await writeAll(
      "remove what is in the Local Authorization List from the authorization cache",
      this.#report,
      present.map((idTag) => () => this.#store.delete(keyOf(idTag))),
    );
  }
}

/** The entry that a record holds; `undefined` when it holds none, or that of another key. */
function entryOf({ key, value }: StoredRecord): Entry | undefined {
  const { idTag, idTagInfo, sequence } = (parseRecord(value) ?? {}) as Record<string, unknown>;
  const readable = typeof idTag === "string" && isIdTagInfo(idTagInfo) && Number.isSafeInteger(sequence);
  if (!readable || keyOf(foldIdTag(idTag)) !== key) return undefined;
  return { idTag, idTagInfo, sequence: sequence as number };
}
