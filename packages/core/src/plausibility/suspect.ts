/** The rules of `Plausibility`, with what is wrong where one is broken. */
export const plausibilityRules = {
  "start-repeated": "One start was given two transaction ids: there are two bills for it.",
  "start-while-running": "It starts while another transaction runs on this connector, whose end was never reported.",
  "time-before-last":
    "It starts before the last transaction on this connector has ended, or before there was OCPP 1.6.",
  "time-in-future": "Its time has not come yet.",
  "register-below-last": "Its register starts below what it had reached on this connector.",
  "register-falls": "Its register is lower than it was before.",
  "stop-before-start": "It stops before it has started.",
  "stop-repeated": "It has stopped already, at another register.",
  "stop-by-other": "A card stopped it that is neither that of the start nor of its group.",
  "reading-outside": "A reading is not of the time, or not of the connector, of its transaction.",
} as const;

/** The name of a rule. */
export type PlausibilityRule = keyof typeof plausibilityRules;

/** Something that cannot be right. */
export interface Suspect {
  readonly rule: PlausibilityRule;
  /** What is wrong, in one sentence, without anything that the Charge Point chose. */
  readonly message: string;
  readonly connectorId: number | undefined;
  /** As it was told; `undefined` when a start was not answered. */
  readonly transactionId: number | undefined;
}

/** What was found about one message, each rule once. */
export class Found {
  readonly #connectorId: number | undefined;
  readonly #transactionId: number | undefined;
  readonly #rules = new Set<PlausibilityRule>();

  constructor(connectorId: number | undefined, transactionId: number | undefined) {
    this.#connectorId = connectorId;
    this.#transactionId = transactionId;
  }

  tell(rule: PlausibilityRule): void {
    this.#rules.add(rule);
  }

  get suspects(): readonly Suspect[] {
    const about = { connectorId: this.#connectorId, transactionId: this.#transactionId };
    return [...this.#rules].map((rule) => ({ rule, message: plausibilityRules[rule], ...about }));
  }
}
