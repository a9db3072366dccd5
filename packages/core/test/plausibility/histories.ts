import fc from "fast-check";
import { type Conf, Plausibility, type Req, type Suspect } from "../../src/index.ts";

type MeterValue = Req<"MeterValues">["meterValue"][number];
type SampledValue = MeterValue["sampledValue"][number];

/** A message as the Central System gets it. */
export type Message =
  | { readonly type: "boot"; readonly req: Req<"BootNotification">; readonly now: number }
  | {
      readonly type: "start";
      readonly req: Req<"StartTransaction">;
      readonly conf?: Conf<"StartTransaction"> | undefined;
      readonly now: number;
    }
  | { readonly type: "read"; readonly req: Req<"MeterValues">; readonly now: number }
  | {
      readonly type: "stop";
      readonly req: Req<"StopTransaction">;
      readonly conf?: Conf<"StopTransaction"> | undefined;
      readonly now: number;
    };

/** Gives a message to the machine. */
function look(plausibility: Plausibility, message: Message): readonly Suspect[] {
  switch (message.type) {
    case "boot":
      plausibility.booted(message.req, message.now);
      return [];
    case "start":
      return plausibility.started(message.req, message.conf, message.now);
    case "read":
      return plausibility.measured(message.req, message.now);
    case "stop":
      return plausibility.stopped(message.req, message.conf, message.now);
  }
}

/** Gives messages to the machine, which the program that runs it forgets and restores between any two of them. */
export function lookAt(messages: readonly Message[]): { suspects: Suspect[]; plausibility: Plausibility } {
  let plausibility = new Plausibility();
  const suspects: Suspect[] = [];
  for (const message of messages) {
    suspects.push(...look(plausibility, message));
    plausibility = new Plausibility({ state: JSON.parse(JSON.stringify(plausibility.state)) });
  }
  return { suspects, plausibility };
}

/** Gives many messages to one machine. */
export function lookAllAt(messages: readonly Message[]): Plausibility {
  const plausibility = new Plausibility();
  for (const message of messages) look(plausibility, message);
  return plausibility;
}

/** Who charges, and the group of each. */
const cards = [
  { idTag: "Anna", parentIdTag: "family" },
  { idTag: "Bert", parentIdTag: "FAMILY" },
  { idTag: "family" },
  { idTag: "Carl" },
  { idTag: "Dora", parentIdTag: "work" },
] as const;
type Card = (typeof cards)[number];

const group = (card: Card) => ("parentIdTag" in card ? { parentIdTag: card.parentIdTag } : {});
const readings = [
  "Wh",
  "kWh",
  "decimals",
  "aligned",
  "phases",
  "inlet",
  "signed",
  "power",
  "anonymous",
  "main",
] as const;
const ends = ["same", "case", "group", "parent", "untold", "none", "empty", "remote", "minus", "own", "zero"] as const;

/** What may happen at a charger without anything being wrong. */
export type Step =
  | { readonly do: "wait"; readonly seconds: number }
  | { readonly do: "start"; readonly connector: number; readonly card: Card; readonly answered: boolean }
  | { readonly do: "read"; readonly connector: number; readonly what: (typeof readings)[number]; readonly wh: number }
  | { readonly do: "stop"; readonly connector: number; readonly how: (typeof ends)[number]; readonly data: boolean }
  | { readonly do: "online" | "offline" | "boot" | "exchange" }
  | { readonly do: "setClock"; readonly aheadMs: number }
  | { readonly do: "repeat"; readonly times: number }
  | { readonly do: "late"; readonly which: number };

const connector = fc.integer({ min: 1, max: 2 });

export const arbitrarySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 0, max: 5000 }) }),
    fc.record({
      do: fc.constant("start" as const),
      connector,
      card: fc.constantFrom(...cards),
      answered: fc.boolean(),
    }),
    fc.record({
      do: fc.constant("read" as const),
      connector,
      what: fc.constantFrom(...readings),
      wh: fc.integer({ min: 0, max: 30_000 }).map((tenths) => tenths / 10),
    }),
    fc.record({
      do: fc.constant("stop" as const),
      connector,
      how: fc.constantFrom(...ends),
      data: fc.boolean(),
    }),
    fc.record({ do: fc.constantFrom("online" as const, "offline" as const, "boot" as const, "exchange" as const) }),
    fc.record({ do: fc.constant("setClock" as const), aheadMs: fc.integer({ min: -55_000, max: 55_000 }) }),
    fc.record({ do: fc.constant("repeat" as const), times: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ do: fc.constant("late" as const), which: fc.nat(100) }),
  ),
  { maxLength: 80, size: "max" },
);

interface Running {
  readonly transactionId: number;
  readonly card: Card;
  readonly values: MeterValue[];
}

/** What may be so of a charger and its Central System. */
export interface Kind {
  /** Its meters begin each transaction at 0. */
  readonly rebases: boolean;
  /** It has no serial numbers, so that another one may be in its place. */
  readonly isAnonymous: boolean;
  /** The Central System answers without groups: to starts, to stops, or to both. */
  readonly untold: "never" | "starts" | "stops" | "always";
  /** The Central System counts transactions by connector. */
  readonly countsByConnector: boolean;
}

export const arbitraryKind: fc.Arbitrary<Kind> = fc.record({
  rebases: fc.boolean(),
  isAnonymous: fc.boolean(),
  untold: fc.constantFrom("never", "starts", "stops", "always"),
  countsByConnector: fc.boolean(),
});

/** A charger that does everything right, on a bad network, with a clock that is nearly right. */
export class HonestCharger {
  readonly #kind: Kind;
  readonly messages: Message[] = [];
  /** The time in the world. */
  now = Date.UTC(2026, 0, 1);
  #aheadMs = 0;
  #hasSetClock = false;
  #queue: Message[] | undefined;
  #meterSerialNumber = 1;
  readonly #transactionIds = new Map<number, number>();
  readonly #registers = new Map<number, number>();
  readonly #running = new Map<number, Running>();

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  /** What its clock shows. */
  time(at = this.now): string {
    return new Date(at + this.#aheadMs).toISOString();
  }

  take(step: Step): void {
    this.now += 1000;
    switch (step.do) {
      case "wait":
        this.now += step.seconds * 1000;
        break;
      case "start":
        this.start(step.connector, step.card, step.answered);
        break;
      case "read":
        this.read(step.connector, step.what, step.wh);
        break;
      case "stop":
        this.stop(step.connector, step.how, step.data);
        break;
      case "offline":
        this.#queue ??= [];
        break;
      case "online":
        this.online();
        break;
      case "boot":
        this.boot();
        break;
      case "exchange":
        this.#meterSerialNumber++;
        this.#registers.clear();
        this.boot();
        break;
      case "setClock":
        this.#aheadMs = step.aheadMs;
        this.#hasSetClock = true;
        break;
      case "repeat":
        this.#repeat(step.times);
        break;
      case "late":
        this.#late(step.which);
        break;
    }
  }

  boot(): void {
    const req = {
      chargePointVendor: "VENDOR",
      chargePointModel: "CP001",
      ...(!this.#kind.isAnonymous && { meterSerialNumber: String(this.#meterSerialNumber) }),
    };
    // It comes before what is queued.
    if (this.#queue === undefined) this.messages.push({ type: "boot", req, now: this.now });
    else this.#queue.unshift({ type: "boot", req, now: this.now });
  }

  start(connectorId: number, card: Card, answered = true): void {
    if (this.#running.has(connectorId)) return;
    if (this.#kind.rebases) this.#registers.set(connectorId, 0);
    const counter = this.#kind.countsByConnector ? connectorId : 0;
    const transactionId = (this.#transactionIds.get(counter) ?? 0) + 1;
    this.#transactionIds.set(counter, transactionId);
    const { idTag } = card;
    const req = { connectorId, idTag, meterStart: Math.round(this.#register(connectorId)), timestamp: this.time() };
    const conf = { transactionId, idTagInfo: { status: "Accepted" as const, ...this.#told("starts", card) } };
    this.#running.set(connectorId, { transactionId, card, values: [this.#meterValue(this.#wh(connectorId))] });
    if (!answered) this.#send({ type: "start", req, now: this.now });
    this.#send({ type: "start", req, conf, now: this.now });
  }

  read(connectorId: number, what: (typeof readings)[number], wh: number): void {
    const running = this.#running.get(connectorId);
    if (running === undefined) return;
    this.#registers.set(connectorId, this.#register(connectorId) + wh);
    const interval = 900_000;
    const timestamp = what === "aligned" ? this.time(Math.floor(this.now / interval) * interval) : this.time();
    const values: Record<typeof what, SampledValue[]> = {
      Wh: [{ value: String(Math.floor(this.#register(connectorId))) }],
      kWh: [this.#wh(connectorId), { value: (this.#register(connectorId) / 1000).toFixed(1), unit: "kWh" }],
      decimals: [{ value: this.#register(connectorId).toFixed(4), context: "Trigger", location: "Outlet" }],
      aligned: [{ ...this.#wh(connectorId), context: "Sample.Clock" }],
      phases: (["L1", "L2", "L3"] as const).map((phase) => ({ value: String(phase.length), phase })),
      inlet: [
        { value: "1", location: "Inlet" },
        { value: "3", location: "EV" },
      ],
      signed: [{ value: "00ff", format: "SignedData" }],
      power: [
        { value: "11.1", measurand: "Power.Active.Import", unit: "kW" },
        { value: "-3", measurand: "Energy.Active.Import.Interval" },
      ],
      anonymous: [{ value: "7" }],
      main: [{ value: "9" }],
    };
    const meterValue = { timestamp, sampledValue: values[what] };
    const isOfTransaction = what !== "anonymous" && what !== "main";
    if (isOfTransaction) running.values.push(meterValue);
    this.#send({
      type: "read",
      req: {
        connectorId: what === "main" ? 0 : connectorId,
        ...(isOfTransaction && { transactionId: running.transactionId }),
        ...(what === "main" && { transactionId: -1 }),
        meterValue: [meterValue],
      },
      now: this.now,
    });
  }

  stop(connectorId: number, how: (typeof ends)[number], data: boolean): void {
    const running = this.#running.get(connectorId);
    if (running === undefined) return;
    this.#running.delete(connectorId);
    const { card, transactionId, values } = running;
    const { idTag } = card;
    const others = cards.filter((other) => sameGroupAs(card, other));
    const parent = "parentIdTag" in card ? { idTag: card.parentIdTag } : card;
    const by: Record<typeof how, { idTag?: string; reason?: "Remote" | "PowerLoss"; group?: Card }> = {
      same: { idTag },
      case: { idTag: idTag.toUpperCase() },
      group: { idTag: (others[0] ?? card).idTag, group: others[0] ?? card },
      parent,
      untold: { idTag: "Emil" },
      none: { reason: "PowerLoss" },
      empty: { idTag: "" },
      remote: { idTag: "OPERATOR", reason: "Remote" },
      minus: { idTag },
      own: {},
      zero: { idTag },
    };
    const { group: presented, ...who } = by[how];
    const ids = { minus: -1, zero: 0, own: 1_000_000 } as const;
    const req = {
      ...who,
      transactionId: how in ids ? ids[how as keyof typeof ids] : transactionId,
      meterStop: Math.round(this.#register(connectorId)),
      timestamp: this.time(),
      ...(data && { transactionData: this.#inOrder([...values, this.#meterValue(this.#wh(connectorId))]) }),
    };
    const conf =
      how === "group" || how === "parent" || how === "case" || how === "untold"
        ? { idTagInfo: { status: "Accepted" as const, ...(presented && this.#told("stops", presented)) } }
        : {};
    this.#send({ type: "stop", req, conf, now: this.now });
  }

  online(): void {
    for (const message of this.#queue ?? []) this.messages.push({ ...message, now: this.now });
    this.#queue = undefined;
  }

  /** Ends what runs, goes online, and lets some time pass. */
  settle(): void {
    for (const connectorId of [...this.#running.keys()]) this.stop(connectorId, "same", false);
    this.online();
    this.now += 4 * 3_600_000;
    this.#aheadMs = 0;
  }

  /** The answer to the last message was lost, again and again. */
  #repeat(times: number): void {
    const last = this.messages.at(-1);
    for (let time = 0; time < times && last !== undefined; time++) this.messages.push({ ...last, now: this.now });
  }

  /** Readings are not always kept in order with the rest. */
  #late(which: number): void {
    const read = this.messages.filter(({ type }) => type === "read");
    const message = read[which % read.length];
    if (message !== undefined) this.messages.push({ ...message, now: this.now });
  }

  /** What the Central System answers of a card's group. */
  #told(where: Kind["untold"], card: Card): { parentIdTag?: string } {
    const { untold } = this.#kind;
    return untold === where || untold === "always" ? {} : group(card);
  }

  #send(message: Message): void {
    (this.#queue ?? this.messages).push(message);
  }

  #register(connectorId: number): number {
    return this.#registers.get(connectorId) ?? 0;
  }

  #wh(connectorId: number): SampledValue {
    return {
      value: String(Math.trunc(this.#register(connectorId))),
      measurand: "Energy.Active.Import.Register",
      unit: "Wh",
    };
  }

  /** By their times, where those tell the order. */
  #inOrder(values: readonly MeterValue[]): MeterValue[] {
    if (this.#hasSetClock) return [...values];
    return [...values].sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
  }

  #meterValue(sampledValue: SampledValue): MeterValue {
    return { timestamp: this.time(), sampledValue: [sampledValue] };
  }
}

function sameGroupAs(card: Card, other: Card): boolean {
  const [a, b] = [card, other].map((each) => group(each).parentIdTag?.toLowerCase());
  return other !== card && a !== undefined && a === b;
}
