import { formatConfigurationValue } from "../configuration/configuration-keys.ts";
import { type CallOptions, callRules } from "../connection/call-options.ts";
import { CallError, CallTimeoutError, PayloadError } from "../errors.ts";
import type { Conf } from "../messages/actions.ts";
import { type OptionRules, optionRules, takeOptions } from "../options.ts";
import { type ChargerCaller, foldKey, inTurn, type KeyReading, readKeys } from "./configured-charger.ts";
import { isMeant, takeWantedConfiguration, type WantedConfiguration, type WantedKey } from "./wanted-configuration.ts";

/**
 * What has become of a key that is wanted:
 *
 * - `Unchanged`: it meant what is wanted already. `Accepted`: it does now, as it was read back; or see `unread`.
 * - `RebootRequired`: it will, after a reboot.
 * - `Rejected`, `NotSupported`: the Charge Point said so; `NotSupported` also of a key that it does not know.
 * - `ReadOnly`: it cannot be changed, and was not tried.
 * - `Ignored`: the Charge Point answered Accepted, and has another value all the same.
 * - `Failed`: there was no answer, or a CALLERROR: see `error`.
 */
export type AppliedStatus = "Unchanged" | "Ignored" | "ReadOnly" | "Failed" | Conf<"ChangeConfiguration">["status"];

/** A key that is wanted, and what has become of it. */
export interface AppliedKey {
  /** As it is spelled where it is wanted. */
  readonly key: string;
  readonly status: AppliedStatus;
  /** Of `Accepted`: the Charge Point does not tell the key, so nothing but its word says that it has this value. */
  readonly unread?: true;
  /** Of `Failed`. */
  readonly error?: CallError | CallTimeoutError | PayloadError;
}

/** Settings of {@link applyConfiguration}. */
export interface ConfigurationApplying extends CallOptions {
  /**
   * Hears of each key at once when the answer to its change is there. What was answered before the connection was lost, or
   * `signal` aborted, is told nowhere else; the next run finds the value changed, and not that it requires a reboot.
   */
  readonly changed?: ((applied: AppliedKey) => void) | undefined;
}

const rules: OptionRules<ConfigurationApplying> = { ...callRules, changed: optionRules.callback };

/**
 * Gives a Charge Point the configuration that is wanted: reads its keys, changes those that mean something else and can be
 * changed, and reads them once more. It changes nothing where there is nothing to change, so it can be done again at any
 * time. One run at a time is made on a connection; another one waits for its turn.
 *
 * @returns Each key that is wanted, in the order of `keys`, then `vendorKeys`.
 * @throws TypeError A key or a value cannot be wanted, or one of the options is not what it may be. Nothing was sent.
 * @throws ConnectionClosedError, NotAcceptedError, RangeError, the reason of `signal`, as {@link Connection.call}. Some keys
 * may have been changed, see `changed`: begin anew, after `signal` also on the same connection. What `changed` throws.
 * @throws CallError, CallTimeoutError, PayloadError GetConfiguration failed.
 * @spec OCPP 1.6 §5.3, §5.8 [CORE-CC-01 … CORE-CC-05, CORE-CC-10, CORE-GC-02 … CORE-GC-05]
 */
export async function applyConfiguration(
  caller: ChargerCaller,
  wanted: WantedConfiguration,
  options: ConfigurationApplying = {},
): Promise<readonly AppliedKey[]> {
  const keys = takeWantedConfiguration(wanted);
  const { changed = () => {}, ...taken } = takeOptions("applyConfiguration", options, rules);
  if (keys.length === 0) return [];
  return inTurn(caller, async () => {
    const before = await readKeys(caller, namesOf(keys), taken);
    const applied: AppliedKey[] = [];
    for (const wantedKey of keys) {
      const status = withoutAsking(wantedKey, before);
      if (status === undefined) {
        const answered = await change(caller, wantedKey, taken);
        applied.push(answered);
        changed(answered);
      } else applied.push({ key: wantedKey.key, status });
    }
    // What failed may have taken effect all the same.
    const doubtful = keys.filter((_, at) => ["Accepted", "Failed"].includes(applied[at]?.status ?? ""));
    if (doubtful.length === 0) return applied;
    const after = await readKeys(caller, namesOf(doubtful), taken);
    return applied.map((each, at) => verified(each, keys[at] as WantedKey, after));
  });
}

const namesOf = (keys: readonly WantedKey[]): string[] => keys.map(({ key }) => key);

/** What is known of a key before it is changed; `undefined` when it is to be changed. */
function withoutAsking(
  wanted: WantedKey,
  readings: ReadonlyMap<string, KeyReading>,
): "NotSupported" | "Unchanged" | "ReadOnly" | undefined {
  const folded = foldKey(wanted.key);
  if (!readings.has(folded)) return undefined; // It can only be written.
  const reading = readings.get(folded);
  if (reading === undefined) return "NotSupported";
  if (isMeant(wanted, reading.value)) return "Unchanged";
  return reading.readonly ? "ReadOnly" : undefined;
}

async function change(caller: ChargerCaller, { key, value }: WantedKey, options: CallOptions): Promise<AppliedKey> {
  try {
    const req = { key, value: formatConfigurationValue(value) };
    return { key, status: (await caller.call("ChangeConfiguration", req, options)).status };
  } catch (error) {
    const isOfThisKey =
      error instanceof CallError || error instanceof CallTimeoutError || error instanceof PayloadError;
    if (!isOfThisKey) throw error;
    return { key, status: "Failed", error };
  }
}

function verified(applied: AppliedKey, wanted: WantedKey, readings: ReadonlyMap<string, KeyReading>): AppliedKey {
  const { key, status } = applied;
  const reading = readings.get(foldKey(key));
  if (reading === undefined) return status === "Accepted" ? { ...applied, unread: true } : applied;
  if (isMeant(wanted, reading.value)) return status === "Failed" ? { key, status: "Accepted" } : applied;
  return status === "Accepted" ? { key, status: "Ignored" } : applied;
}
