import type { MeterReading, Transaction } from "@ocppj/core";
import { keyOr } from "./charger-keys.ts";
import type { SessionState } from "./charger-state.ts";
import type { Desk } from "./desk.ts";
import type { Reading } from "./hardware/reading.ts";
import { sampledNames } from "./metering/measurand-lists.ts";
import { energyRegister, type MeterValueOptions, meterValueOf, toldEnergy } from "./metering/meter-value.ts";
import { Register, type RegisterState } from "./metering/register.ts";
import { TransactionData, type TransactionDataState } from "./metering/transaction-data.ts";
import type { StopReason } from "./session/session-facts.ts";

/** What is kept with a transaction for the time after a power cut. */
interface Kept {
  readonly register: RegisterState;
  readonly data: TransactionDataState;
  /** What the register showed when StartTransaction.conf did not accept its identifier, in Wh. */
  readonly invalidSince?: number;
}

/** How a transaction begins. */
interface Beginning {
  readonly connectorId: number;
  readonly idTag: string;
  readonly reservationId: number | undefined;
  readonly reading: Reading | undefined;
}

/**
 * A transaction of core with the meter of its connector: what it showed at the start, at each sample and at the end is of
 * one register, which never falls. [CORE-MTR-14 … CORE-MTR-17]
 */
export class MeteredTransaction {
  readonly transaction: Transaction;
  readonly #desk: Desk;
  readonly #register: Register;
  readonly #data: TransactionData;
  #reading: Reading | undefined;
  #keptAt: number;
  #invalidSince: number | undefined;

  private constructor(
    desk: Desk,
    transaction: Transaction,
    parts: {
      register: Register;
      data: TransactionData;
      reading: Reading | undefined;
      invalidSince: number | undefined;
    },
  ) {
    this.#desk = desk;
    this.transaction = transaction;
    this.#register = parts.register;
    this.#data = parts.data;
    this.#reading = parts.reading;
    this.#invalidSince = parts.invalidSince;
    this.#keptAt = desk.clock.now();
  }

  /** @throws RangeError The queue is full. */
  static begin(desk: Desk, { reading, ...start }: Beginning): MeteredTransaction {
    const register = new Register(reading?.[energyRegister]);
    const names = wantedAtStop(desk);
    const context = {
      context: "Transaction.Begin",
      connectorId: start.connectorId,
      timestamp: timestampOf(desk),
    } as const;
    const begin = reading && meterValueOf(reading, names, context);
    const data = new TransactionData({ begin });
    const { reservationId, ...rest } = start;
    const kept: Kept = { register: register.state, data: data.state };
    const transaction = desk.chargePoint.startTransaction(
      { ...rest, meterStart: register.value, ...(reservationId !== undefined && { reservationId }) },
      kept,
    );
    desk.schedule.started(start.connectorId, transaction.startedAt, desk.chargePoint.now());
    return new MeteredTransaction(desk, transaction, { register, data, reading, invalidSince: undefined });
  }

  /** Goes on with a transaction of before a power cut. */
  static resume(desk: Desk, transaction: Transaction, reading: Reading | undefined): MeteredTransaction {
    const { data = {}, invalidSince, register } = (transaction.data ?? {}) as Partial<Kept>;
    const running = new MeteredTransaction(desk, transaction, {
      register: register === undefined ? new Register(transaction.meterStart) : Register.from(register),
      data: new TransactionData(data),
      reading,
      invalidSince,
    });
    // What it has told since the last time that it was kept.
    running.#register.told(transaction.lastReading && toldEnergy(transaction.lastReading));
    running.#register.read(reading?.[energyRegister]);
    desk.schedule.started(transaction.connectorId, transaction.startedAt, desk.chargePoint.now());
    return running;
  }

  /** In Wh, whole. */
  get register(): number {
    return this.#register.value;
  }

  /** What the register showed when StartTransaction.conf did not accept its identifier; `undefined`: it has not refused it. */
  get invalidSince(): number | undefined {
    return this.#invalidSince;
  }

  get state(): NonNullable<SessionState["transaction"]> {
    const { meterStart, startedAt, transactionId } = this.transaction;
    return { transactionId, startedAt, energy: this.register - meterStart };
  }

  /** The meter shows something; now and then that is kept. */
  measured(reading: Reading): void {
    this.#reading = reading;
    this.#register.read(reading[energyRegister]);
    const { clock, options } = this.#desk;
    if (clock.now() >= this.#keptAt + 1000 * options.keepReadingSeconds) this.#keep();
  }

  /** The clock was wrong when it started: its samples are due at other times. */
  clockCorrected(): void {
    this.#desk.schedule.moved(this.transaction.connectorId, this.transaction.startedAt);
  }

  invalidated(): void {
    this.#invalidSince ??= this.register;
    this.#keep();
  }

  /** Tells what the meter shows, and remembers it for the end. */
  sample(context: "Sample.Periodic" | "Trigger"): void {
    const { configuration } = this.#desk;
    this.#tell(sampledNames(configuration.get("MeterValuesSampledData")), { context });
    if (context === "Sample.Periodic") this.#remember(configuration.get("StopTxnSampledData"), { context });
  }

  /** The same for what is aligned to the clock. */
  sampleAligned(at: number): void {
    const { configuration } = this.#desk;
    const moment = {
      context: "Sample.Clock",
      timestamp: dateTimeOf(Math.max(at, this.transaction.startedAt)),
    } as const;
    this.#tell(configuration.get("MeterValuesAlignedData"), moment);
    this.#remember(configuration.get("StopTxnAlignedData"), moment);
  }

  /** Reports the end. */
  stop(reason: StopReason, idTag: string | undefined): void {
    const { configuration, options, schedule } = this.#desk;
    schedule.stopped(this.transaction.connectorId);
    const names = wantedAtStop(this.#desk);
    const end = this.#value(names, { context: "Transaction.End", timestamp: timestampOf(this.#desk) });
    const maxValues = keyOr(configuration, "StopTransactionMaxMeterValues", mostValues);
    const transactionData = this.#data.stopped(end, { maxValues, maxBytes: options.maxMessageBytes - besidesBytes });
    const stop = { meterStop: this.register, reason, ...(idTag !== undefined && { idTag }) };
    this.transaction.stop(transactionData.length === 0 ? stop : { ...stop, transactionData });
  }

  #tell(names: readonly string[], moment: Moment): void {
    const value = this.#value(names, moment);
    if (value !== undefined) this.transaction.meterValues({ meterValue: [value] });
  }

  #remember(names: readonly string[], moment: Moment): void {
    const value = this.#value(names, { timestamp: timestampOf(this.#desk), ...moment });
    const maxValues = keyOr(this.#desk.configuration, "StopTransactionMaxMeterValues", mostValues);
    if (value !== undefined) this.#data.add(value, { maxValues });
  }

  #value(names: readonly string[], moment: Moment): MeterReading | undefined {
    const { connectorId } = this.transaction;
    const energy = this.#register.isKnown && { [energyRegister]: this.register };
    return meterValueOf({ ...this.#reading, ...energy }, names, { connectorId, ...moment });
  }

  #keep(): void {
    this.#keptAt = this.#desk.clock.now();
    const kept: Kept = {
      register: this.#register.state,
      data: this.#data.state,
      ...(this.#invalidSince !== undefined && { invalidSince: this.#invalidSince }),
    };
    this.transaction.keep(kept);
  }
}

type Moment = Pick<MeterValueOptions, "context" | "timestamp">;

/** StopTransactionMaxMeterValues, where a charger does not have it. */
const mostValues = 1000;

/** What a StopTransaction needs besides its transactionData, at most. */
const besidesBytes = 500;

/** Begin and End have the values of both lists. [CORE-MTR-11] */
const wantedAtStop = ({ configuration }: Desk): readonly string[] => [
  ...configuration.get("StopTxnSampledData"),
  ...configuration.get("StopTxnAlignedData"),
];

const timestampOf = ({ chargePoint }: Desk): string => dateTimeOf(chargePoint.now());

const dateTimeOf = (time: number): string => new Date(time).toISOString();
