import { foldIdTag, type KnownIdTag } from "../authorization/id-tag.ts";
import { type CallOptions, callRules } from "../connection/call-options.ts";
import { CallError } from "../errors.ts";
import type { Conf, Req } from "../messages/actions.ts";
import { check } from "../messages/validate.ts";
import { type OptionRules, takeOptions } from "../options.ts";
import { type ChargerCaller, inTurn, isUnsupported, limitIn, readKeys } from "./configured-charger.ts";
import { localListUpdates } from "./local-list-updates.ts";

/** A Local Authorization List as a Charge Point was known to have it. */
export interface SentLocalAuthList {
  readonly listVersion: number;
  readonly entries: readonly KnownIdTag[];
}

/** Settings of {@link applyLocalAuthList}. */
export interface LocalAuthListSending extends CallOptions {
  /**
   * The `list` of the last outcome that had one: with it differences are enough, because OCPP cannot read a list. Default:
   * the whole list is sent.
   */
  readonly known?: SentLocalAuthList | undefined;
}

/**
 * What has become of a list:
 *
 * - `Unchanged`: it was that. `Accepted`: it is now. Keep `list` for the next time.
 * - `NotSupported`: the Charge Point has no such list.
 * - `TooLong`: it holds no more than `localAuthListMaxLength`; nothing was sent.
 * - `Failed`: it refused the whole list, too; `error` has the CALLERROR, if there was one.
 * - `Ignored`: it accepted every part, and tells another version all the same.
 */
export type LocalAuthListOutcome =
  | { readonly status: "Unchanged" | "Accepted"; readonly list: SentLocalAuthList }
  | { readonly status: "TooLong"; readonly localAuthListMaxLength: number }
  | { readonly status: "NotSupported" | "Ignored" }
  | { readonly status: "Failed"; readonly error?: CallError };

const rules: OptionRules<LocalAuthListSending> = {
  ...callRules,
  known: {
    give: "the `list` of an earlier outcome",
    takes: (list) => {
      const { listVersion, entries } = (list ?? {}) as Partial<SentLocalAuthList>;
      return Number.isSafeInteger(listVersion) && Array.isArray(entries);
    },
  },
};

/** How many identifiers are sent at once where the Charge Point does not say how many it takes. */
const usualMaxLength = 20;

/**
 * Gives a Charge Point the Local Authorization List that is wanted, in pieces of its SendLocalListMaxLength: the
 * differences where its version shows that it has what is known, else all of it, and all of it when it refuses differences.
 * After a CALLERROR the pieces become smaller. One run at a time is made on a connection; another one waits for its turn.
 *
 * @throws PayloadError, TypeError An entry is none, an idTag occurs twice, or one of the options is not what it may be.
 * Nothing was sent.
 * @throws The errors of {@link Connection.call}, but no CallError to GetLocalListVersion or SendLocalList. The list may be
 * half of what it was or will be: begin anew on the next connection.
 * @spec OCPP 1.6 §3.5.2, §5.10, §5.15 [LAL-10 … LAL-12, LAL-20 … LAL-30]
 */
export async function applyLocalAuthList(
  caller: ChargerCaller,
  wanted: readonly KnownIdTag[],
  options: LocalAuthListSending = {},
): Promise<LocalAuthListOutcome> {
  const entries = takeEntries(wanted);
  const { known, ...callOptions } = takeOptions("applyLocalAuthList", options, rules);
  return inTurn(caller, async () => {
    const sending = new Sending(caller, callOptions);
    const present = await sending.version();
    // LAL-12: -1 says that there is no list.
    if (present === undefined || present < 0) return { status: "NotSupported" };
    const limits = await readKeys(caller, ["LocalAuthListMaxLength", "SendLocalListMaxLength"], callOptions);
    const localAuthListMaxLength = limitIn(limits, "LocalAuthListMaxLength");
    if (localAuthListMaxLength !== undefined && entries.length > localAuthListMaxLength) {
      return { status: "TooLong", localAuthListMaxLength };
    }
    // LAL-11: 0 is the version of an empty list.
    const isKnown = present !== 0 && known?.listVersion === present;
    const listVersion = Math.max(present, known?.listVersion ?? 0);
    const sendLocalListMaxLength = limitIn(limits, "SendLocalListMaxLength") ?? usualMaxLength;
    let list = {
      entries: present === 0 ? [] : isKnown ? known.entries : undefined,
      listVersion,
      sendLocalListMaxLength,
    };
    const updates = localListUpdates(entries, list);
    if (updates.length === 0) return { status: "Unchanged", list: { listVersion: present, entries } };
    for (let sent = await sending.send(updates); sent.status !== "Accepted"; ) {
      if (sent.status === "NotSupported") return { status: "NotSupported" };
      const { error } = sent;
      const isSmaller = error !== undefined && list.sendLocalListMaxLength > 1;
      // LAL-30: after a difference was refused, and after a list of which only a part has arrived.
      if (list.entries === undefined && !isSmaller) {
        return error === undefined ? { status: "Failed" } : { status: "Failed", error };
      }
      const length = isSmaller ? Math.ceil(list.sendLocalListMaxLength / 2) : list.sendLocalListMaxLength;
      list = { entries: undefined, listVersion: sending.listVersion, sendLocalListMaxLength: length };
      sent = await sending.send(localListUpdates(entries, list));
    }
    const version = await sending.version();
    const isThere = version === sending.listVersion || (version === 0 && entries.length === 0);
    return isThere ? { status: "Accepted", list: { listVersion: version, entries } } : { status: "Ignored" };
  });
}

/** Lists are copied, since their owner may change them while they are sent. */
function takeEntries(wanted: readonly KnownIdTag[]): readonly KnownIdTag[] {
  const req = { listVersion: 1, updateType: "Full", localAuthorizationList: wanted };
  const { localAuthorizationList = [] } = check("SendLocalList", "req", req);
  const folded = new Set<string>();
  for (const { idTag, idTagInfo } of localAuthorizationList) {
    if (idTagInfo === undefined) throw new TypeError("An entry of the Local Authorization List has no idTagInfo.");
    folded.add(foldIdTag(idTag));
  }
  if (folded.size < localAuthorizationList.length) {
    throw new TypeError("An idTag occurs twice in the Local Authorization List. Case does not matter.");
  }
  return localAuthorizationList as readonly KnownIdTag[];
}

/** The CALLs of one run. */
class Sending {
  readonly #caller: ChargerCaller;
  readonly #options: CallOptions;
  /** The version of the last update that was sent. */
  listVersion = 0;

  constructor(caller: ChargerCaller, options: CallOptions) {
    this.#caller = caller;
    this.#options = options;
  }

  /** `undefined` where there is a CALLERROR: OCTT allows that in place of -1. */
  async version(): Promise<number | undefined> {
    try {
      return (await this.#caller.call("GetLocalListVersion", {}, this.#options)).listVersion;
    } catch (error) {
      if (error instanceof CallError) return undefined;
      throw error;
    }
  }

  /** Sends one after the other, until one is not accepted. */
  async send(
    updates: readonly Req<"SendLocalList">[],
  ): Promise<{ readonly status: Conf<"SendLocalList">["status"]; readonly error?: CallError }> {
    for (const update of updates) {
      this.listVersion = update.listVersion;
      try {
        const { status } = await this.#caller.call("SendLocalList", update, this.#options);
        if (status !== "Accepted") return { status };
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        return isUnsupported(error) ? { status: "NotSupported" } : { status: "Failed", error };
      }
    }
    return { status: "Accepted" };
  }
}
