import { describe, expect, test } from "vitest";
import {
  type QueuedMessage,
  type TransactionMessage,
  TransactionQueue,
  type TransactionQueueOutput,
} from "../../src/charge-point/transaction-queue.ts";
import { markOf, meterValues, minute, outputsOf, queued, startTransaction, stopTransaction } from "./vocabulary.ts";

const keys = { attempts: 3, retryIntervalMs: minute };

const emptyQueue = (maxMessages = 100): TransactionQueue => new TransactionQueue(keys, maxMessages);

/** Each output in words: what is done, to which message. */
function said(queue: TransactionQueue): string[] {
  return outputsOf(queue).map((output) => {
    const reason = output.type === "discarded" ? ` ${output.reason}` : "";
    return `${output.type} ${markOf(output.message)}${reason}`;
  });
}

/** The messages in the queue, by their marks. */
const waiting = (queue: TransactionQueue): number[] => queue.messages.map(markOf);

/** Enqueues messages and lets the store take them; their outputs are taken. */
function enqueue(queue: TransactionQueue, ...messages: TransactionMessage[]): void {
  for (const message of messages) queue.stored(queue.enqueued(message, 1), 0);
  outputsOf(queue);
}

/** Online since 0, with the first of these messages under way. */
function delivering(...messages: TransactionMessage[]): TransactionQueue {
  const queue = emptyQueue();
  enqueue(queue, ...messages);
  queue.online(0);
  expect(said(queue)).toEqual([`deliver ${markOf(messages[0] as TransactionMessage)}`]);
  return queue;
}

/** Settles the first message, the only one that can be under way. */
const settle = (queue: TransactionQueue, outcome: "answered" | "failed", now: number): void =>
  queue.settled(queue.messages[0]?.sequence ?? 0, outcome, now);

describe("TransactionQueue, delivering", () => {
  test("delivers in order, one at a time, each as soon as the one before it is answered [CORE-TXQ-01] [CORE-TXQ-03]", () => {
    const queue = delivering(startTransaction(1), meterValues(2), stopTransaction(3));
    expect(queue.deadline).toBe(Number.POSITIVE_INFINITY);
    settle(queue, "answered", 10);
    expect(said(queue)).toEqual(["delivered 1", "delete 1", "deliver 2"]);
    settle(queue, "answered", 20);
    expect(said(queue)).toEqual(["delivered 2", "delete 2", "deliver 3"]);
    settle(queue, "answered", 30);
    expect(said(queue)).toEqual(["delivered 3", "delete 3"]);
    expect(waiting(queue)).toEqual([]);
  });

  test("keeps what happens offline, and delivers it once online [CORE-TXQ-02] [CORE-TXQ-17] [J-210]", () => {
    const queue = emptyQueue();
    queue.enqueued(startTransaction(1), 1);
    queue.stored(1, 0);
    queue.advance(minute);
    expect(said(queue)).toEqual(["put 1"]);
    expect(queue.deadline).toBe(Number.POSITIVE_INFINITY);
    queue.online(minute);
    expect(said(queue)).toEqual(["deliver 1"]);
  });

  test("puts a new message behind those that wait, even behind one that is being retried [CORE-TXQ-03]", () => {
    const queue = delivering(startTransaction(1));
    settle(queue, "failed", 0);
    enqueue(queue, stopTransaction(2));
    expect(waiting(queue)).toEqual([1, 2]);
    queue.advance(minute);
    expect(said(queue)).toEqual(["deliver 1"]);
  });

  test("delivers a message again on the next connection, without a failure and without a wait, when the connection was lost [CORE-TXQ-08] [J-210]", () => {
    const queue = delivering(startTransaction(1));
    queue.offline();
    expect(said(queue)).toEqual([]);
    queue.advance(minute);
    expect(said(queue)).toEqual([]);
    queue.online(minute);
    expect(outputsOf(queue)).toEqual([{ type: "deliver", message: queued(startTransaction(1), 1) }]);
  });

  test("sends nothing more while it is paused, but lets what is under way come to its end [CORE-TXQ-08]", () => {
    const queue = delivering(startTransaction(1), stopTransaction(2));
    queue.paused();
    settle(queue, "answered", 10);
    expect(said(queue)).toEqual(["delivered 1", "delete 1"]);
    queue.online(20);
    expect(said(queue)).toEqual(["deliver 2"]);
    queue.paused();
    settle(queue, "failed", 30);
    expect(said(queue)).toEqual(["put 2"]);
    queue.stored(queue.messages[0]?.sequence ?? 0, 40);
    queue.online(40);
    expect(said(queue)).toEqual([]);
    expect(queue.deadline).toBe(30 + minute);
  });

  test("takes an answer that came as the connection ended, but no failure [CORE-TXQ-08]", () => {
    const queue = delivering(startTransaction(1));
    queue.offline();
    settle(queue, "failed", 1);
    expect(said(queue)).toEqual([]);
    settle(queue, "answered", 1);
    expect(said(queue)).toEqual(["delivered 1", "delete 1"]);
  });

  test("ignores what is said of another message than the first", () => {
    const queue = delivering(startTransaction(1), stopTransaction(2));
    queue.settled(2, "answered", 1);
    emptyQueue().settled(1, "answered", 0);
    expect(said(queue)).toEqual([]);
  });

  test("goes on when it is told twice that it is online", () => {
    const queue = delivering(startTransaction(1), stopTransaction(2));
    queue.online(1);
    expect(said(queue)).toEqual([]);
  });
});

describe("TransactionQueue, the store", () => {
  test("delivers nothing that the store has not taken yet [CORE-TXQ-16]", () => {
    const queue = emptyQueue();
    queue.online(0);
    const first = queue.enqueued(startTransaction(1), 1);
    const second = queue.enqueued(stopTransaction(2), 1);
    expect(said(queue)).toEqual(["put 1", "put 2"]);
    queue.advance(minute);
    queue.stored(second, minute);
    expect(said(queue)).toEqual([]);
    expect(queue.deadline).toBe(Number.POSITIVE_INFINITY);
    queue.stored(first, 2 * minute);
    expect(said(queue)).toEqual(["deliver 1"]);
  });

  test("puts each message with its sequence, its transaction and its failures [CORE-TXQ-16]", () => {
    const queue = emptyQueue();
    expect(queue.enqueued(startTransaction(1), 7)).toBe(1);
    expect(queue.enqueued(startTransaction(2), 8)).toBe(2);
    expect(outputsOf(queue)).toEqual<TransactionQueueOutput[]>([
      { type: "put", message: { ...startTransaction(1), sequence: 1, transaction: 7, failures: 0 } },
      { type: "put", message: { ...startTransaction(2), sequence: 2, transaction: 8, failures: 0 } },
    ]);
  });

  test("tells that a message is done before it deletes it, so that a crash in between repeats it and loses nothing [CORE-TXQ-16]", () => {
    const queue = delivering(startTransaction(1));
    settle(queue, "answered", 0);
    expect(said(queue)).toEqual(["delivered 1", "delete 1"]);
    const failing = delivering(startTransaction(1));
    failing.configured({ attempts: 1, retryIntervalMs: 0 });
    settle(failing, "failed", 0);
    expect(said(failing)).toEqual(["discarded 1 attempts", "delete 1"]);
  });

  test("goes on with what an earlier run left, in its order and before anything new [CORE-TXQ-01] [CORE-TXQ-16]", () => {
    const queue = emptyQueue();
    const kept: QueuedMessage[] = [queued(meterValues(1), 5, 1), queued(stopTransaction(2), 9)];
    queue.restored(kept);
    expect(queue.enqueued(startTransaction(3), 2)).toBe(10);
    expect(said(queue)).toEqual(["put 3"]);
    expect(waiting(queue)).toEqual([1, 2, 3]);
    queue.online(0);
    expect(outputsOf(queue)).toEqual([{ type: "deliver", message: kept[0] }]);
  });

  test("counts the failures of an earlier run [CORE-TXQ-09]", () => {
    const queue = emptyQueue();
    queue.restored([queued(startTransaction(1), 1, 2)]);
    queue.online(0);
    outputsOf(queue);
    settle(queue, "failed", 0);
    expect(said(queue)).toEqual(["discarded 1 attempts", "delete 1"]);
  });

  test("begins with 1 when nothing was left", () => {
    const queue = emptyQueue();
    queue.restored([]);
    expect(queue.enqueued(startTransaction(1), 1)).toBe(1);
  });

  test("puts what is amended, and only that, and delivers it so, but not before it is stored [CORE-TXQ-16]", () => {
    const queue = emptyQueue();
    enqueue(queue, startTransaction(1), meterValues(2), stopTransaction(3));
    const amended: QueuedMessage = { ...queued(startTransaction(10), 1) };
    queue.amended((message) => (message.sequence === 1 ? amended : message));
    expect(outputsOf(queue)).toEqual([{ type: "put", message: amended }]);
    queue.online(0);
    expect(outputsOf(queue)).toEqual([]);
    queue.stored(1, 0);
    expect(outputsOf(queue)).toEqual([{ type: "deliver", message: amended }]);
  });
});

describe("TransactionQueue, failures", () => {
  test("waits interval × failures before each retransmission and gives up after the attempts: at 0, 60 and 180 s for 3 and 60 [CORE-TXQ-06] [CORE-TXQ-07] [CORE-TXQ-09] [CORE-TXQ-10] [CORE-TXQ-11] [J-210]", () => {
    const queue = delivering(startTransaction(1), stopTransaction(2));
    settle(queue, "failed", 0);
    expect(outputsOf(queue)).toEqual([{ type: "put", message: queued(startTransaction(1), 1, 1) }]);
    expect(queue.deadline).toBe(minute);
    queue.advance(minute - 1);
    expect(said(queue)).toEqual([]);
    queue.advance(minute);
    expect(said(queue)).toEqual(["deliver 1"]);
    settle(queue, "failed", minute);
    expect(outputsOf(queue)).toEqual([{ type: "put", message: queued(startTransaction(1), 1, 2) }]);
    queue.advance(3 * minute - 1);
    expect(said(queue)).toEqual([]);
    queue.advance(3 * minute);
    expect(said(queue)).toEqual(["deliver 1"]);
    settle(queue, "failed", 3 * minute);
    expect(said(queue)).toEqual(["discarded 1 attempts", "delete 1", "deliver 2"]);
  });

  test("lets the waits grow by the same step each time [CORE-TXQ-10]", () => {
    const queue = delivering(startTransaction(1));
    queue.configured({ attempts: 6, retryIntervalMs: minute });
    const waits = [1, 2, 3, 4, 5].map(() => {
      settle(queue, "failed", 0);
      const wait = queue.deadline;
      queue.advance(wait);
      return wait / minute;
    });
    expect(waits).toEqual([1, 2, 3, 4, 5]);
  });

  test("tells of a discarded message how often it failed", () => {
    const queue = delivering(startTransaction(1));
    queue.configured({ attempts: 1, retryIntervalMs: 0 });
    settle(queue, "failed", 0);
    expect(outputsOf(queue)[0]).toEqual({
      type: "discarded",
      message: queued(startTransaction(1), 1, 1),
      reason: "attempts",
    });
  });

  test("counts the failures of each message by itself, and waits for none on account of another [CORE-TXQ-09] [CORE-TXQ-10]", () => {
    const queue = delivering(startTransaction(1), stopTransaction(2));
    settle(queue, "failed", 0);
    queue.advance(minute);
    settle(queue, "answered", minute);
    expect(said(queue).at(-1)).toBe("deliver 2");
    settle(queue, "failed", minute);
    expect(queue.deadline).toBe(2 * minute);
  });

  test("keeps waiting through a reconnect [CORE-TXQ-10]", () => {
    const queue = delivering(startTransaction(1));
    settle(queue, "failed", 0);
    outputsOf(queue);
    queue.offline();
    expect(queue.deadline).toBe(Number.POSITIVE_INFINITY);
    queue.online(10);
    expect(said(queue)).toEqual([]);
    expect(queue.deadline).toBe(minute);
  });

  test("obeys changed keys with the next failure; a wait that has begun is not changed [CORE-TXQ-07]", () => {
    const queue = delivering(startTransaction(1));
    settle(queue, "failed", 0);
    queue.configured({ attempts: 2, retryIntervalMs: 1 });
    expect(queue.deadline).toBe(minute);
    queue.advance(minute);
    outputsOf(queue);
    settle(queue, "failed", minute);
    expect(said(queue)).toEqual(["discarded 1 attempts", "delete 1"]);
  });
});

describe("TransactionQueue, full", () => {
  const full = (...messages: TransactionMessage[]): TransactionQueue => {
    const queue = emptyQueue(messages.length);
    enqueue(queue, ...messages);
    return queue;
  };

  test("thins out the meter values that wait, every second one, and never a start or a stop [CORE-MTR-12] [CORE-MTR-13]", () => {
    const queue = full(
      startTransaction(1),
      meterValues(2),
      meterValues(3),
      stopTransaction(4),
      meterValues(5),
      meterValues(6),
    );
    queue.enqueued(meterValues(7), 1);
    expect(said(queue)).toEqual(["discarded 2 full", "delete 2", "discarded 5 full", "delete 5", "put 7"]);
    expect(waiting(queue)).toEqual([1, 3, 4, 6, 7]);
  });

  test("gives up the new meter values when there are no others [CORE-MTR-12]", () => {
    const queue = full(startTransaction(1), stopTransaction(2));
    queue.enqueued(meterValues(3), 1);
    expect(said(queue)).toEqual(["discarded 3 full"]);
    queue.enqueued(stopTransaction(4), 1);
    expect(waiting(queue)).toEqual([1, 2, 4]);
  });

  test("discards nothing that is under way", () => {
    const queue = full(meterValues(1), meterValues(2), stopTransaction(3));
    queue.online(0);
    outputsOf(queue);
    queue.enqueued(stopTransaction(4), 1);
    expect(said(queue)).toEqual(["discarded 2 full", "delete 2", "put 4"]);
    settle(queue, "answered", 0);
    expect(said(queue)).toEqual(["delivered 1", "delete 1", "deliver 3"]);
  });

  test("lets the wait of the first message go on when others make room [CORE-TXQ-10]", () => {
    const queue = full(startTransaction(1), meterValues(2), meterValues(3));
    queue.online(0);
    settle(queue, "failed", 0);
    outputsOf(queue);
    queue.stored(queue.enqueued(meterValues(4), 1), 1);
    expect(said(queue)).toEqual(["discarded 2 full", "delete 2", "put 4"]);
    expect(queue.deadline).toBe(minute);
  });

  test("does not wait on account of a message that has made room [CORE-TXQ-10]", () => {
    const queue = full(meterValues(1), stopTransaction(2));
    queue.online(0);
    settle(queue, "failed", 0);
    outputsOf(queue);
    queue.stored(queue.enqueued(stopTransaction(3), 1), 1);
    expect(said(queue)).toEqual(["discarded 1 full", "delete 1", "put 3", "deliver 2"]);
  });

  test("is not held up by a message that made room before the store had taken it", () => {
    const queue = emptyQueue(2);
    queue.online(0);
    const first = queue.enqueued(meterValues(1), 1);
    const second = queue.enqueued(meterValues(2), 1);
    queue.enqueued(meterValues(3), 1);
    expect(said(queue)).toEqual(["put 1", "put 2", "discarded 1 full", "delete 1", "put 3"]);
    queue.stored(first, 0);
    expect(said(queue)).toEqual([]);
    queue.stored(second, 0);
    expect(said(queue)).toEqual(["deliver 2"]);
  });
});

describe("TransactionQueue.hasRoomForTransaction", () => {
  test("counts the starts and stops that wait, the stops to come, and the start and stop that are asked about [CORE-TXQ-02]", () => {
    const queue = emptyQueue(6);
    expect(queue.hasRoomForTransaction(4)).toBe(true);
    expect(queue.hasRoomForTransaction(5)).toBe(false);
    enqueue(queue, startTransaction(1), stopTransaction(2));
    expect(queue.hasRoomForTransaction(2)).toBe(true);
    expect(queue.hasRoomForTransaction(3)).toBe(false);
  });

  test("does not count meter values, which make room, except the first, which may be under way [CORE-TXQ-02]", () => {
    const queue = emptyQueue(6);
    enqueue(queue, meterValues(1), meterValues(2), meterValues(3));
    expect(queue.hasRoomForTransaction(3)).toBe(true);
    expect(queue.hasRoomForTransaction(4)).toBe(false);
  });
});
