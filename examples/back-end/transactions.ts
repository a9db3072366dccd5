import { type Conf, type Req, transactionMessageKey } from "@ocppj/core";
import { type Database, latest, type Page, type Parameters } from "./database.ts";

type IdTagStatus = Conf<"StartTransaction">["idTagInfo"]["status"];
type MeterValue = Req<"MeterValues">["meterValue"][number];

/** Somebody charges, or has charged. Meters are in Wh; `null`: not yet, or not said. */
export interface Transaction {
  readonly transactionId: number;
  readonly identity: string;
  readonly connectorId: number;
  readonly idTag: string;
  /** What the charger was told about the idTag: with anything but `Accepted` it has to stop. */
  readonly idTagStatus: IdTagStatus;
  readonly reservationId: number | null;
  readonly startedAt: string;
  readonly meterStart: number;
  readonly stoppedAt: string | null;
  readonly meterStop: number | null;
  readonly stopIdTag: string | null;
  readonly stopReason: string | null;
  /** What has flowed so far; `null` when the meter fell, and its ends do not tell: the meter values may. */
  readonly energyWh: number | null;
}

export const energyWh =
  "CASE WHEN meterFell THEN NULL ELSE ifnull(meterStop, meterLatest) - meterStart END AS energyWh";

/** Below this no energy register can stand, unless it has begun anew. */
const lowestEnd = "CASE WHEN meterFell THEN meterLatest ELSE max(meterStart, meterLatest) END";

const columns = `transactionId, identity, connectorId, idTag, idTagStatus, reservationId, startedAt, meterStart,
  stoppedAt, meterStop, stopIdTag, stopReason, ${energyWh}`;

/**
 * Transactions and their meter values.
 *
 * Chargers deliver at least once, hours late if need be, and lose what is answered with a CALLERROR. So nothing here
 * fails because of what a charger says: what cannot be right is stored beside what is.
 */
export class Transactions {
  readonly #startedBy;
  readonly #start;
  readonly #concurrent;
  readonly #read;
  readonly #stoppedBy;
  readonly #stop;
  readonly #end;
  readonly #lowestEnd;
  readonly #orphan;
  readonly #measuredBy;
  readonly #measure;
  readonly #list;
  readonly #get;
  readonly #meterValues;
  readonly #orphans;

  constructor(database: Database) {
    this.#startedBy = database.prepare<Transaction>(`SELECT ${columns} FROM transactions WHERE startKey = @key`);
    this.#start = database.prepare<Transaction>(`
      INSERT INTO transactions
        (startKey, identity, connectorId, idTag, idTagStatus, reservationId, startedAt, meterStart, meterLatest)
      VALUES (@key, @identity, @connectorId, @idTag, @idTagStatus, @reservationId, @timestamp, @meterStart, @meterStart)
      RETURNING ${columns}`);
    this.#concurrent = database.prepare(`
      SELECT transactionId FROM runningTransactions
      WHERE idTag = @idTag AND idTagStatus = 'Accepted' AND NOT (identity = @identity AND connectorId = @connectorId)`);
    this.#read = database.prepare(`
      UPDATE transactions SET meterFell = meterFell OR @reading <= meterLatest - 1, meterLatest = @reading
      WHERE transactionId = @transactionId AND identity = @identity AND stopKey IS NULL`);
    this.#stoppedBy = database.prepare(`
      SELECT stopKey FROM transactions WHERE stopKey = @key
      UNION ALL SELECT stopKey FROM orphanedStops WHERE stopKey = @key`);
    this.#stop = database.prepare<{ connectorId: number }>(`
      UPDATE transactions SET stopKey = @key, stoppedAt = @timestamp, meterStop = @meterStop, stopIdTag = @idTag,
        stopReason = @reason, meterFell = meterFell OR @meterStop <= meterLatest - 1
      WHERE transactionId = @transactionId AND identity = @identity AND stopKey IS NULL
      RETURNING connectorId`);
    this.#end = database.prepare<Transaction>(`
      UPDATE transactions SET stoppedAt = @now, meterStop = ifnull(@meterStop, round(${lowestEnd})),
        stopReason = 'Operator'
      WHERE transactionId = @transactionId AND stoppedAt IS NULL
      RETURNING ${columns}`);
    this.#lowestEnd = database.prepare<{ lowest: number }>(`
      SELECT ${lowestEnd} AS lowest FROM transactions WHERE transactionId = @transactionId`);
    this.#orphan = database.prepare(`
      INSERT INTO orphanedStops (stopKey, identity, transactionId, stoppedAt, meterStop, stopIdTag, stopReason)
      VALUES (@key, @identity, @transactionId, @timestamp, @meterStop, @idTag, @reason)`);
    this.#measuredBy = database.prepare("SELECT messageKey FROM meterValues WHERE messageKey = @key");
    this.#measure = database.prepare(`
      INSERT INTO meterValues (messageKey, position, identity, connectorId, transactionId, timestamp, sampledValue)
      VALUES (@key, @position, @identity, @connectorId, @transactionId, @timestamp, @sampledValue)`);
    this.#list = database.prepare<Transaction>(`
      SELECT ${columns} FROM transactions
      WHERE transactionId < @before AND identity = ifnull(@identity, identity)
        AND (@running = 0 OR transactionId IN (SELECT transactionId FROM runningTransactions))
      ORDER BY transactionId DESC LIMIT @limit`);
    this.#get = database.prepare<Transaction>(`SELECT ${columns} FROM transactions WHERE transactionId = @id`);
    this.#meterValues = database.prepare<{ timestamp: string; sampledValue: string }>(`
      SELECT timestamp, sampledValue FROM meterValues
      WHERE transactionId = @transactionId AND identity = @identity ORDER BY rowid`);
    this.#orphans = database.prepare<OrphanedStop>(`
      SELECT rowid AS position, identity, transactionId, stoppedAt, meterStop, stopIdTag, stopReason FROM orphanedStops
      WHERE rowid < @before ORDER BY rowid DESC LIMIT @limit`);
  }

  /** The transaction that the same StartTransaction has started before, in a message whose answer got lost. */
  startedBy(identity: string, req: Req<"StartTransaction">): Transaction | undefined {
    return this.#startedBy.one({ key: transactionMessageKey(identity, "StartTransaction", req) });
  }

  start(identity: string, req: Req<"StartTransaction">, idTagStatus: IdTagStatus): Transaction {
    const key = transactionMessageKey(identity, "StartTransaction", req);
    const transaction = this.#start.one({ key, identity, ...req, idTagStatus });
    if (transaction === undefined) throw new Error("A transaction was inserted, but not returned.");
    return transaction;
  }

  /** Whether an idTag charges at another connector. */
  isConcurrent(identity: string, { connectorId, idTag }: Req<"StartTransaction">): boolean {
    return this.#concurrent.one({ identity, connectorId, idTag }) !== undefined;
  }

  /** Ends a transaction, unless it has ended. A stop that fits none is kept as an orphan. */
  stop(identity: string, req: Req<"StopTransaction">): void {
    const { idTag, meterStop, reason = "Local", timestamp, transactionData = [], transactionId } = req;
    const key = transactionMessageKey(identity, "StopTransaction", req);
    if (this.#stoppedBy.one({ key }) !== undefined) return;
    const end = { key, identity, idTag, meterStop, reason, timestamp, transactionId };
    const stopped = this.#stop.one(end);
    if (stopped === undefined) this.#orphan.run(end);
    this.#keep(transactionData, { key, identity, connectorId: stopped?.connectorId ?? 0, transactionId });
  }

  /** Whether a meter cannot show so little at the end of a transaction: less, by more than rounding, than it has shown. */
  isTooLow({ transactionId }: Transaction, meterStop: number): boolean {
    const { lowest = 0 } = this.#lowestEnd.one({ transactionId }) ?? {};
    return meterStop <= lowest - 1;
  }

  /**
   * Ends a transaction whose charger will not, at a meter that the operator knows, or at its last reading. If its stop comes
   * after all, that counts, and nothing of what the operator said. `undefined`: it has ended before, or there is none.
   */
  end(transactionId: number, meterStop?: number): Transaction | undefined {
    return this.#end.one({ transactionId, meterStop, now: new Date().toISOString() });
  }

  /** Keeps meter values, and what the last of them says about the transaction that they belong to. */
  measured(identity: string, req: Req<"MeterValues">): void {
    const { connectorId, meterValue, transactionId } = req;
    const key = transactionMessageKey(identity, "MeterValues", req);
    if (this.#measuredBy.one({ key }) !== undefined) return;
    this.#keep(meterValue, { key, identity, connectorId, transactionId });
    for (const { sampledValue } of meterValue) {
      const reading = energyIn(sampledValue);
      if (reading !== undefined) this.#read.run({ identity, transactionId, reading });
    }
  }

  #keep(meterValue: readonly MeterValue[], origin: Parameters): void {
    for (const [position, { sampledValue, timestamp }] of meterValue.entries()) {
      this.#measure.run({ ...origin, position, timestamp, sampledValue: JSON.stringify(sampledValue) });
    }
  }

  /** The latest first. */
  list({ before = latest, identity, limit, running }: TransactionFilter): Transaction[] {
    return this.#list.all({ before, identity, limit, running: running ? 1 : 0 });
  }

  get(id: number): Transaction | undefined {
    return this.#get.one({ id });
  }

  /** In the order in which they arrived. */
  meterValues({ identity, transactionId }: Transaction): MeterValue[] {
    return this.#meterValues
      .all({ identity, transactionId })
      .map(({ timestamp, sampledValue }) => ({ timestamp, sampledValue: JSON.parse(sampledValue) }));
  }

  /** The latest first. */
  orphanedStops({ before = latest, limit }: Page): OrphanedStop[] {
    return this.#orphans.all({ before, limit });
  }
}

/** A StopTransaction that fits no transaction. */
export interface OrphanedStop {
  /** Counts them. */
  readonly position: number;
  readonly identity: string;
  readonly transactionId: number;
  readonly stoppedAt: string;
  readonly meterStop: number;
  readonly stopIdTag: string | null;
  readonly stopReason: string;
}

/** Which transactions to list; what is left out does not matter. */
export interface TransactionFilter extends Page {
  readonly identity?: string | undefined;
  readonly running?: boolean | undefined;
}

/** What the energy register showed, in Wh. What a value leaves out has a default: this register, all phases, in Wh. */
function energyIn(sampledValue: MeterValue["sampledValue"]): number | undefined {
  const energy = sampledValue.find(
    ({ measurand = "Energy.Active.Import.Register", phase, format = "Raw" }) =>
      measurand === "Energy.Active.Import.Register" && phase === undefined && format === "Raw",
  );
  if (energy === undefined || energy.value.trim() === "") return undefined;
  const reading = Number(energy.value) * (energy.unit === "kWh" ? 1000 : 1);
  return Number.isFinite(reading) ? reading : undefined;
}
