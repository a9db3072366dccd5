import { CallError, CentralSystem, type Connection, type HandlerContext } from "@ocppj/core";
import { type Listener, listen } from "../../src/index.ts";
import { markOf, type TransactionCall } from "./charger.ts";
import type { ChargingEvent } from "./hardware-log.ts";

/** A transaction-related CALL that arrived. */
export interface Entry {
  readonly identity: string;
  /** The run of the charger that sent it. */
  readonly run: number;
  readonly connection: Connection<"CentralSystem">;
  /** What it tells of. */
  readonly event: ChargingEvent;
  readonly call: TransactionCall;
  /** What became of the answer so far: on its way, not sent, or a CALLERROR. */
  answer: "given" | "none" | "refusal";
}

interface StartedTransaction extends Pick<ChargingEvent, "connectorId" | "idTag"> {
  readonly transactionId: number;
}

/** A run of a charger, from its start to its crash. */
interface Run {
  readonly number: number;
  readonly received: () => void;
}

/** Its clock is ahead of that of the chargers. */
const aheadMs = 60 * 60 * 1000;

/**
 * A Central System that writes down every transaction-related CALL when it arrives, and then answers late, with a
 * CALLERROR, not at all, or hangs up.
 */
export class UnreliableCentralSystem {
  /** Whether it answers everything at once instead. */
  reliable = false;
  /** In the order of arrival. */
  readonly record: Entry[] = [];
  /** What the chargers did that they should not. */
  readonly violations: string[] = [];
  readonly #random: () => number;
  readonly #listener: Listener;
  /** By what a StartTransaction says, so that a repeated one gets the same id. [CORE-TXQ-15] */
  readonly #transactions = new Map<string, StartedTransaction>();
  /** The present runs, by identity. */
  readonly #runs = new Map<string, Run>();
  readonly #runOf = new WeakMap<Connection<"CentralSystem">, Run>();

  static async listen(random: () => number): Promise<UnreliableCentralSystem> {
    const centralSystem = new CentralSystem();
    return new UnreliableCentralSystem(centralSystem, await listen(centralSystem), random);
  }

  private constructor(centralSystem: CentralSystem, listener: Listener, random: () => number) {
    this.#random = random;
    this.#listener = listener;
    centralSystem.on("connected", ({ identity, connection }) => {
      this.#runOf.set(connection, this.#runs.get(identity) as Run);
    });
    centralSystem.on("violation", ({ message }) => this.violations.push(message));
    centralSystem.on("fault", ({ error }) => this.violations.push(String(error)));
    const currentTime = (): string => new Date(Date.now() + aheadMs).toISOString();
    centralSystem.handle("BootNotification", () => ({
      status: "Accepted",
      currentTime: currentTime(),
      interval: 300,
    }));
    centralSystem.handle("Heartbeat", () => ({ currentTime: currentTime() }));
    centralSystem.handle("StartTransaction", async (req, context) => {
      const { connectorId, idTag, meterStart, timestamp } = req;
      const key = JSON.stringify([context.connection.identity, connectorId, idTag, meterStart, timestamp]);
      const transactionId = this.#transactions.get(key)?.transactionId ?? 1 + this.#transactions.size;
      this.#transactions.set(key, { transactionId, connectorId, idTag });
      await this.#receive({ action: "StartTransaction", req }, { connectorId, idTag }, context);
      return { transactionId, idTagInfo: { status: "Accepted" } };
    });
    centralSystem.handle("MeterValues", async (req, context) => {
      await this.#receive({ action: "MeterValues", req }, this.#transaction(req.transactionId), context);
      return {};
    });
    centralSystem.handle("StopTransaction", async (req, context) => {
      await this.#receive({ action: "StopTransaction", req }, this.#transaction(req.transactionId), context);
      return {};
    });
  }

  get url(): string {
    return this.#listener.url;
  }

  /**
   * Says that the connections of a charger are from now on those of another run.
   *
   * @param received - Is called whenever a transaction-related CALL of this run has been written down.
   */
  began(identity: string, number: number, received: () => void): void {
    this.#runs.set(identity, { number, received });
  }

  close(): Promise<void> {
    return this.#listener.close();
  }

  #transaction(id: number | undefined): Pick<ChargingEvent, "connectorId" | "idTag"> {
    const transactions = [...this.#transactions.values()];
    return transactions.find(({ transactionId }) => transactionId === id) ?? { connectorId: -1, idTag: "unknown" };
  }

  /** Writes a CALL down; returns when, and if, it is to be answered. */
  async #receive(
    call: TransactionCall,
    { connectorId, idTag }: Pick<ChargingEvent, "connectorId" | "idTag">,
    { connection, answered }: HandlerContext<"CentralSystem">,
  ): Promise<void> {
    const { identity } = connection;
    const event = { mark: markOf(call), action: call.action, connectorId, idTag };
    const run = this.#runOf.get(connection) as Run;
    const entry: Entry = { identity, run: run.number, connection, event, call, answer: "none" };
    this.record.push(entry);
    run.received();
    if (this.reliable) {
      entry.answer = "given";
      return;
    }
    const whim = this.#random();
    if (whim < 0.02) {
      entry.answer = "refusal";
      throw new CallError("InternalError", "Not in the mood");
    }
    if (whim < 0.03) await new Promise(() => {});
    if (whim < 0.05) connection.close(1012);
    if (whim < 0.5) await new Promise((resolve) => setTimeout(resolve, 10 * this.#random()));
    void answered.then((given) => {
      if (given) entry.answer = "given";
      if (whim > 0.98) connection.close(1012);
    });
  }
}
