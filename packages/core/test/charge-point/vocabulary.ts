import type { QueuedMessage, TransactionMessage } from "../../src/charge-point/transaction-queue.ts";
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

/** Each message carries a number of the test's, by which `markOf` knows it again. */
export const startTransaction = (mark: number): TransactionMessage => ({
  action: "StartTransaction",
  req: { connectorId: 1, idTag: "TAG", meterStart: mark, timestamp: "2026-01-01T00:00:00Z" },
});

export const meterValues = (mark: number): TransactionMessage => ({
  action: "MeterValues",
  req: {
    connectorId: 1,
    meterValue: [{ timestamp: "2026-01-01T00:00:00Z", sampledValue: [{ value: `${mark}` }] }],
  },
});

export const stopTransaction = (mark: number): TransactionMessage => ({
  action: "StopTransaction",
  req: { meterStop: mark, timestamp: "2026-01-01T00:00:00Z" },
});

export function markOf(message: TransactionMessage): number {
  switch (message.action) {
    case "StartTransaction":
      return message.req.meterStart;
    case "MeterValues":
      return Number(message.req.meterValue[0]?.sampledValue[0]?.value);
    case "StopTransaction":
      return message.req.meterStop;
  }
}

export const queued = (message: TransactionMessage, sequence: number, failures = 0): QueuedMessage => ({
  ...message,
  sequence,
  transaction: 1,
  failures,
});
