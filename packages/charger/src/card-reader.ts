import { type Machine, sameIdTag } from "@ocppj/core";

/** What the reader of a charger, which is not for one connector, goes by. */
export interface ReachableConnector {
  readonly connectorId: number;
  /** Whose it is: of a transaction, or of somebody who was accepted. */
  readonly idTag: string | undefined;
  readonly transaction: boolean;
  /** Whether a cable waits there for a card. */
  readonly awaitsCard: boolean;
  readonly isFree: boolean;
}

export type CardReaderOutput = { readonly type: "presented"; readonly connectorId: number; readonly idTag: string };

/**
 * Finds out for which connector a card is meant that was held to the reader of the charger: for the one that it uses, else
 * for the one that was plugged in last, else for the one that will be plugged in next.
 */
export class CardReader implements Machine<CardReaderOutput> {
  deadline = Number.POSITIVE_INFINITY;
  readonly #outputs: CardReaderOutput[] = [];
  /** Where cables were plugged in, the latest last. */
  #plugged: readonly number[] = [];
  /** The card that waits for a cable. */
  #waiting: string | undefined;

  /** @param timeOutMs - ConnectionTimeOut; 0: none. */
  presented(idTag: string, connectors: readonly ReachableConnector[], now: number, timeOutMs: number): void {
    const wasWaiting = this.#waiting;
    this.forget();
    const chosen = this.#chosen(idTag, connectors);
    if (chosen !== undefined) this.#outputs.push({ type: "presented", connectorId: chosen.connectorId, idTag });
    else if (wasWaiting !== undefined && sameIdTag(wasWaiting, idTag))
      return; // Its owner has changed his mind. [STX-B1]
    else {
      this.#waiting = idTag;
      this.deadline = timeOutMs > 0 ? now + timeOutMs : Number.POSITIVE_INFINITY;
    }
  }

  plugged(connectorId: number): void {
    this.#plugged = [...this.#plugged.filter((id) => id !== connectorId), connectorId];
    if (this.#waiting === undefined) return;
    this.#outputs.push({ type: "presented", connectorId, idTag: this.#waiting });
    this.forget();
  }

  poll(): CardReaderOutput | undefined {
    return this.#outputs.shift();
  }

  advance(now: number): void {
    if (now >= this.deadline) this.forget();
  }

  /** No card waits any more. */
  forget(): void {
    this.#waiting = undefined;
    this.deadline = Number.POSITIVE_INFINITY;
  }

  #chosen(idTag: string, connectors: readonly ReachableConnector[]): ReachableConnector | undefined {
    const own = connectors.find((each) => each.idTag !== undefined && sameIdTag(each.idTag, idTag));
    if (own !== undefined) return own;
    const waiting = [...this.#plugged].reverse();
    const latest = waiting.map((id) => connectors.find((each) => each.connectorId === id && each.awaitsCard));
    const plugged = latest.find((each) => each !== undefined);
    if (plugged !== undefined) return plugged;
    const free = connectors.filter(({ isFree }) => isFree);
    if (free.length > 1) return undefined; // It is not known yet.
    // Who belongs to the group of one that charges may stop it.
    return free[0] ?? connectors.find(({ transaction }) => transaction) ?? connectors[0];
  }
}
