import { ChargePoint, Configuration, type Connect, type RecordStore, type Req } from "@ocppj/core";
import { seeded } from "@ocppj/testing";
import type { ChargingEvent, LogLine } from "./hardware-log.ts";

/** One run of a charger, from its start to its crash. */
export interface ChargerRun {
  readonly identity: string;
  /** The endpoint URL of the Central System. */
  readonly url: string;
  /** 1 for the first run of this charger, 2 for the one after the first crash, and so on. */
  readonly run: number;
  /** For what it does at random. */
  readonly seed: number;
  /** Whether it only delivers what is left, and then ends by itself. */
  readonly last: boolean;
}

/** What a charger runs on. */
export interface ChargerParts {
  readonly connect: Connect;
  readonly store: RecordStore;
  /** Writes into the hardware log; returns when that is done. */
  readonly log: (line: LogLine) => void;
}

/** No run has as many events. */
const marksOfARun = 10_000;

/**
 * A charger with two connectors, one transaction after the other on each: what it is about to do goes into the hardware
 * log, then the charge point is told, then, most of the time, it waits until that is saved.
 */
export async function runCharger({ identity, url, run, seed, last }: ChargerRun, parts: ChargerParts): Promise<void> {
  const { connect, store, log } = parts;
  const random = seeded(seed);
  let mark = run * marksOfARun;

  log({ type: "opening" });
  const configuration = await Configuration.load({
    store,
    keys: {
      GetConfigurationMaxKeys: { value: 10 },
      NumberOfConnectors: { value: 2 },
      SupportedFeatureProfiles: { value: ["Core"] },
      TransactionMessageAttempts: { value: 1000 }, // It gives up no message.
      TransactionMessageRetryInterval: { value: 0 },
    },
    report: ({ message }) => log({ type: "wrong", what: message }),
  });
  const chargePoint = new ChargePoint({
    identity,
    url,
    connect,
    store,
    configuration,
    boot: { chargePointVendor: "VendorX", chargePointModel: "Crashing" },
    retryBackOffWaitMinimum: 0.005,
    retryBackOffRandomRange: 0.005,
    retryBackOffRepeatTimes: 1,
  });
  chargePoint.on("registration", () => log({ type: "registered" }));
  chargePoint.on("delivered", ({ transaction, call }) => {
    if (transaction !== undefined) void settle(markOf(call));
  });
  chargePoint.on("discarded", ({ call, reason }) => log({ type: "wrong", what: `${reason}: ${JSON.stringify(call)}` }));
  chargePoint.on("violation", ({ message }) => log({ type: "wrong", what: message }));
  chargePoint.on("fault", ({ error }) => log({ type: "wrong", what: String(error) }));

  for (const transaction of await chargePoint.start()) {
    const { connectorId, idTag } = transaction;
    await happen({ action: "StopTransaction", connectorId, idTag }, (meterStop) => {
      transaction.stop({ meterStop, reason: "PowerLoss" });
    });
  }
  if (last) await finish();
  else await Promise.all([charge(1), charge(2)]);

  async function charge(connectorId: number): Promise<never> {
    for (;;) {
      const idTag = `${connectorId}-${mark}`;
      const transaction = await happen({ action: "StartTransaction", connectorId, idTag }, (meterStart) =>
        chargePoint.startTransaction({ connectorId, idTag, meterStart }),
      );
      while (random() < 0.6) {
        await happen({ action: "MeterValues", connectorId, idTag }, (reading) => {
          const timestamp = new Date(chargePoint.now()).toISOString();
          transaction.meterValues({ meterValue: [{ timestamp, sampledValue: [{ value: String(reading) }] }] });
        });
      }
      await happen({ action: "StopTransaction", connectorId, idTag }, (meterStop) => transaction.stop({ meterStop }));
    }
  }

  async function happen<Result>(event: Omit<ChargingEvent, "mark">, tell: (mark: number) => Result): Promise<Result> {
    mark += 1;
    const own = mark;
    log({ type: "happening", event: { mark: own, ...event } });
    const result = tell(own);
    if (random() < 0.2) return result; // And the next event follows in the same breath.
    await chargePoint.saved();
    log({ type: "saved", mark: own });
    await pause(10 * random());
    return result;
  }

  async function settle(own: number): Promise<void> {
    await pause(0); // The store is asked to delete the message right after `delivered`.
    await chargePoint.saved();
    log({ type: "settled", mark: own });
  }

  async function finish(): Promise<void> {
    const giveUpAt = Date.now() + 30_000;
    while (chargePoint.undelivered.count > 0 && Date.now() < giveUpAt) await pause(10);
    await chargePoint.stop();
    await store.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A transaction-related CALL. */
export type TransactionCall = {
  [A in ChargingEvent["action"]]: { readonly action: A; readonly req: Req<A> };
}[ChargingEvent["action"]];

/** What the meter showed when the event happened that a CALL tells of. */
export function markOf({ action, req }: TransactionCall): number {
  switch (action) {
    case "StartTransaction":
      return req.meterStart;
    case "MeterValues":
      return Number(req.meterValue[0]?.sampledValue[0]?.value);
    case "StopTransaction":
      return req.meterStop;
  }
}
