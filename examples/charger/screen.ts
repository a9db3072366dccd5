import type { ConnectorState } from "@ocppj/charger";
import { bold, dim, green, plain, red, wrap } from "../timeline.ts";
import type { ExampleCharger } from "./charger.ts";

const keys = [
  "1 2  choose a connector   t  show it card 04E91C5A     n  network out, in",
  "p    plug a car in        x  show it an unknown card   f  break it, mend it",
  "u    unplug the car       w  why it may draw that much  c  cut the power",
  "                                                        q  quit",
];

/** Takes over the terminal: another screen, no cursor, no line breaks; and gives it back. */
const takeOver = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const giveBack = "\u001b[?7h\u001b[?25h\u001b[?1049l";

/** Shows what a charger does: its connectors above, what happened below. */
export class Screen {
  /** What happened, each with the time. */
  readonly #lines: [time: string, line: string][] = [];
  /** Somebody waits for a line that contains `part`. */
  #waiting: { readonly part: string; readonly found: () => void } | undefined;
  /** The lines since the last one that was waited for. */
  #unseen: string[] = [];
  readonly #live: boolean;
  selected = 1;

  /** @param live - Whether the output is a terminal that can be drawn over; otherwise events are printed line by line. */
  constructor(live: boolean) {
    this.#live = live;
    if (!live) return;
    process.stdout.write(takeOver);
    process.once("exit", () => process.stdout.write(giveBack));
  }

  log(line: string): void {
    this.#lines.push([new Date().toTimeString().slice(0, 8), line]);
    if (this.#lines.length > 100) this.#lines.shift();
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

  draw(example: ExampleCharger): void {
    if (!this.#live) return;
    const { chargePoint, state } = example.charger;
    const { undelivered } = state;
    const { reach } = example;
    const above = [
      `${bold(chargePoint.identity)} at ${plain(example.url)}`,
      `${reach === "online" ? green(reach) : red(reach)}, registration ${chargePoint.registration}, ` +
        `${undelivered} ${undelivered === 1 ? "message waits" : "messages wait"}`,
      `${new Date(chargePoint.now()).toISOString().slice(0, 19).replace("T", " ")} UTC`,
      "",
      dim("  connector  status         cable           meter     power     offer  use"),
      ...state.connectors.map((connector) => this.#row(connector, example)),
      "",
      ...keys.map(dim),
      "",
    ];
    const happened = this.#lines.flatMap(([time, line]) => wrap(`${dim(time)}  `, plain(line)).split("\n"));
    const room = Math.max(1, (process.stdout.rows ?? 24) - above.length - 1);
    const text = [...above, ...happened.slice(-room)].map((line) => ` ${line}\u001b[K\r\n`).join("");
    process.stdout.write(`\u001b[H${text}\u001b[J`);
  }

  #row(connector: ConnectorState, { hardware }: ExampleCharger): string {
    const { connectorId, offer, operative, plugged, reading, reservation, session, status } = connector;
    const { isLocked = false, power = 0 } = hardware.state[connectorId - 1] ?? {};
    const paint = status === "Faulted" ? red : power > 0 ? green : (text: string) => text;
    const { transaction } = session ?? {};
    const use = [
      transaction && `${transaction.transactionId ?? "no id yet"}: ${Math.round(transaction.energy)} Wh`,
      session?.idTag && `card ${plain(session.idTag)}`,
      reservation && `reserved for ${plain(reservation.idTag)}`,
      !operative && status !== "Unavailable" && "out of service when it is free",
    ];
    const cells = [
      `${connectorId === this.selected ? "›" : " "} ${connectorId}`.padEnd(11),
      paint(status.padEnd(13)),
      (isLocked ? "locked" : plugged ? "plugged in" : "").padEnd(10),
      `${Math.round(reading?.["Energy.Active.Import.Register"] ?? 0)} Wh`.padStart(9),
      `${Math.round(power)} W`.padStart(8),
      `${offer?.A ?? 0} A`.padStart(8),
      use.filter(Boolean).join(", "),
    ];
    return cells.join("  ").trimEnd();
  }
}
