import { parseConfigurationValue } from "../configuration/configuration-keys.ts";
import type { CallOptions } from "../connection/call-options.ts";
import type { Connection } from "../connection/connection.ts";
import { CallError } from "../errors.ts";
import type { Conf } from "../messages/actions.ts";

/** Who sends CALLs to a Charge Point: the connection to it. */
export type ChargerCaller = Pick<Connection<"CentralSystem">, "call">;

/** What a Charge Point says of a key; `undefined`: that it does not have it. */
export type KeyReading = NonNullable<Conf<"GetConfiguration">["configurationKey"]>[number] | undefined;

/** Of each Charge Point the end of the last task that was begun. */
const turns = /* @__PURE__ */ new WeakMap<ChargerCaller, Promise<unknown>>();

/** Runs a task when all those of the same Charge Point that were begun before have ended, however they did. */
export function inTurn<Result>(caller: ChargerCaller, task: () => Promise<Result>): Promise<Result> {
  const done = (turns.get(caller) ?? Promise.resolve()).then(task, task);
  turns.set(caller, done);
  return done;
}

/** Keys are equal if they differ in case only. [CORE-CC-10, Q28] */
export const foldKey = (key: string): string => key.toLowerCase();

/** Whether the Charge Point does not have this action, or not for us. */
export const isUnsupported = (error: unknown): boolean =>
  error instanceof CallError && (error.code === "NotSupported" || error.code === "NotImplemented");

/** In how large pieces keys are read where the Charge Point does not say how many it answers at once. */
const usualMaxKeys = 20;

/**
 * Reads configuration keys, no more at once than the Charge Point answers, whatever it says about that: where keys of a
 * piece are left out of the answer, or there is a CALLERROR, smaller pieces are asked for, down to single keys.
 *
 * @param keys - All different, also in lower case.
 * @returns By folded key. What is in neither list even when it is asked for alone, as a key is that can only be written,
 * is not in the map.
 * @throws What `Connection.call` throws, of a CALLERROR only one that says that GetConfiguration is not there.
 * @spec OCPP 1.6 §5.8, §9.1.9 [CORE-GC-02 … CORE-GC-04, CORE-GC-08]
 */
export async function readKeys(
  caller: ChargerCaller,
  keys: readonly string[],
  options: CallOptions,
): Promise<ReadonlyMap<string, KeyReading>> {
  const readings = new Map<string, KeyReading>();
  let left = ["GetConfigurationMaxKeys", ...keys.filter((key) => foldKey(key) !== foldKey("GetConfigurationMaxKeys"))];
  let size = 1;
  while (left.length > 0) {
    const piece = left.slice(0, size);
    for (const [key, reading] of await readPiece(caller, piece, options)) readings.set(key, reading);
    const missing = piece.filter((key) => !readings.has(foldKey(key)));
    const isOver = missing.length === 0 || piece.length === 1;
    left = [...(isOver ? [] : missing), ...left.slice(piece.length)];
    if (!isOver) size = Math.ceil(piece.length / 2);
    else if (piece[0] === "GetConfigurationMaxKeys") size = limitIn(readings, piece[0]) ?? usualMaxKeys;
  }
  return readings;
}

async function readPiece(
  caller: ChargerCaller,
  key: string[],
  options: CallOptions,
): Promise<readonly (readonly [string, KeyReading])[]> {
  try {
    const { configurationKey = [], unknownKey = [] } = await caller.call("GetConfiguration", { key }, options);
    return [
      ...unknownKey.map((unknown) => [foldKey(unknown), undefined] as const),
      ...configurationKey.map((reading) => [foldKey(reading.key), reading] as const),
    ];
  } catch (error) {
    if (!(error instanceof CallError) || isUnsupported(error)) throw error;
    return []; // They were too many for it; or it knows no better answer about a single one.
  }
}

/** The limit that a key tells, from 1 on; `undefined` when it tells none. */
export function limitIn(readings: ReadonlyMap<string, KeyReading>, key: string): number | undefined {
  const { value = "" } = readings.get(foldKey(key)) ?? {};
  return parseConfigurationValue({ type: "integer", minimum: 1 }, value.trim());
}
