import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DeliveryOutcome,
  DeliveryQueue,
  type DeliveryQueueOutput,
  type DiscardReason,
  type QueuedMessage,
} from "../../src/delivery/delivery-queue.ts";
import { second } from "../charge-point/vocabulary.ts";
import { command as commandOn, MachineBench } from "../machine-bench.ts";

interface Keys {
  readonly attempts: number;
  readonly retryIntervalMs: number;
}

/** Known by its sequence. */
interface Message extends QueuedMessage {
  readonly kind: "start" | "meter" | "stop";
}

/** What has become of a message. */
interface Fate {
  readonly message: Message;
  /** Failures that the Central System has to answer for. */
  failures: number;
  isStored: boolean;
  ended: "delivered" | DiscardReason | undefined;
}

/**
 * A DeliveryQueue as `drive` runs it, its store, its transactions, and what the laws need to remember. The store has each
 * message as it was when it was put last, as JSON has it.
 */
class Bench extends MachineBench<DeliveryQueueOutput<Message>> {
  readonly maxMessages: number;
  keys: Keys;
  protected machine: DeliveryQueue<Message>;
  online = false;
  underWay: number | undefined;
  /** Was not answered, and nothing was heard since. */
  readonly doubtful = new Set<number>();
  /** The message that was delivered last and has not ended, also after its connection has. */
  sent: number | undefined;
  /** How messages have just ended, and the machine has not said yet that they have. */
  readonly ending = new Map<number, "delivered" | DiscardReason>();
  /** Until when messages wait for their retransmission. */
  readonly waits = new Map<number, number>();
  /** The sequences of the messages in the queue, first to be delivered first. */
  order: number[] = [];
  readonly fates = new Map<number, Fate>();
  sequences = 0;
  /** What would survive a power cut. */
  readonly disk = new Map<number, Message>();
  /** What the store was asked for and has not done. */
  writes: (() => void)[] = [];
  /** The sequences of starts whose stops are not there yet. */
  running: number[] = [];

  constructor(keys: Keys, maxMessages: number) {
    super();
    this.keys = keys;
    this.maxMessages = maxMessages;
    this.machine = new DeliveryQueue(keys, maxMessages);
  }

  protected check(): void {
    expect([...this.ending], "an end that is not told").toEqual([]);
    const { messages, deadline } = this.machine;
    expect(
      messages.map(({ sequence }) => sequence),
      "order of occurrence",
    ).toEqual(this.order);
    for (const { sequence, failures } of messages) expect(failures).toBe(this.fate(sequence).failures);
    const [first] = this.order;
    const ready = this.online && this.underWay === undefined && first !== undefined && this.fate(first).isStored;
    // Nothing is late, and nothing gets stuck: what may be sent and is not, waits for its retransmission.
    const until = this.waits.get(first ?? 0) ?? Number.NEGATIVE_INFINITY;
    expect(deadline).toBe(ready ? until : Number.POSITIVE_INFINITY);
    if (ready) expect(until, "late").toBeGreaterThan(this.now);
  }

  protected perform(output: DeliveryQueueOutput<Message>): void {
    const { sequence, kind } = output.message;
    const fate = this.fate(sequence);
    switch (output.type) {
      case "put": {
        const put = { ...output.message };
        this.writes.push(() => {
          if (fate.ended === undefined) this.disk.set(sequence, put);
          fate.isStored = true;
          this.machine.stored(output.message, this.now);
        });
        break;
      }
      case "deliver":
        expect(this.online, "delivered offline").toBe(true);
        expect(this.underWay, "two under way").toBeUndefined();
        expect(sequence, "out of turn").toBe(this.order[0]);
        expect(fate.isStored, "delivered before it was stored").toBe(true);
        expect(this.now, "before the wait is over").toBeGreaterThanOrEqual(this.waits.get(sequence) ?? 0);
        this.underWay = sequence;
        this.sent = sequence;
        this.doubtful.delete(sequence);
        break;
      case "delivered":
        expect("delivered", "ended otherwise").toBe(this.ending.get(sequence));
        this.#end(sequence, "delivered");
        break;
      case "discarded":
        if (output.reason === "full") {
          expect(kind, "discarded for room").toBe("meter");
          expect(sequence, "discarded while under way").not.toBe(this.underWay);
        } else expect(output.reason, "ended otherwise").toBe(this.ending.get(sequence));
        this.#end(sequence, output.reason);
        break;
    }
  }

  #end(sequence: number, how: "delivered" | DiscardReason): void {
    const fate = this.fate(sequence);
    expect(fate.ended, "ended twice").toBeUndefined();
    fate.ended = how;
    this.ending.delete(sequence);
    if (sequence === this.sent) this.sent = undefined;
    this.doubtful.delete(sequence);
    this.waits.delete(sequence);
    this.order = this.order.filter((other) => other !== sequence);
    this.writes.push(() => {
      if (fate.ended !== undefined) this.disk.delete(sequence);
    });
  }

  fate(sequence: number): Fate {
    const fate = this.fates.get(sequence);
    if (fate === undefined) throw new Error(`Nobody has enqueued ${sequence}.`);
    return fate;
  }

  #enqueue(kind: Message["kind"]): number {
    const sequence = ++this.sequences;
    const message: Message = { sequence, kind, makesRoom: kind === "meter", failures: 0 };
    this.fates.set(sequence, { message, failures: 0, isStored: false, ended: undefined });
    const { length } = this.order;
    this.order.push(sequence);
    this.machine.enqueued(message);
    const lasting = this.order.filter((each) => this.fate(each).message.kind !== "meter").length;
    if (this.machine.messages.length > length) {
      // It has become longer only while it may, or for what must not be lost.
      const isRoom = length < this.maxMessages || lasting + 1 >= this.machine.messages.length;
      expect(isRoom, "bound").toBe(true);
    }
    return sequence;
  }

  start(): void {
    if (this.machine.hasRoomForTransaction(this.running.length)) this.running.push(this.#enqueue("start"));
  }

  meter(): void {
    if (this.running.length > 0) this.#enqueue("meter");
  }

  stop(index: number): void {
    const [stopped] = this.running.splice(index % Math.max(1, this.running.length), 1);
    if (stopped !== undefined) this.#enqueue("stop");
  }

  /** Lets the store do the next thing that it was asked for. */
  store(): void {
    this.writes.shift()?.();
  }

  connect(): void {
    this.online = true;
    this.machine.online(this.now);
  }

  pause(): void {
    this.online = false;
    this.machine.paused();
  }

  disconnect(): void {
    this.online = false;
    // Who was in doubt has another chance at once; who has failed waits on.
    for (const sequence of this.doubtful) this.waits.delete(sequence);
    this.doubtful.clear();
    this.underWay = undefined;
    this.machine.offline();
  }

  answer(outcome: DeliveryOutcome): void {
    // An answer counts whenever it comes; anything else only of the message under way, or of the one in doubt.
    const sequence = this.underWay ?? this.sent;
    if (sequence === undefined) return;
    const isUnderWay = this.underWay === sequence;
    const fate = this.fate(sequence);
    if (outcome === "answered") this.ending.set(sequence, "delivered");
    else if (isUnderWay) {
      const waitMs = this.keys.retryIntervalMs * (fate.failures + 1);
      this.waits.set(sequence, this.now + (outcome === "unanswered" ? Math.max(second, waitMs) : waitMs));
      if (outcome === "unanswered") this.doubtful.add(sequence);
    }
    const counts = isUnderWay || (this.doubtful.has(sequence) && outcome !== "unanswered");
    this.underWay = undefined;
    if (counts && outcome === "refused") this.ending.set(sequence, "refused");
    if (counts && outcome === "failed") this.#fails(sequence);
    this.machine.settled(fate.message, outcome, this.now);
  }

  hear(): void {
    for (const sequence of [...this.doubtful]) this.#fails(sequence);
    this.machine.heard(this.now);
  }

  #fails(sequence: number): void {
    this.doubtful.delete(sequence);
    const fate = this.fate(sequence);
    if (++fate.failures >= this.keys.attempts) this.ending.set(sequence, "attempts");
  }

  /** Wants again what was given up. */
  giveBack(index: number): void {
    const dead = [...this.fates.values()].filter(({ ended }) => ended === "attempts" || ended === "refused");
    const fate = dead[index % Math.max(1, dead.length)];
    if (fate === undefined) return;
    fate.ended = undefined;
    fate.failures = 0;
    fate.isStored = false;
    this.order = [...this.order, fate.message.sequence].sort((a, b) => a - b);
    this.machine.returned(fate.message, this.now);
  }

  configure(keys: Keys): void {
    this.keys = keys;
    this.machine.configured(keys);
  }

  /** Cuts the power: what the store has not done by now is lost, and whoever reads it finds what it has done. */
  cutPower(): void {
    const kept = [...this.disk.values()].sort((a, b) => a.sequence - b.sequence);
    this.machine = new DeliveryQueue(this.keys, this.maxMessages);
    this.writes = [];
    this.online = false;
    this.underWay = undefined;
    this.doubtful.clear();
    this.sent = undefined;
    this.waits.clear();
    this.running = [];
    // What was done and not deleted yet is done again; what was neither done nor stored is lost: it is no longer awaited.
    this.order = kept.map(({ sequence }) => sequence);
    const before = new Map(this.fates);
    this.fates.clear();
    for (const message of kept) {
      const { sequence, failures } = message;
      const fate = before.get(sequence);
      // What was wanted again, and is not stored since, is there as it was when it was given up.
      if (fate?.ended === undefined && fate?.isStored !== false)
        expect(failures, "failures that nobody has seen").toBeLessThanOrEqual(fate?.failures ?? 0);
      this.fates.set(sequence, { message, failures, isStored: true, ended: undefined });
    }
    this.machine.restored(kept);
  }
}

const command = commandOn<Bench>;

const indices = fc.nat(5);
const someKeys = fc.record({
  attempts: fc.integer({ min: 1, max: 4 }),
  retryIntervalMs: fc.nat(60).map((s) => s * second),
});
const outcomes = fc.constantFrom<DeliveryOutcome>(
  "answered",
  "failed",
  "failed",
  "unanswered",
  "unanswered",
  "refused",
);

const commands = [
  fc.constant(command("start", (bench) => bench.start())),
  fc.constant(command("meter", (bench) => bench.meter())),
  fc.constant(command("meter", (bench) => bench.meter())),
  indices.map((index) => command(`stop ${index}`, (bench) => bench.stop(index))),
  fc.constant(command("store", (bench) => bench.store())),
  fc.integer({ min: 2, max: 10 }).map((times) =>
    command(`store ${times} times`, (bench) => {
      for (let time = 0; time < times; time++) {
        bench.store();
        bench.settle();
      }
    }),
  ),
  fc.constant(command("connect", (bench) => bench.connect())),
  fc.constant(command("disconnect", (bench) => bench.disconnect())),
  fc.constant(command("pause", (bench) => bench.pause())),
  outcomes.map((outcome) => command(outcome, (bench) => bench.answer(outcome))),
  outcomes.map((outcome) => command(outcome, (bench) => bench.answer(outcome))),
  fc.constant(command("hear", (bench) => bench.hear())),
  indices.map((index) => command(`give back ${index}`, (bench) => bench.giveBack(index))),
  someKeys.map((keys) => command(`configure ${JSON.stringify(keys)}`, (bench) => bench.configure(keys))),
  fc.nat(300 * second).map((ms) => command(`pass ${ms}`, (bench) => bench.pass(ms))),
];
const cutPower = fc.constant(command("cut power", (bench) => bench.cutPower()));

describe("DeliveryQueue, whatever happens", () => {
  test("delivers each message once and in order, after it is stored, waits exactly, gives up exactly, and agrees with its store, through failures, silence, lost connections and power cuts [CORE-TXQ-01] [CORE-TXQ-02] [CORE-TXQ-03] [CORE-TXQ-08] [CORE-TXQ-09] [CORE-TXQ-10] [CORE-TXQ-11] [CORE-TXQ-16] [CORE-TXQ-17] [CORE-MTR-12] [J-210]", () => {
    fc.assert(
      fc.property(
        someKeys,
        fc.integer({ min: 2, max: 8 }),
        fc.oneof(
          fc.commands(commands, { size: "+1", maxCommands: 80 }),
          fc.commands([...commands, cutPower], { size: "+1", maxCommands: 80 }),
        ),
        (keys, maxMessages, steps) => {
          const bench = new Bench(keys, maxMessages);
          fc.modelRun(() => ({ model: {}, real: bench }), steps);
          // Whatever has happened: once the store, the connection and the Central System work, the queue empties.
          bench.connect();
          bench.settle();
          for (let rounds = 0; bench.order.length > 0; rounds++) {
            expect(rounds, "rounds without end").toBeLessThan(20 * bench.sequences);
            bench.store();
            bench.settle();
            if (bench.underWay === undefined && bench.writes.length === 0) bench.pass(300 * second);
            bench.answer("answered");
            bench.settle();
          }
          while (bench.writes.length > 0) bench.store();
          expect(bench.disk.size).toBe(0);
          for (const [sequence, { ended }] of bench.fates) expect(ended, `the end of ${sequence}`).toBeDefined();
        },
      ),
      { numRuns: 300 },
    );
  });

  test("has room for the stop of every transaction for which it had room for the start [CORE-TXQ-02] [CORE-MTR-12]", () => {
    /** With a store that does at once what it is asked for. */
    const stored = (name: string, run: (bench: Bench) => void): fc.Arbitrary<ReturnType<typeof command>> =>
      fc.constant(
        command(name, (bench) => {
          run(bench);
          for (bench.settle(); bench.writes.length > 0; bench.settle()) bench.store();
          expect(bench.order.length, "bound").toBeLessThanOrEqual(bench.maxMessages);
        }),
      );
    const steps = fc.commands(
      [
        stored("start", (bench) => bench.start()),
        stored("meter", (bench) => bench.meter()),
        stored("stop", (bench) => bench.stop(0)),
        stored("connect", (bench) => bench.connect()),
        stored("answered", (bench) => bench.answer("answered")),
      ],
      { size: "+1", maxCommands: 30 },
    );
    fc.assert(
      fc.property(someKeys, fc.integer({ min: 2, max: 5 }), steps, (keys, maxMessages, steps) => {
        const bench = new Bench(keys, maxMessages);
        fc.modelRun(() => ({ model: {}, real: bench }), steps);
        while (bench.running.length > 0) {
          bench.stop(0);
          bench.settle();
          expect(bench.order.length, "bound").toBeLessThanOrEqual(maxMessages);
        }
      }),
      { numRuns: 500 },
    );
  });
});
