import {
  type Action,
  actions,
  CallError,
  Connection,
  check,
  encode,
  type Flaw,
  PayloadError,
  type Quirk,
  type Tolerated,
} from "@ocppj/core";
import fc from "fast-check";
import { arbitraryFrame, arbitraryMutatedFrame } from "./arbitrary-frames.ts";
import { arbitraryConf, arbitraryReq } from "./arbitrary-payloads.ts";
import { arbitraryCarelessJson, arbitraryCarelessPayload } from "./careless-payloads.ts";
import { FakeClock } from "./fake-clock.ts";
import { same, shown } from "./same.ts";
import { transportPair } from "./transport-pair.ts";

/** One rule of the contract, as a test. */
export interface QuirkContractCase {
  /** The rule, as a sentence in the present tense. */
  readonly title: string;
  /** Rejects with an Error that says what is wrong when the quirk breaks the rule. */
  run(): Promise<void>;
}

/** How thoroughly a quirk is tested. */
export interface QuirkContractOptions {
  /** How many payloads or texts each rule is tried with. Default 200. */
  readonly numRuns?: number | undefined;
}

/**
 * The rules that every quirk must keep, those that owners write as well as those of `quirks`, as tests for any test runner.
 *
 * ```ts
 * for (const { title, run } of quirkContract(ownQuirks.mine)) test(title, run);
 * ```
 */
export function quirkContract(
  quirk: Quirk,
  { numRuns = 200 }: QuirkContractOptions = {},
): readonly QuirkContractCase[] {
  const rules = { ...rulesOfAll, ...rulesOf[quirk.scope] };
  return Object.entries(rules).map(([title, rule]) => ({ title, run: async () => rule(quirk, numRuns) }));
}

type Rule = (quirk: Quirk, numRuns: number) => void | Promise<void>;

/** When everything arrives. */
const receivedAt = "2026-01-01T00:00:00.000Z";

/** A text of this length does not take this long, unless the time grows faster than the text. */
const hostileLength = 15_000;
const patienceMs = 100;

const repeated = [
  "x",
  " ",
  "0",
  "0:",
  "T",
  "-",
  "+00",
  "[",
  "{",
  '"',
  "\\",
  '\\"',
  ",",
  ":,",
  '"a":,',
  "/",
  "%",
  "\0",
  "🔌",
  "\ud800",
];

/** What makes slow patterns slow, and careless code throw. */
const hostileTexts: readonly string[] = [
  ...repeated.map((part) => part.repeat(hostileLength / part.length)),
  ...repeated.map((part) => `${part.repeat(hostileLength / part.length)}!`),
  `2026-01-01T${"00:".repeat(hostileLength / 3)}`,
  `[2,"1","Heartbeat",${'{"a":'.repeat(hostileLength / 5)}`,
  `[2,"1","Heartbeat",{"a":"${'\\"'.repeat(hostileLength / 2)}`,
  "__proto__",
  "",
];

const hostileValues: readonly unknown[] = [
  ...[undefined, null, true, 0, -0, -1, 0.5, 2 ** 53, 2 ** 63, Number.POSITIVE_INFINITY, [], [[]], {}, [null]],
  ...[JSON.parse('{"__proto__":{"a":1},"constructor":null,"toString":1}'), nested(100_000)],
  ...hostileTexts,
];

/** Nested so deeply that recursion ends with a RangeError. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const rulesOfAll: Readonly<Record<string, Rule>> = {
  "says what it forgives and what becomes of it, as the rest of a sentence": ({ name, id, forgives, repairs }) => {
    if (name === "" || id === "") throw new Error("The quirk has no name or no id.");
    for (const text of [forgives, repairs]) {
      if (!/^\S.*[^.\s]$/.test(text)) throw new Error(`This is not the rest of a sentence: ${shown(text)}.`);
    }
  },
};

const rulesOf: Readonly<Record<Quirk["scope"], Readonly<Record<string, Rule>>>> = {
  payload: {
    "leaves every valid payload as it is, and is not told": (quirk, numRuns) => {
      verify(numRuns, validMessage, (message) => {
        const repaired = repair(quirk, message);
        if (repaired?.payload !== message.payload) throw new Error(`It changed ${shown(message)}.`);
        same(repaired?.uses, [], "what was told");
      });
    },

    "decides on whatever arrives, in time, and throws nothing": (quirk) => {
      const { mend } = quirk as Extract<Quirk, { readonly scope: "payload" }>;
      for (const value of hostileValues) {
        for (const flaw of flawsOf(value)) inTime(() => mend(flaw));
      }
    },

    "never changes what has arrived": (quirk, numRuns) => {
      verify(numRuns, carelessMessage, (message) => {
        const before = JSON.stringify(message.payload);
        repair(quirk, message);
        if (JSON.stringify(message.payload) !== before) throw new Error(`It changed ${before} to ${shown(message)}.`);
      });
    },

    "is told once for each place, with its own name": (quirk, numRuns) => {
      verify(numRuns, carelessMessage, (message) => {
        const { payload, uses } = repair(quirk, message) ?? { payload: message.payload, uses: [] };
        if (uses.length === 0) same(payload, message.payload, "a payload of which nothing was told");
        same(new Set(uses.map(({ path }) => path)).size, uses.length, `places in ${shown(uses)}`);
        for (const use of uses) same([use.quirk, use.guessed], [quirk.name, quirk.guesses], "what was told");
      });
    },

    "has nothing more to repair in what it has repaired": (quirk, numRuns) => {
      verify(numRuns, carelessMessage, (message) => {
        const once = repair(quirk, message);
        if (once === undefined) return;
        const twice = repair(quirk, { ...message, payload: once.payload });
        same(twice?.payload, once.payload, "what becomes of what it has repaired");
        const told = new Set(once.uses.map(({ path }) => path));
        for (const { path } of twice?.uses ?? []) if (!told.has(path)) throw new Error(`It also found ${path} wrong.`);
      });
    },

    "never makes it possible to send what it forgives": async (quirk, numRuns) => {
      const clock = new FakeClock();
      for (const role of ["ChargePoint", "CentralSystem"] as const) {
        const link = transportPair(clock);
        const own = role === "ChargePoint" ? link.chargePoint : link.centralSystem;
        const connection = new Connection(own, { role, identity: "CP001", clock, tolerate: [quirk] });
        const sendable = carelessMessage.filter(
          ({ action, kind, payload }) =>
            kind === "req" && actions[action].from.some((from) => from === role) && !isValid(action, payload),
        );
        await fc.assert(
          fc.asyncProperty(sendable, async ({ action, payload }) => {
            const failure: unknown = await connection.call(action as never, payload as never).catch((error) => error);
            if (!(failure instanceof PayloadError)) throw new Error(`It was sent: ${shown({ action, payload })}.`);
          }),
          { numRuns: Math.ceil(numRuns / 4) },
        );
        same(own.sent, [], "what was sent");
        connection.close();
      }
    },
  },

  frame: {
    "leaves every frame as it is, and is not told": (quirk, numRuns) =>
      receive(quirk, numRuns, arbitraryFrame().map(encode), ({ tolerated }) => same(tolerated, [], "what was told")),

    "reads whatever arrives, in time, and throws nothing": (quirk) => {
      const { cleaned, elements } = quirk as Extract<Quirk, { readonly scope: "frame" }>;
      for (const text of hostileTexts) inTime(() => cleaned?.(text));
      for (const value of hostileValues) inTime(() => elements?.([value, value, value, value]));
      elements?.([]);
    },

    "is told at most once for each text, with its own name, and never fails": (quirk, numRuns) =>
      receive(quirk, numRuns, fc.oneof(arbitraryMutatedFrame(), arbitraryCarelessJson()), ({ tolerated, faults }) => {
        same(faults, [], "what has failed");
        if (tolerated.length > 1) throw new Error(`It was told ${tolerated.length} times.`);
        for (const use of tolerated) same(use.quirk, quirk.name, "the name that was told");
      }),

    "has nothing more to repair in what it has repaired": (quirk, numRuns) => {
      const { cleaned } = quirk as Extract<Quirk, { readonly scope: "frame" }>;
      if (cleaned === undefined) return;
      verify(numRuns, fc.oneof(arbitraryMutatedFrame(), arbitraryCarelessJson()), (text) => {
        const once = cleaned(text);
        same(cleaned(once), once, "what becomes of a text that it has repaired");
      });
    },
  },

  handshake: {
    "reads whatever arrives, in time, and throws nothing": (quirk) => {
      const { means, password, path } = quirk as Extract<Quirk, { readonly scope: "handshake" }>;
      for (const text of hostileTexts) {
        inTime(() => path?.(text));
        inTime(() => means?.(text));
        inTime(() => password?.(Uint8Array.from(text, (character) => character.charCodeAt(0))));
      }
    },

    "has nothing more to repair in what it has repaired": (quirk, numRuns) => {
      const { path } = quirk as Extract<Quirk, { readonly scope: "handshake" }>;
      if (path === undefined) return;
      verify(numRuns, fc.webPath({ size: "+1" }), (text) => same(path(path(text)), path(text), "the path"));
    },
  },
};

/** A payload, and whose. */
interface Message {
  readonly action: Action;
  readonly kind: "req" | "conf";
  readonly payload: unknown;
}

const names = Object.keys(actions) as Action[];

const validMessage: fc.Arbitrary<Message> = fc.oneof(
  ...names.flatMap((action) => [
    fc.record({ action: fc.constant(action), kind: fc.constant("req" as const), payload: arbitraryReq(action) }),
    fc.record({ action: fc.constant(action), kind: fc.constant("conf" as const), payload: arbitraryConf(action) }),
  ]),
);

const carelessMessage: fc.Arbitrary<Message> = validMessage.chain(({ payload, ...message }) =>
  arbitraryCarelessPayload(payload).map((careless) => ({ ...message, payload: careless })),
);

function isValid(action: Action, payload: unknown): boolean {
  try {
    check(action, "req", payload);
    return true;
  } catch {
    return false;
  }
}

const repair = (quirk: Quirk, { action, kind, payload }: Message) =>
  quirk.tolerance.repairPayload([quirk], action, kind, payload, receivedAt);

function verify<T>(numRuns: number, arbitrary: fc.Arbitrary<T>, rule: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, rule), { numRuns });
}

/** Three times, because something else may take the time once. */
function inTime(act: () => void, attempts = 3): void {
  const startedAt = Date.now();
  act();
  const tookMs = Date.now() - startedAt;
  if (tookMs <= patienceMs) return;
  if (attempts === 1) throw new Error(`${hostileLength} characters took ${tookMs} ms.`);
  inTime(act, attempts - 1);
}

/** A value in each place in which it would be wrong. */
function flawsOf(value: unknown): readonly Flaw[] {
  const places = ["status", "errorCode", "timestamp", "transactionId", "data", "meterValue", "meterStart", "vendor"];
  const wanted = ["text", "date-time", "uri", "enum", "number", "integer", "boolean", "array", "object"] as const;
  const faults = ["missing", "wrongType", "unknownValue", "malformed", "tooLong", "outOfRange", "empty"] as const;
  return places.flatMap((field) =>
    wanted.flatMap((expected) =>
      faults
        .filter((fault) => canBe(fault, expected, value))
        .flatMap((fault) =>
          [true, false].map((optional) => ({
            action: "StatusNotification",
            kind: optional ? ("req" as const) : ("conf" as const),
            reports: optional,
            path: field,
            field,
            optional,
            fault,
            expected,
            values: expected === "enum" ? ["Accepted", "Rejected"] : [],
            maxLength: expected === "text" ? 20 : Number.POSITIVE_INFINITY,
            value,
            around: { status: value, [field]: value },
            receivedAt,
          })),
        ),
    ),
  );
}

/** The faults that a schema can find in a value. */
function canBe(fault: Flaw["fault"], expected: Flaw["expected"], value: unknown): boolean {
  switch (fault) {
    case "missing":
      return value === undefined;
    case "unknownValue":
      return expected === "enum" && typeof value === "string";
    case "malformed":
      return (expected === "date-time" || expected === "uri") && typeof value === "string";
    case "tooLong":
      return expected === "text" && typeof value === "string";
    case "outOfRange":
      return (expected === "number" || expected === "integer") && typeof value === "number";
    case "empty":
      return (expected === "array" || expected === "object") && typeof value === "object" && value !== null;
    default:
      return value !== undefined;
  }
}

/** What a connection tells of one text. */
interface Heard {
  readonly tolerated: readonly Tolerated[];
  readonly faults: readonly unknown[];
}

/** Nothing is to be answered here. */
const refuse = (): never => {
  throw new CallError("NotSupported");
};

async function receive(
  quirk: Quirk,
  numRuns: number,
  texts: fc.Arbitrary<string>,
  rule: (heard: Heard) => void,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const clock = new FakeClock();
      const { centralSystem, chargePoint } = transportPair(clock);
      const options = { role: "CentralSystem", identity: "CP001", clock, tolerate: [quirk] } as const;
      const connection = new Connection(centralSystem, options);
      const tolerated: Tolerated[] = [];
      const faults: unknown[] = [];
      connection.on("tolerated", (use) => tolerated.push(use));
      connection.on("fault", ({ error }) => faults.push(String(error)));
      for (const action of Object.keys(actions) as Action[]) {
        if (actions[action].from.some((role) => role === "ChargePoint")) connection.handle(action as never, refuse);
      }
      chargePoint.listen({ message: () => {}, close: () => {} });
      chargePoint.send(text);
      await clock.advance(0);
      connection.close();
      rule({ tolerated, faults });
    }),
    { numRuns },
  );
}
