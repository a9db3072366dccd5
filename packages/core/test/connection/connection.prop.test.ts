import { FakeClock, type LinkedTransport, transportPair } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CallError, Connection, type Frame, OcppError, type Role } from "../../src/index.ts";

const timeoutMs = 100;

/** What a handler is asked to do with a CALL: it stands in the CALL's data, before the number that names the CALL. */
const behaviours = ["now", "later", "never", "throw", "refuse", "nonsense", "nested"] as const;
type Behaviour = (typeof behaviours)[number];

/** A signal that counts its listeners. */
class CountingSignal {
  aborted = false;
  reason: unknown;
  readonly listeners = new Set<() => void>();
  addEventListener(_: "abort", listener: () => void): void {
    this.listeners.add(listener);
  }
  removeEventListener(_: "abort", listener: () => void): void {
    this.listeners.delete(listener);
  }
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of [...this.listeners]) listener();
  }
}

interface Call {
  readonly data: string;
  readonly signal: CountingSignal;
  outcome: "none" | "conf" | unknown;
}

/** One end: a real Connection with its own observer, which knows frames and promises and nothing of the inside. */
class End<R extends Role> {
  readonly connection: Connection<R>;
  readonly calls: Call[] = [];
  readonly held: (() => void)[] = [];
  readonly answered: Promise<boolean>[] = [];
  readonly #clock: FakeClock;
  #outstanding: { readonly messageId: string; readonly sentAt: number } | undefined;
  readonly #served = new Map<string, number>();
  /** Laws that a listener saw broken: what a listener throws does not reach the test by itself. */
  readonly broken: unknown[] = [];
  closedEvents = 0;

  constructor(transport: LinkedTransport, role: R, clock: FakeClock) {
    this.#clock = clock;
    this.connection = new Connection<Role>(transport, {
      role,
      identity: "CP001",
      timeoutMs,
      clock,
    }) as unknown as Connection<R>;
    const connection = this.connection as unknown as Connection<"ChargePoint">;
    connection.on("message", ({ direction, frame }) => this.#observe(direction, frame));
    connection.on("violation", ({ frame }) => {
      if (frame.type === "MALFORMED" && frame.intended === "CALL") this.#arrived(frame.messageId);
    });
    connection.on("closed", () => this.closedEvents++);
    connection.on("fault", ({ error, action }) => {
      const expected = action === "DataTransfer" && /secret|DataTransfer.conf/.test(String(error));
      if (!expected) this.broken.push(error);
    });
    connection.handle("DataTransfer", async ({ data = "" }, context) => {
      if (this.answered.length < 50) this.answered.push(context.answered);
      const [behaviour] = data.split(":") as [Behaviour];
      if (behaviour === "later") await new Promise<void>((resolve) => this.held.push(resolve));
      if (behaviour === "never") await new Promise<void>(() => {});
      if (behaviour === "throw") throw new Error("secret");
      if (behaviour === "refuse") throw new CallError("SecurityError", data);
      if (behaviour === "nonsense") return { status: "Maybe" } as never;
      if (behaviour === "nested") {
        // [trap 10]: a CALL inside a handler must not deadlock; however it ends, this CALL gets its answer.
        await context.connection.call("DataTransfer", { vendorId: "v", data: "now:nested" }).catch(() => {});
      }
      return { status: "Accepted", data };
    });
  }

  call(behaviour: Behaviour, number: number): void {
    const call: Call = { data: `${behaviour}:${number}`, signal: new CountingSignal(), outcome: "none" };
    this.calls.push(call);
    const settle = (outcome: unknown): void => {
      expect(call.outcome, "a promise that settles twice").toBe("none");
      call.outcome = outcome;
    };
    (this.connection as unknown as Connection<"ChargePoint">)
      .call("DataTransfer", { vendorId: "v", data: call.data }, { signal: call.signal })
      .then(({ status, data }) => {
        expect({ status, data }, "the answer of another CALL").toEqual({ status: "Accepted", data: call.data });
        settle("conf");
      })
      .catch(settle);
  }

  /** A CALL arrived that may be answered once. */
  #arrived(messageId = ""): void {
    this.#served.set(messageId, 1 + (this.#served.get(messageId) ?? 0));
  }

  #observe(direction: "in" | "out", frame: Frame): void {
    if (direction === "in" && frame.type === "CALL") this.#arrived(frame.messageId);
    if (direction === "out" && frame.type !== "CALL") {
      const open = this.#served.get(frame.messageId) ?? 0;
      expect(open, "an answer to no CALL").toBeGreaterThan(0);
      this.#served.set(frame.messageId, open - 1);
    }
    if (direction === "in" && frame.type !== "CALL" && frame.messageId === this.#outstanding?.messageId) {
      this.#outstanding = undefined;
    }
    if (direction === "out" && frame.type === "CALL") {
      const timedOut = this.#outstanding !== undefined && this.#clock.now() >= this.#outstanding.sentAt + timeoutMs;
      expect(this.#outstanding === undefined || timedOut, "two CALLs outstanding").toBe(true);
      this.#outstanding = { messageId: frame.messageId, sentAt: this.#clock.now() };
      const { data } = frame.payload as { data: string };
      const call = this.calls.find((call) => call.data === data);
      if (call !== undefined) expect(call.outcome, "sent although its caller was told that it failed").toBe("none");
    }
  }
}

class World {
  readonly clock = new FakeClock();
  readonly link = transportPair(this.clock, { latencyMs: 7 });
  readonly chargePoint = new End(this.link.chargePoint, "ChargePoint", this.clock);
  readonly centralSystem = new End(this.link.centralSystem, "CentralSystem", this.clock);
  numbers = 0;
}

type Side = "chargePoint" | "centralSystem";
const opposite = { chargePoint: "centralSystem", centralSystem: "chargePoint" } as const;
const sides = fc.constantFrom<Side>("chargePoint", "centralSystem");

const command = (name: string, run: (world: World) => void | Promise<void>): fc.AsyncCommand<object, World> => ({
  check: () => true,
  run: async (_, world) => run(world),
  toString: () => name,
});

const garbage = fc.constantFrom(
  "nonsense",
  '[2,7,"DataTransfer",{}]',
  '[2,"g","toString",{}]',
  '[2,"g","__proto__",{}]',
  '[2,"g",{"toString":1},{}]',
  '[2,"g","DataTransfer",{"__proto__":1}]',
  `[2,"g","DataTransfer",${'{"a":'.repeat(3000)}1${"}".repeat(3000)}]`,
  '[2,"g","DataTransfer",null]',
  '[2,"never","DataTransfer",{"vendorId":"v","data":"never:"}]',
  '[3,"unknown",{}]',
  '[4,"unknown","constructor",null,null]',
);

const commands = [
  fc
    .tuple(sides, fc.constantFrom(...behaviours))
    .map(([side, behaviour]) =>
      command(`${side}.call(${behaviour})`, (world) => world[side].call(behaviour, ++world.numbers)),
    ),
  fc.tuple(sides, fc.constantFrom(...behaviours)).map(([side, behaviour]) =>
    command(`${side}.callTwice(${behaviour})`, (world) => {
      world[side].call(behaviour, ++world.numbers);
      world[side].call("now", ++world.numbers);
    }),
  ),
  fc.tuple(sides, fc.nat(9)).map(([side, index]) =>
    command(`${side}.abort(${index})`, (world) => {
      const { calls } = world[side];
      calls[index % Math.max(1, calls.length)]?.signal.abort("aborted");
    }),
  ),
  sides.map((side) => command(`${side}.release`, (world) => world[side].held.shift()?.())),
  fc.nat(60).map((ms) => command(`advance(${ms})`, (world) => world.clock.advance(ms))),
  fc
    .tuple(sides, garbage)
    .map(([side, text]) => command(`${side}.inject(${text.slice(0, 40)})`, (world) => world.link[side].inject(text))),
  // The same text again: a repeated CALL or a repeated answer.
  fc.tuple(sides, fc.nat(9)).map(([side, index]) =>
    command(`${side}.repeat(${index})`, (world) => {
      const { sent } = world.link[opposite[side]];
      const text = sent[index % Math.max(1, sent.length)];
      if (text !== undefined) world.link[side].inject(text);
    }),
  ),
  sides.map((side) => command(`${side}.mute`, (world) => world.link[side].mute())),
  sides.map((side) => command(`${side}.drop`, (world) => world.link[side].drop())),
  sides.map((side) => command(`${side}.close`, (world) => world[side].connection.close(1000, "done"))),
];

describe("Two Connections over a link with latency, garbage, repetition, half-open ends and losses", () => {
  test("settle every promise, never break the rules of calling, and leave nothing behind [J-045] [J-052] [J-057] [J-058] [J-065] [J-100] [J-101] [J-102] [J-105] [J-106] [J-108] [J-109] [J-110] [trap 3] [trap 5] [trap 8] [trap 10] [trap 11] [trap 12]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { size: "+1", maxCommands: 40 }), async (steps) => {
        const world = new World();
        await fc.asyncModelRun(() => ({ model: {}, real: world }), steps);
        const { chargePoint, centralSystem, clock } = world;
        for (const { connection } of [chargePoint, centralSystem]) {
          connection.close();
          connection.close();
        }
        await clock.advance(0);
        for (const end of [chargePoint, centralSystem]) {
          for (const { data, outcome, signal } of end.calls) {
            expect(outcome, `CALL ${data} is settled`).not.toBe("none");
            expect(outcome === "conf" || outcome === "aborted" || outcome instanceof OcppError, `${outcome}`).toBe(
              true,
            );
            expect(String(outcome)).not.toContain("secret");
            expect(signal.listeners.size, "listeners left on a signal").toBe(0);
          }
          for (const answered of end.answered) expect(await answered).toBeTypeOf("boolean");
          expect(end.broken).toEqual([]);
          expect(end.closedEvents).toBe(1);
        }
        await clock.advance(10_000); // What is under way arrives, closing handshakes end.
        expect(clock.pending, "wake-ups left on the clock").toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});
