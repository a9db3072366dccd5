import fc from "fast-check";
import type { ChargingProfile } from "../../src/index.ts";
import type { Operations } from "./simulation-hardware.ts";
import { events } from "./vocabulary.ts";

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Something that is so until a moment. */
export interface Spell<Value> {
  /** `undefined` once it is over. */
  at(now: number): Value | undefined;
}

/** A spell; without a value, one that is over. */
export function spell<Value>(value?: Value, until = Number.NEGATIVE_INFINITY): Spell<Value> {
  return { at: (now) => (now < until ? value : undefined) };
}

/** What happens at a moment. Durations end in `S` (seconds) or `Ms`. */
export type Happening =
  // The drivers and the owner.
  /** A car comes, to be charged `forS` seconds. */
  | { readonly do: "plug in"; readonly connector: number; readonly forS: number; readonly idTag: "known" | "unknown" }
  /** The owner has something delivered that is no transaction's business. */
  | { readonly do: "deliver"; readonly action: DeliveredAction }
  /** It looks through what was given up. */
  | { readonly do: "dead letters"; readonly what: "retry" | "delete" }
  /** It writes other things into the objects that it has given. */
  | { readonly do: "reuse objects"; readonly forS: number }
  /** It gives starts and stops their timestamps itself. */
  | { readonly do: "note times"; readonly forS: number }
  /** What it will do inside of a listener, or of a handler. */
  | { readonly do: "in a listener"; readonly of: Heard; readonly does: Reaction; readonly times: number }
  /** It uses what a Charge Point gave it that has been stopped since. */
  | { readonly do: "use former handles" }
  /** The owner makes a CALL that is no transaction's business. */
  | { readonly do: "call" }
  // The network.
  /** Both ends hear of the end of the connection. */
  | { readonly do: "drop" }
  /** The Central System closes the connection. */
  | { readonly do: "close" }
  /** What these ends send arrives nowhere, and nobody hears of that. */
  | { readonly do: "mute"; readonly ends: "chargePoint" | "centralSystem" | "both" }
  /** The connection ends under the nth next CALL of the Charge Point, or under the nth next answer to one. */
  | { readonly do: "lose"; readonly frame: "CALL" | "answer"; readonly nth: number }
  | { readonly do: "refuse connections"; readonly forS: number }
  /** Attempts to connect fail in a way that no `connect` should, or end long after they were given up. */
  | {
      readonly do: "connect badly";
      readonly how: "throws" | "gives nothing" | "never ends" | "is late";
      readonly forS: number;
    }
  | { readonly do: "connect slowly"; readonly byS: number; readonly forS: number }
  | { readonly do: "latency"; readonly ms: number }
  // The Central System.
  /** Its sockets stay open, new ones too, and it answers nothing; `everything`: it reads and asks nothing either. */
  | { readonly do: "silence"; readonly of: "answers" | "everything"; readonly forS: number }
  | { readonly do: "answer slowly"; readonly byS: number; readonly forS: number }
  | { readonly do: "ignore"; readonly action: Answered; readonly times: number }
  | { readonly do: "fail"; readonly action: Answered; readonly times: number }
  | { readonly do: "do not support"; readonly action: DeliveredAction; readonly times: number }
  | { readonly do: "answer nonsense"; readonly action: Answered; readonly times: number; readonly kind: Nonsense }
  /** How BootNotification is answered for a while; `reboot`: the power fails for a second, so that it is sent. */
  | {
      readonly do: "register";
      readonly as: "Pending" | "Rejected";
      readonly reboot: boolean;
      readonly intervalS: number;
      readonly forS: number;
    }
  /** The interval that the next Accepted asks for. */
  | { readonly do: "heartbeats"; readonly everyS: number }
  | { readonly do: "trigger"; readonly message: Triggered; readonly connector: number | "none" }
  /** Two CALLs of the Central System at once. */
  | { readonly do: "unlock" }
  /** It sets a charging profile, at a connector, or at connector 0. */
  | ({ readonly do: "set profile" } & SetProfile)
  /** It clears what has this, or everything. */
  | { readonly do: "clear profiles"; readonly by: "id" | "connector" | "level" | "nothing"; readonly value: number }
  | { readonly do: "composite schedule"; readonly connector: number }
  | { readonly do: "set central clock"; readonly byS: number }
  /** How the next answers tell the time, once each: by so much wrong, or as none that can be. */
  | { readonly do: "tell the time wrongly"; readonly byS: number; readonly times: number }
  | { readonly do: "tell an absurd time"; readonly as: AbsurdTime; readonly times: number }
  /** `heard: false`: its host died, so the Charge Point's end of the connection stays open. */
  | { readonly do: "restart central system"; readonly heard: boolean; readonly forgets: boolean }
  // The Charge Point's power and its disk.
  | ({ readonly do: "power cut" } & PowerCut)
  /** The power fails while the nth next write is under way. */
  | ({ readonly do: "power cut at write"; readonly nth: number } & PowerCut)
  /** Its computer sleeps; the connection outlives that, or has ended meanwhile, or is half-open. */
  | { readonly do: "sleep"; readonly forS: number; readonly connection: "open" | "ended" | "dead" }
  | { readonly do: "set wall clock"; readonly byS: number }
  /** In order, with `stop()`. */
  | { readonly do: "restart charge point"; readonly resume: boolean }
  | { readonly do: "slow disk"; readonly byMs: number; readonly forS: number }
  /** `puts`: it is full. */
  | {
      readonly do: "failing disk";
      readonly what: Operations;
      readonly how: "rejects" | "throws";
      readonly forS: number;
    }
  /** What is asked of it meanwhile it never answers; perhaps it does it. */
  | {
      readonly do: "hanging disk";
      readonly what: Operations;
      readonly carriedOut: boolean;
      readonly forS: number;
    }
  /** The nth next write of a kind fails, and that is all. */
  | { readonly do: "fail a write"; readonly kind: "put" | "delete"; readonly nth: number };

/** A profile in few words. */
export interface SetProfile {
  readonly id: number;
  readonly purpose: ChargingProfile["chargingProfilePurpose"];
  readonly kind: "Absolute" | "Daily" | "Relative";
  readonly level: number;
  readonly connector: number;
  /** In A, for ten minutes; then there are two more. */
  readonly limit: number;
  readonly forS: number;
  /** Whether a TxProfile says the id of its transaction. */
  readonly named: boolean;
}

interface PowerCut {
  readonly forS: number;
  /** How many of the writes under way are on the disk all the same. */
  readonly kept: number;
  /** What its own clock shows too much when it is back. */
  readonly clockOffS: number;
  /** Whether the owner goes on with interrupted transactions, or stops them. */
  readonly resume: boolean;
}

type Answered = "BootNotification" | "Heartbeat" | "StatusNotification" | KeptAction;
type TransactionAction = "StartTransaction" | "MeterValues" | "StopTransaction";
/** What is kept until it is delivered. */
export type KeptAction = TransactionAction | DeliveredAction;
type DeliveredAction = "SecurityEventNotification" | "DataTransfer";
type Triggered = "BootNotification" | "Heartbeat" | "StatusNotification" | "MeterValues";
/**
 * `payload`: of the wrong shape; `text`: no JSON; `id`: of another CALL; `twice`: right, but twice. The others violate the
 * schema, but what matters can be read; all but the first only those of StartTransaction.
 */
const nonsense = [
  "payload",
  "text",
  "id",
  "twice",
  "one field more",
  "expiryDate null",
  "no idTagInfo",
  "id as text",
] as const;
export type Nonsense = (typeof nonsense)[number];

/** Texts stand for themselves; `no offset` is the right time without its `Z`. */
export const absurdTimes = [
  "9999-12-31T23:59:59.999Z",
  "0001-01-01T00:00:00Z",
  "1970-01-01T00:00:00.000Z",
  "soon",
  "no offset",
  "a number",
  "null",
  "nothing",
] as const;
export type AbsurdTime = (typeof absurdTimes)[number];

/** What an owner hears of: the events, and a CALL. */
const heard = [...events, "UnlockConnector"] as const;
export type Heard = (typeof heard)[number];
export const reactions = [
  "throw",
  "reject",
  "start",
  "stop",
  "meter",
  "report",
  "deliver",
  "call",
  "authorize",
  "save",
  "retry",
  "restart",
] as const;
export type Reaction = (typeof reactions)[number];

/** One thing that happens to the world, `at` seconds after its beginning. */
export type Step = { readonly at: number } & Happening;
export type StepThat<Does extends Step["do"]> = Extract<Step, { do: Does }>;

const year = (365 * day) / second;
const nth = fc.integer({ min: 1, max: 8 });
const times = fc.integer({ min: 1, max: 4 });
const connector = fc.integer({ min: 1, max: 3 });
const someMinutes = fc.constantFrom(10, 60, 300, 1200);
const hours = fc.constantFrom(60, 900, 3600, 14_400);
const idTag = fc.constantFrom("known", "known", "known", "unknown");
const action = fc.constantFrom<Answered>(
  "StartTransaction",
  "StartTransaction",
  "StopTransaction",
  "MeterValues",
  "BootNotification",
  "Heartbeat",
  "StatusNotification",
  "SecurityEventNotification",
  "DataTransfer",
);
const deliveredAction = fc.constantFrom<DeliveredAction>("SecurityEventNotification", "DataTransfer");
const powerCut = {
  forS: fc.constantFrom(1, 30, 600, 7200),
  kept: fc.nat({ max: 4 }),
  clockOffS: fc.constantFrom(0, 0, -5, 3600, -800_000_000),
  resume: fc.boolean(),
};

const happenings = [
  weighed(20, "plug in", { connector, forS: fc.constantFrom(0, 100, 700, 3000, 20_000), idTag }),
  weighed(3, "deliver", { action: deliveredAction }),
  weighed(2, "dead letters", { what: fc.constantFrom("retry", "retry", "delete") }),
  weighed(2, "reuse objects", { forS: hours }),
  weighed(2, "note times", { forS: hours }),
  weighed(6, "in a listener", {
    of: fc.constantFrom(...heard),
    does: fc.constantFrom(...reactions),
    times,
  }),
  weighed(2, "use former handles", {}),
  weighed(1, "call", {}),
  weighed(3, "drop", {}),
  weighed(1, "close", {}),
  weighed(3, "mute", { ends: fc.constantFrom("chargePoint", "centralSystem", "both") }),
  weighed(4, "lose", { frame: fc.constantFrom("CALL", "answer"), nth }),
  weighed(3, "refuse connections", { forS: hours }),
  weighed(2, "connect badly", {
    how: fc.constantFrom("throws", "gives nothing", "never ends", "is late"),
    forS: hours,
  }),
  weighed(1, "connect slowly", { byS: fc.constantFrom(1, 20), forS: hours }),
  weighed(1, "latency", { ms: fc.constantFrom(0, 37, 411, 1307) }),
  weighed(3, "silence", { of: fc.constantFrom("answers", "everything"), forS: hours }),
  weighed(3, "answer slowly", { byS: fc.constantFrom(2, 20, 29, 40), forS: someMinutes }),
  weighed(3, "ignore", { action, times }),
  weighed(4, "fail", { action, times }),
  weighed(1, "do not support", { action: deliveredAction, times }),
  weighed(3, "answer nonsense", {
    action,
    times,
    kind: fc.constantFrom(...nonsense),
  }),
  weighed(4, "register", {
    as: fc.constantFrom("Pending", "Rejected"),
    reboot: fc.boolean(),
    intervalS: fc.constantFrom(0, 20, 120, 1800),
    forS: someMinutes,
  }),
  weighed(1, "heartbeats", { everyS: fc.constantFrom(0, 600, 1800, 3600, 200_000) }),
  weighed(5, "trigger", {
    message: fc.constantFrom<Triggered>("BootNotification", "Heartbeat", "StatusNotification", "MeterValues"),
    connector: fc.constantFrom("none", 1, 2),
  }),
  weighed(2, "unlock", {}),
  weighed(10, "set profile", {
    id: fc.integer({ min: 1, max: 5 }),
    purpose: fc.constantFrom("TxProfile", "TxProfile", "TxDefaultProfile", "ChargePointMaxProfile"),
    kind: fc.constantFrom("Absolute", "Daily", "Relative"),
    level: fc.integer({ min: 0, max: 2 }),
    connector: fc.integer({ min: 0, max: 3 }),
    limit: fc.constantFrom(0, 6, 10, 16),
    forS: fc.constantFrom(100, 900, 20_000, 80_000),
    named: fc.boolean(),
  }),
  weighed(3, "clear profiles", {
    by: fc.constantFrom("id", "connector", "level", "nothing"),
    value: fc.integer({ min: 0, max: 3 }),
  }),
  weighed(2, "composite schedule", { connector: fc.integer({ min: 0, max: 3 }) }),
  weighed(1, "set central clock", { byS: fc.constantFrom(-year, -3600, -8, -2, 2, 8, 3600) }),
  weighed(2, "tell the time wrongly", {
    byS: fc.constantFrom(-year, -3600, -8, 8, 3600, year),
    times,
  }),
  weighed(2, "tell an absurd time", {
    as: fc.constantFrom(...absurdTimes),
    times,
  }),
  weighed(2, "restart central system", { heard: fc.boolean(), forgets: fc.boolean() }),
  weighed(3, "power cut", { ...powerCut }),
  weighed(4, "power cut at write", { nth, ...powerCut }),
  weighed(3, "sleep", {
    // Odd: somebody who sets the wall clock meanwhile cannot hide it by chance.
    forS: fc.constantFrom(601, 7201, 30_001),
    connection: fc.constantFrom("open", "ended", "dead"),
  }),
  weighed(1, "set wall clock", { byS: fc.constantFrom(-3600, -2, 3600, 800_000_000) }),
  weighed(2, "restart charge point", { resume: fc.boolean() }),
  weighed(3, "slow disk", { byMs: fc.constantFrom(200, 5000, 20_000, 120_000), forS: hours }),
  weighed(2, "failing disk", {
    what: fc.constantFrom<Operations>("puts", "puts", "writes", "everything"),
    how: fc.constantFrom("rejects", "throws"),
    forS: hours,
  }),
  weighed(2, "hanging disk", {
    what: fc.constantFrom<Operations>("puts", "writes", "everything"),
    carriedOut: fc.boolean(),
    forS: someMinutes,
  }),
  weighed(3, "fail a write", { kind: fc.constantFrom("put", "delete", "delete"), nth }),
];

/** What can happen. */
export const kinds: readonly string[] = happenings.map(({ kind }) => kind);

const happening = fc.oneof(...happenings) as fc.Arbitrary<Happening>;

function weighed(weight: number, kind: Happening["do"], shape: Record<string, fc.Arbitrary<unknown>>) {
  return { weight, kind, arbitrary: fc.record({ do: fc.constant(kind), ...shape }) };
}

/** Things that happen within minutes of each other: trouble is interesting in the middle of other trouble. */
const episodes = fc.array(fc.nat({ max: 3 * 24 * 3600 }), { minLength: 4, maxLength: 4 });

/** Some days of a Charge Point's life, in order. It shrinks by leaving things out. */
export const schedules: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.noShrink(episodes),
    fc.array(fc.noShrink(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 600 }), happening)), {
      minLength: 1,
      maxLength: 60,
      size: "max",
    }),
  )
  .map(([begins, happenings]) =>
    happenings
      .map(([episode, after, what]): Step => ({ at: (begins[episode] as number) + after, ...what }))
      .sort((a, b) => a.at - b.at),
  );

/** The step as code. */
export function printed(step: Step): string {
  const fields = Object.entries(step).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `{ ${fields.join(", ")} },`;
}
