/** What happens at a connector, and is to be told to the Central System. */
export interface ChargingEvent {
  /** Unique for a charger, and greater than that of every earlier event: it is what the meter shows. */
  readonly mark: number;
  readonly action: "StartTransaction" | "MeterValues" | "StopTransaction";
  readonly connectorId: number;
  /** Unique for a transaction of a charger. */
  readonly idTag: string;
}

/** A line of the log that the hardware of a charger keeps: written at once, and never lost. */
export type LogLine =
  /** The store is about to be opened. */
  | { readonly type: "opening" }
  /** The Central System has answered BootNotification. */
  | { readonly type: "registered" }
  /** The charge point is about to be told. */
  | { readonly type: "happening"; readonly event: ChargingEvent }
  /** The charge point has saved this event and all before. */
  | { readonly type: "saved"; readonly mark: number }
  /** The charge point has delivered this event, and saved that it has. */
  | { readonly type: "settled"; readonly mark: number }
  /** Something went wrong that should not, whatever the moment of a crash. */
  | { readonly type: "wrong"; readonly what: string };
