import type { Charger } from "./charger.ts";

const keys = "1/2 connector   p plug   u unplug   t tag   x unknown tag   f fault   n network   q quit";

/** Draws what a charger does: its connectors above, what happened below. */
export class Screen {
  readonly #lines: string[] = [];
  /** Lines that somebody waits for, and that came while nobody did. */
  #waiting: { readonly part: string; readonly found: () => void } | undefined;
  #unseen: string[] = [];
  readonly #live: boolean;
  selected = 1;

  /** @param live - Whether the output is a terminal that can be drawn over; otherwise events are printed line by line. */
  constructor(live: boolean) {
    this.#live = live;
  }

  log(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > 12) this.#lines.shift();
    if (!this.#live) console.log(line);
    this.#unseen.push(line);
    this.#look();
  }

  /** Resolves when a line that contains `part` has come since the last one that was waited for. */
  until(part: string): Promise<void> {
    return new Promise((found) => {
      this.#waiting = { part, found };
      this.#look();
    });
  }

  #look(): void {
    const { part, found } = this.#waiting ?? {};
    const index = part === undefined ? -1 : this.#unseen.findIndex((line) => line.includes(part));
    if (index < 0) return;
    this.#unseen = this.#unseen.slice(index + 1);
    this.#waiting = undefined;
    found?.();
  }

  draw(charger: Charger): void {
    if (!this.#live) return;
    const { chargePoint, bays, online, networkOn } = charger;
    const waiting = bays.filter(({ transaction }) => transaction !== undefined).length;
    const rows = bays.map((bay) => {
      const cells = [
        `${bay.id === this.selected ? "›" : " "} ${bay.id}`,
        bay.status.padEnd(13),
        bay.plugged ? "plugged  " : "         ",
        bay.locked ? "locked " : "       ",
        `${Math.round(bay.register)} Wh`.padStart(10),
        `${charger.powerOf(bay)} W`.padStart(8),
        bay.transaction === undefined ? "" : `transaction ${bay.transaction.transactionId ?? "…"}`,
      ];
      return cells.join("  ");
    });
    const text = [
      `${chargePoint.identity}  ${networkOn ? (online ? "online" : "connecting") : "network off"}  ${chargePoint.registration}  ${new Date(chargePoint.now()).toISOString().slice(0, 19)}Z  ${waiting} running`,
      "",
      ...rows,
      "",
      ...this.#lines,
      "",
      keys,
    ];
    process.stdout.write(`\u001b[H\u001b[J${text.join("\n")}\n`);
  }
}
