import type { ChargePointEvents } from "../../src/index.ts";
import type { Machine } from "../../src/machine.ts";

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Takes everything that a machine wants to be done. */
export function outputsOf<Output>(machine: Machine<Output>): Output[] {
  const outputs: Output[] = [];
  for (let output = machine.poll(); output !== undefined; output = machine.poll()) outputs.push(output);
  return outputs;
}

/** All events of a Charge Point; the compiler asks for a new one. */
export const events = Object.keys({
  connecting: true,
  connected: true,
  refused: true,
  disconnected: true,
  registration: true,
  timeSet: true,
  delivered: true,
  discarded: true,
  invalidated: true,
  limit: true,
  profileRefused: true,
  message: true,
  finished: true,
  violation: true,
  tolerated: true,
  fault: true,
} satisfies Record<keyof ChargePointEvents, true>) as (keyof ChargePointEvents)[];
