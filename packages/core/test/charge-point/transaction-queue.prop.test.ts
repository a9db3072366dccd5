import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type QueuedMessage,
  type TransactionMessage,
  TransactionQueue,
  type TransactionQueueOutput,
} from "../../src/charge-point/transaction-queue.ts";
import { markOf, meterValues, outputsOf, second, startTransaction, stopTransaction } from "./vocabulary.ts";

interface Keys {
  readonly attempts: number;
  readonly retryIntervalMs: number;
}

/** What has become of a message. */
interface Fate {
  readonly action: TransactionMessage["action"];
  failures: number;
  /** How many times it is still to be stored before it may be delivered. */
  unstored: number;
  ended: "delivered" | "discarded" | undefined;
}

/** What has become of a transaction, and what of it a power cut would leave. */
interface Course {
  stopped: boolean;
  startStored: boolean;
  stopStored: boolean;
}

/**
 * A TransactionQueue as `drive` runs it, its store, its transactions, and what the laws need to remember.
 *
 * Messages are known by their marks, which grow in the order of occurrence.
 */
class Bench {
  readonly maxMessages: number;
  keys: Keys;
  queue: TransactionQueue;
  now = 0;
  online = false;
  underWay: number | undefined;
  /** The message that was delivered last and has not ended, also after its connection has. */
  sent: number | undefined;
  /** How the message under way has just ended, and the machine has not said yet that it has. */
  ending: "delivered" | "discarded" | undefined;
  /** The first message is not due before this. */
  retryAt = 0;
  /** The marks of the messages in the queue, first to be delivered first. */
  order: number[] = [];
  readonly fates = new Map<number, Fate>();
  marks = 0;
  /** What would survive a power cut. */
  disk = new Map<number, QueuedMessage>();
  /** What the store was asked for and has not done. */
  writes: Extract<TransactionQueueOutput, { type: "put" | "delete" }>[] = [];
  readonly transactions = new Map<number, Course>();

  constructor(keys: Keys, maxMessages: number) {
    this.keys = keys;
    this.maxMessages = maxMessages;
    this.queue = new TransactionQueue(keys, maxMessages);
  }

  settle(): void {
    for (let turns = 0; ; turns++) {
      expect(turns, "turns without time passing").toBeLessThan(5);
      for (const output of outputsOf(this.queue)) this.#perform(output);
      if (this.now < this.queue.deadline) break;
      this.queue.advance(this.now);
    }
    expect(this.ending, "an end that is not told").toBeUndefined();
    const { messages, deadline } = this.queue;
    expect(messages.map(markOf), "order of occurrence").toEqual(this.order);
    expect(messages.length, "bound").toBeLessThanOrEqual(this.maxMessages);
    expect([...this.#diskAfterWrites().values()], "the store").toEqual(messages);
    const [first] = this.order;
    const ready = this.online && this.underWay === undefined && first !== undefined && this.#fate(first).unstored === 0;
    // Nothing is late, and nothing gets stuck: what may be sent and is not, waits for its retransmission.
    expect(deadline).toBe(ready ? this.retryAt : Number.POSITIVE_INFINITY);
    if (ready) expect(this.retryAt, "late").toBeGreaterThan(this.now);
  }

  #perform(output: TransactionQueueOutput): void {
    const mark = markOf(output.message);
    const fate = this.#fate(mark);
    switch (output.type) {
      case "put":
      case "delete":
        this.writes.push(output);
        break;
      case "deliver":
        expect(this.online, "delivered offline").toBe(true);
        expect(this.underWay, "two under way").toBeUndefined();
        expect(mark, "out of turn").toBe(this.order[0]);
        expect(fate.unstored, "delivered before it was stored").toBe(0);
        expect(this.now, "delivered before the wait is over").toBeGreaterThanOrEqual(this.retryAt);
        expect(output.message.failures).toBe(fate.failures);
        this.underWay = mark;
        this.sent = mark;
        break;
      case "delivered":
      case "discarded":
        if (output.type === "discarded" && output.reason === "full") {
          expect(fate.action, "discarded for room").toBe("MeterValues");
          expect(mark, "discarded while under way").not.toBe(this.underWay);
        } else {
          expect(output.type, "ended otherwise").toBe(this.ending);
          expect(mark, "another one ended").toBe(this.order[0]);
          this.ending = undefined;
        }
        this.#end(mark, output.type);
        break;
    }
  }

  #end(mark: number, how: "delivered" | "discarded"): void {
    const fate = this.#fate(mark);
    expect(fate.ended, "ended twice").toBeUndefined();
    fate.ended = how;
    if (mark === this.sent) this.sent = undefined;
    if (mark === this.order[0]) this.retryAt = 0;
    this.order = this.order.filter((other) => other !== mark);
  }

  #fate(mark: number): Fate {
    const fate = this.fates.get(mark);
    if (fate === undefined) throw new Error(`Nobody has enqueued ${mark}.`);
    return fate;
  }

  #enqueue(make: (mark: number) => TransactionMessage, transaction: number): void {
    const message = make(++this.marks);
    this.fates.set(this.marks, { action: message.action, failures: 0, unstored: 1, ended: undefined });
    this.order.push(this.marks);
    const before = this.queue.messages.at(-1)?.sequence ?? 0;
    expect(this.queue.enqueued(message, transaction), "sequence").toBeGreaterThan(before);
  }

  start(): void {
    if (!this.queue.hasRoomForTransaction(this.#running.length)) return;
    const transaction = this.marks + 1;
    this.transactions.set(transaction, { stopped: false, startStored: false, stopStored: false });
    this.#enqueue(startTransaction, transaction);
  }

  meter(index: number): void {
    const transaction = this.#runningAt(index);
    if (transaction !== undefined) this.#enqueue(meterValues, transaction);
  }

  stop(index: number): void {
    const transaction = this.#runningAt(index);
    if (transaction === undefined) return;
    this.#course(transaction).stopped = true;
    this.#enqueue(stopTransaction, transaction);
  }

  get #running(): number[] {
    return [...this.transactions.keys()].filter((transaction) => !this.#course(transaction).stopped);
  }

  #runningAt(index: number): number | undefined {
    return this.#running[index % Math.max(1, this.#running.length)];
  }

  #course(transaction: number): Course {
    const course = this.transactions.get(transaction);
    if (course === undefined) throw new Error(`There is no transaction ${transaction}.`);
    return course;
  }

  /** Lets the store do the next thing that it was asked for. */
  store(): void {
    const write = this.writes.shift();
    if (write === undefined) return;
    apply(this.disk, write);
    if (write.type === "delete") return;
    const { message } = write;
    if (message.action === "StartTransaction") this.#course(message.transaction).startStored = true;
    if (message.action === "StopTransaction") this.#course(message.transaction).stopStored = true;
    const fate = this.#fate(markOf(message));
    fate.unstored = Math.max(0, fate.unstored - 1);
    this.queue.stored(message.sequence, this.now);
  }

  #diskAfterWrites(): Map<number, QueuedMessage> {
    const disk = new Map(this.disk);
    for (const write of this.writes) apply(disk, write);
    return disk;
  }

  connect(): void {
    this.online = true;
    this.queue.online(this.now);
  }

  disconnect(): void {
    this.online = false;
    this.underWay = undefined;
    this.queue.offline();
  }

  answer(outcome: "answered" | "failed"): void {
    // An answer can come with the end of its connection, and counts; a failure then does not.
    const mark = this.underWay ?? this.sent;
    if (mark === undefined) return;
    const fate = this.#fate(mark);
    if (outcome === "answered") this.ending = "delivered";
    else if (this.underWay !== undefined) {
      this.retryAt = this.now + this.keys.retryIntervalMs * ++fate.failures;
      if (fate.failures >= this.keys.attempts) this.ending = "discarded";
    }
    this.underWay = undefined;
    const message = this.queue.messages.find((message) => markOf(message) === mark);
    this.queue.settled(message?.sequence ?? 0, outcome, this.now);
  }

  configure(keys: Keys): void {
    this.keys = keys;
    this.queue.configured(keys);
  }

  amend(idTag: string): void {
    this.queue.amended((message) => {
      if (message.action !== "StartTransaction") return message;
      this.#fate(markOf(message)).unstored++;
      return { ...message, req: { ...message.req, idTag } };
    });
  }

  /** Cuts the power: what the store has not done by now is lost, and whoever reads it finds what it has done. */
  cutPower(): void {
    const kept = [...this.disk.values()];
    this.queue = new TransactionQueue(this.keys, this.maxMessages);
    this.queue.restored(kept);
    this.writes = [];
    this.online = false;
    this.underWay = undefined;
    this.sent = undefined;
    this.retryAt = 0;
    const marks = kept.map(markOf);
    // What was done and not deleted yet is done again; what was neither done nor stored is lost: it is no longer awaited.
    for (const [mark, fate] of this.fates) {
      fate.ended = undefined;
      fate.unstored = 0;
      if (!marks.includes(mark)) this.fates.delete(mark);
    }
    for (const message of kept) {
      const fate = this.#fate(markOf(message));
      expect(message.failures, "failures that nobody has seen").toBeLessThanOrEqual(fate.failures);
      fate.failures = message.failures;
    }
    this.order = marks;
    for (const [transaction, course] of this.transactions) {
      course.stopped = course.stopStored;
      if (!course.startStored) this.transactions.delete(transaction);
    }
  }

  pass(ms: number): void {
    const end = this.now + ms;
    while (this.queue.deadline <= end) {
      this.now = this.queue.deadline;
      this.settle();
    }
    this.now = end;
  }
}

function apply(disk: Map<number, QueuedMessage>, { type, message }: TransactionQueueOutput): void {
  if (type === "put") disk.set(message.sequence, message);
  else disk.delete(message.sequence);
}

type Command = fc.Command<Record<string, never>, Bench>;

const command = (name: string, run: (bench: Bench) => void): Command => ({
  check: () => true,
  run: (_, bench) => {
    run(bench);
    bench.settle();
  },
  toString: () => name,
});

const indices = fc.nat(5);
const someKeys = fc.record({
  attempts: fc.integer({ min: 1, max: 4 }),
  retryIntervalMs: fc.nat(60).map((s) => s * second),
});

const commands = [
  fc.constant(command("start", (bench) => bench.start())),
  indices.map((index) => command(`meter ${index}`, (bench) => bench.meter(index))),
  indices.map((index) => command(`meter ${index}`, (bench) => bench.meter(index))),
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
  fc
    .constantFrom<"answered" | "failed">("answered", "failed")
    .map((outcome) => command(outcome, (bench) => bench.answer(outcome))),
  fc.constant(command("failed", (bench) => bench.answer("failed"))),
  someKeys.map((keys) => command(`configure ${JSON.stringify(keys)}`, (bench) => bench.configure(keys))),
  fc.constantFrom("A", "B").map((idTag) => command(`amend ${idTag}`, (bench) => bench.amend(idTag))),
  fc.nat(300 * second).map((ms) => command(`pass ${ms}`, (bench) => bench.pass(ms))),
];
const cutPower = fc.constant(command("cut power", (bench) => bench.cutPower()));

describe("TransactionQueue, whatever happens", () => {
  test("delivers each message once and in order, after it is stored, waits exactly, gives up exactly, keeps its bound and agrees with its store, through failures, lost connections and power cuts [CORE-TXQ-01] [CORE-TXQ-02] [CORE-TXQ-03] [CORE-TXQ-08] [CORE-TXQ-09] [CORE-TXQ-10] [CORE-TXQ-11] [CORE-TXQ-16] [CORE-TXQ-17] [CORE-MTR-12] [J-210]", () => {
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
            expect(rounds, "rounds without end").toBeLessThan(20 * maxMessages);
            bench.store();
            bench.settle();
            if (bench.underWay === undefined && bench.writes.length === 0) bench.pass(300 * second);
            bench.answer("answered");
            bench.settle();
          }
          while (bench.writes.length > 0) bench.store();
          expect(bench.disk.size).toBe(0);
          for (const [mark, { ended }] of bench.fates) expect(ended, `the end of ${mark}`).toBeDefined();
        },
      ),
      { numRuns: 300 },
    );
  });

  test("has room for the stop of every transaction for which it had room for the start [CORE-TXQ-02] [CORE-MTR-12]", () => {
    /** With a store that does at once what it is asked for. */
    const stored = (name: string, run: (bench: Bench) => void): fc.Arbitrary<Command> =>
      fc.constant(
        command(name, (bench) => {
          run(bench);
          for (bench.settle(); bench.writes.length > 0; bench.settle()) bench.store();
        }),
      );
    const steps = fc.commands(
      [
        stored("start", (bench) => bench.start()),
        stored("meter", (bench) => bench.meter(0)),
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
        for (let stops = 0; stops < maxMessages; stops++) {
          bench.stop(0);
          bench.settle();
        }
      }),
      { numRuns: 500 },
    );
  });
});
