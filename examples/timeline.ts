import { performance } from "node:perf_hooks";
import { stripVTControlCharacters } from "node:util";
import {
  type Action,
  type CallErrorFrame,
  type CallFrame,
  type CallResultFrame,
  type Conf,
  type Connection,
  encode,
  type Req,
  type Role,
  redacted,
} from "@ocppj/core";

/** A CALL and what it was answered with. */
export interface Exchange {
  readonly caller: Role;
  /** The Charge Point, whoever called. */
  readonly identity: string;
  readonly call: CallFrame;
  readonly answer: CallResultFrame | CallErrorFrame;
  /** From the CALL to its answer, where both were seen: a round trip for who called, the time to serve for who answered. */
  readonly elapsedMs: number;
}

export interface TimelineOptions {
  /** Whether every line is followed by its two frames, as they were on the wire. Default false. */
  readonly verbose?: boolean;
  /** Whether every line begins with the identity of the Charge Point. Default false. */
  readonly identities?: boolean;
}

/** Prints what passes over connections, one line for each exchange. */
export class Timeline {
  readonly exchanges: Exchange[] = [];
  readonly #verbose: boolean;
  readonly #identities: boolean;

  constructor({ verbose = false, identities = false }: TimelineOptions = {}) {
    this.#verbose = verbose;
    this.#identities = identities;
  }

  /** Prints the exchanges of a connection from now on: all of them, or those only that this end has called for. */
  follow<R extends Role>(connection: Connection<R>, which: "all" | "own" = "all"): void {
    const { identity, role } = connection;
    const peer: Role = role === "ChargePoint" ? "CentralSystem" : "ChargePoint";
    const calls = { in: new Map<string, Sent>(), out: new Map<string, Sent>() };
    connection.on("message", ({ direction, frame }) => {
      if (frame.type === "CALL") {
        if (direction === "out" || which === "all") calls[direction].set(frame.messageId, sentNow(frame));
        return;
      }
      const answered = calls[direction === "out" ? "in" : "out"];
      const sent = answered.get(frame.messageId);
      if (sent === undefined) return;
      answered.delete(frame.messageId);
      this.add({ caller: direction === "in" ? role : peer, identity, answer: frame, ...elapsedSince(sent) });
    });
  }

  /** Prints one exchange. */
  add(exchange: Exchange): void {
    this.exchanges.push(exchange);
    const { caller, call, answer, elapsedMs } = exchange;
    const arrow = caller === "ChargePoint" ? cyan("→") : magenta("←");
    const { asked, answered, fields = [] } = essentials(call, answer);
    this.#line(exchange.identity, arrow, call.action, `${elapsedMs.toFixed(1)} ms`, `${asked} ${answered}`.trim());
    for (const row of grid(fields)) print(`      ${row}`);
    if (this.#verbose) for (const frame of [call, answer]) print(dim(`      ${encode(redacted(frame))}`));
  }

  /** Prints a CALL that its own end refused to send. */
  refused(identity: string, action: Action, error: Error): void {
    this.#line(identity, red("✗"), action, "not sent", `${red(error.name)} ${error.message}`);
  }

  #line(identity: string, sign: string, action: string, time: string, text: string): void {
    const who = this.#identities ? `${plain(identity).padEnd(6)} ` : "";
    print(wrap(`  ${who}${sign} ${bold(plain(action).padEnd(21))}${time.padStart(10)}  `, text));
  }
}

/** Prints a line that is not about an exchange: what happens, in words. */
export const narrate = (what: string): void => print(`\n${wrap("  ", bold(plain(what)))}`);

/** Prints a line in small print. */
export const note = (what: string): void => print(wrap("  ", dim(plain(what))));

/** Prints what the signs mean. */
export const legend = (): void =>
  note("→ the charge point calls   ← the central system calls   ✓ answered   ✗ refused");

/** Prints what went wrong, to standard error. */
export const complain = (what: string): void => console.error(`\n${wrap("  ", `${red("✗")} ${plain(what)}`)}\n`);

const print = (text: string): void => console.log(text);

interface Sent {
  readonly call: CallFrame;
  readonly at: number;
}

const sentNow = (call: CallFrame): Sent => ({ call, at: performance.now() });

const elapsedSince = ({ call, at }: Sent): Pick<Exchange, "call" | "elapsedMs"> => ({
  call,
  elapsedMs: performance.now() - at,
});

/** What of an exchange is worth its place on the line. */
interface Essentials {
  readonly asked: string;
  readonly answered: string;
  /** Name and value of fields that are listed below the line. */
  readonly fields?: readonly (readonly [name: string, value: string])[];
}

/** How the two payloads of an action are told. */
type Telling<A extends Action> = readonly [req: (req: Req<A>) => string, conf: (conf: Conf<A>) => string];

const nothing = (): string => "";

const tellings: { readonly [A in Action]?: Telling<A> } = {
  BootNotification: [nothing, ({ status, interval }) => `${status}, heartbeat every ${interval} s`],
  Heartbeat: [nothing, ({ currentTime }) => `it is ${currentTime}`],
  Authorize: [({ idTag }) => `card ${idTag}`, ({ idTagInfo }) => idTagInfo.status],
  StatusNotification: [({ connectorId, status }) => `connector ${connectorId} is ${status}`, nothing],
  StartTransaction: [
    ({ idTag, meterStart }) => `card ${idTag}, ${meterStart} Wh`,
    ({ idTagInfo, transactionId }) =>
      idTagInfo.status === "Accepted" ? `transaction ${transactionId}` : idTagInfo.status,
  ],
  MeterValues: [
    ({ meterValue }) => meterValue.map(({ sampledValue }) => sampledValue.map(measured).join(", ")).join("; "),
    nothing,
  ],
  RemoteStopTransaction: [({ transactionId }) => `transaction ${transactionId}`, ({ status }) => status],
  StopTransaction: [
    ({ transactionId, meterStop, reason = "Local" }) => `transaction ${transactionId}, ${meterStop} Wh, ${reason}`,
    nothing,
  ],
};

const measured = ({ value, unit = "Wh" }: { value: string; unit?: string | undefined }): string => `${value} ${unit}`;

function essentials(call: CallFrame, answer: CallResultFrame | CallErrorFrame): Essentials {
  if (answer.type === "CALLERROR") {
    const { errorCode, errorDescription } = answer;
    const refusal = `${red(`✗${noBreak}${plain(errorCode)}`)} ${plain(errorDescription)}`;
    return { asked: json(call.payload), answered: refusal };
  }
  const [req, conf] = (tellings[call.action as Action] ?? [json, json]) as Telling<Action>;
  const asked = tell(req, call.payload);
  const answered = green(`✓${noBreak}${tell(conf, answer.payload)}`.trimEnd());
  if (call.action !== "BootNotification") return { asked, answered };
  const fields = Object.entries(call.payload as Req<"BootNotification">);
  return { asked, answered, fields: fields.map(([name, value = ""]) => [name, plain(value)]) };
}

/** A frame is seen before its payload is checked: one that cannot be told is shown as it is. */
function tell(telling: (payload: never) => string, payload: unknown): string {
  try {
    return plain(telling(payload as never));
  } catch {
    return json(payload);
  }
}

function json(payload: unknown): string {
  const text = JSON.stringify(payload);
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}

/** A text of the peer without what would command the terminal. */
export const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, "·");

/** A terminal of 0 columns is one that does not know its size. */
const width = Math.min(process.stdout.columns || 80, 120);

/** A space at which a line does not break. */
const noBreak = "\u00a0";

/** Breaks a text at spaces, so that all of it stands to the right of its beginning. */
export function wrap(start: string, text: string): string {
  const indent = lengthOf(start);
  const lines: string[] = [];
  let line = start;
  for (const word of text.split(" ")) {
    if (lengthOf(line) > indent && lengthOf(line) + lengthOf(word) > width) {
      lines.push(line.trimEnd());
      line = " ".repeat(indent);
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join("\n").replaceAll(noBreak, " ");
}

/** Names and values in two columns where there is room. */
function grid(fields: readonly (readonly [name: string, value: string])[]): string[] {
  const nameWidth = Math.max(...fields.map(([name]) => name.length));
  const cells = fields.map(([name, value]) => `${dim(name.padEnd(nameWidth))} ${value}`);
  const cellWidth = Math.max(...cells.map(lengthOf)) + 2;
  const perRow = 6 + 2 * cellWidth <= width + 2 ? 2 : 1;
  const rows: string[] = [];
  for (let index = 0; index < cells.length; index += perRow) {
    rows.push(
      cells
        .slice(index, index + perRow)
        .map((cell) => cell + " ".repeat(cellWidth - lengthOf(cell)))
        .join("")
        .trimEnd(),
    );
  }
  return rows;
}

const lengthOf = (text: string): number => stripVTControlCharacters(text).length;

/** Only on a terminal, and only if NO_COLOR does not forbid it. */
const coloured = process.stdout.isTTY === true && process.stdout.hasColors();
const paint =
  (code: number) =>
  (text: string): string =>
    coloured ? `\u001b[${code}m${text}\u001b[0m` : text;

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
const magenta = paint(35);
const cyan = paint(36);
