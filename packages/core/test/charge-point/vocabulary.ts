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
