import type { ChargePoint, Configuration, Explanation } from "@ocppj/core";
import { Emitter } from "@ocppj/core";
import type { ChargerOptions } from "./charger-options.ts";
import type { ChargerState } from "./charger-state.ts";

/** The events of a {@link Charger}. Those of the protocol are told by its `chargePoint`. */
export interface ChargerEvents {
  /** Something of `state` is another now. */
  changed: [state: ChargerState];
  /** A line for a log: who was refused and why, what was stopped and why. */
  said: [event: { readonly connectorId: number; readonly text: string }];
  /** The hardware failed, or the store did, or a listener threw. */
  fault: [event: { readonly error: unknown; readonly connectorId?: number }];
}

/** A whole charger: give it hardware, and it does the rest. */
export class Charger extends Emitter<ChargerEvents> {
  /** Reads the store, asks the hardware what is the case, and begins to connect. */
  static async start(_options: ChargerOptions): Promise<Charger> {
    throw new Error("to be written");
  }
  /** The protocol side. */
  declare readonly chargePoint: ChargePoint;
  declare readonly configuration: Configuration;
  get state(): ChargerState {
    throw new Error("to be written");
  }
  /** Why a connector may draw what it may, or all of them with 0. */
  explain(_connectorId: number): Explanation {
    throw new Error("to be written");
  }
  /** The owner's own button: stops the transaction of a connector, with the reason `Local`. */
  stopTransaction(_connectorId: number): void {}
  /** The owner's own key: takes a connector, or with 0 the charger, out of service, or back. */
  async setOperative(_connectorId: number, _operative: boolean): Promise<void> {}
  /** Lets the cable go, as UnlockConnector does. */
  async unlock(_connectorId: number): Promise<"Unlocked" | "UnlockFailed" | "NotSupported"> {
    throw new Error("to be written");
  }
  /** Ends it: opens all contactors, disconnects, and leaves what runs in the store. */
  async stop(): Promise<void> {}
}
