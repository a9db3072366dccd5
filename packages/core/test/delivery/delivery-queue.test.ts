import { describe, expect, test } from "vitest";
import { DeliveryQueue, type QueuedMessage } from "../../src/delivery/delivery-queue.ts";
import { minute, outputsOf } from "../charge-point/vocabulary.ts";

const keys = { attempts: 3, retryIntervalMs: minute };

/** Messages that last, and meter values that make room: each is known by its sequence. */
const lasting = (sequence: number, failures = 0): QueuedMessage => ({ sequence, makesRoom: false, failures });
const metered = (sequence: number, failures = 0): QueuedMessage => ({ sequence, makesRoom: true, failures });

type Queue = DeliveryQueue<QueuedMessage>;

const emptyQueue = (maxMessages = 100): Queue => new DeliveryQueue(keys, maxMessages);

/** Each output in words: what is done, to which message. */
function said(queue: Queue): string[] {
  return outputsOf(queue).map((output) => {
    const reason = output.type === "discarded" ? ` ${output.reason}` : "";
    return `${output.type} ${output.message.sequence}${reason}`;
  });
}

const waiting = (queue: Queue): number[] => queue.messages.map(({ sequence }) => sequence);

/** Enqueues messages and lets the store take them; their outputs are taken. */
function enqueue(queue: Queue, ...messages: QueuedMessage[]): void {
  for (const message of messages) {
    queue.enqueued(message);
    queue.stored(message, 0);
  }
  outputsOf(queue);
}

/** Online since 0, with the first of these messages under way. */
function delivering(...messages: QueuedMessage[]): Queue {
  const queue = emptyQueue();
  enqueue(queue, ...messages);
  queue.online(0);
  expect(said(queue)).toEqual([`deliver ${messages[0]?.sequence}`]);
  return queue;
}

/** Settles the first message, the only one that can be under way. */
const settle = (queue: Queue, outcome: Parameters<Queue["settled"]>[1], now: number): void =>
  queue.settled(queue.messages[0] as QueuedMessage, outcome, now);

describe("DeliveryQueue, delivering", () => {
  test("delivers in order, one at a time, each as soon as the one before it is answered [CORE-TXQ-01] [CORE-TXQ-03]", () => {
    const queue = delivering(lasting(1), metered(2), lasting(3));
    expect(queue.deadline).toBe(Number.POSITIVE_INFINITY);
    settle(queue, "answered", 10);
    expect(said(queue)).toEqual(["delivered 1", "deliver 2"]);
    settle(queue, "answered", 20);
    expect(said(queue)).toEqual(["delivered 2", "deliver 3"]);
    settle(queue, "answered", 30);
    expect(said(queue)).toEqual(["delivered 3"]);
    expect(waiting(queue)).toEqual([]);
  });

  test("keeps what happens offline, and delivers it once online [CORE-TXQ-02] [CORE-TXQ-17] [J-210]", () => {
    const queue = emptyQueue();
    const message = lasting(1);
    queue.enqueued(message);
    queue.stored(message, 0);
    queue.advance(minute);
    expect(said(queue)).toEqual(["put 1"]);
    expect(queue.deadline).toBe(Number.POSITIVE_INFINITY);
    queue.online(minute);
    expect(said(queue)).toEqual(["deliver 1"]);
  });

  test("puts a new message behind those that wait, even behind one that is being retried [CORE-TXQ-03]", () => {
    const queue = delivering(lasting(1));
    settle(queue, "failed", 0);
    enqueue(queue, lasting(2));
    expect(waiting(queue)).toEqual([1, 2]);
    queue.advance(minute);
    expect(said(queue)).toEqual(["deliver 1"]);
  });

  test("delivers a message again on the next connection, without a failure and without a wait, when the connection was lost [CORE-TXQ-08] [J-210]", () => {
    const queue = delivering(lasting(1));
    queue.offline();
    queue.advance(minute);
    expect(said(queue)).toEqual([]);
    queue.online(minute);
    expect(outputsOf(queue)).toEqual([{ type: "deliver", message: lasting(1) }]);
  });

  test("sends nothing more while it is paused, but lets what is under way come to its end [CORE-TXQ-08]", () => {
    const queue = delivering(lasting(1), lasting(2));
    queue.paused();
    settle(queue, "answered", 10);
    expect(said(queue)).toEqual(["delivered 1"]);
    queue.online(20);
    expect(said(queue)).toEqual(["deliver 2"]);
    queue.paused();
    settle(queue, "failed", 30);
    expect(said(queue)).toEqual(["put 2"]);
    queue.online(40);
    expect(said(queue)).toEqual([]);
    expect(queue.deadline).toBe(30 + minute);
  });

  test("takes an answer that came as the connection ended, but no failure [CORE-TXQ-08]", () => {
    for (const outcome of ["failed", "unanswered", "refused"] as const) {
      const queue = delivering(lasting(1));
      queue.offline();
      settle(queue, outcome, 1);
      queue.heard(1);
      expect(said(queue)).toEqual([]);
      settle(queue, "answered", 1);
      expect(said(queue)).toEqual(["delivered 1"]);
    }
  });

  test("ignores failures of what is not under way, and all that is said of what is not in the queue", () => {
    const queue = delivering(lasting(1), lasting(2));
    queue.settled(queue.messages[1] as QueuedMessage, "failed", 1);
    queue.settled(queue.messages[1] as QueuedMessage, "unanswered", 1);
    queue.settled(queue.messages[1] as QueuedMessage, "refused", 1);
    for (const outcome of ["answered", "failed", "unanswered", "refused"] as const) {
      queue.settled(lasting(1), outcome, 1);
      queue.settled(lasting(7), outcome, 1);
    }
    queue.removed(lasting(2), 1);
    expect(said(queue)).toEqual([]);
    expect(waiting(queue)).toEqual([1, 2]);
  });

  test("goes on when it is told twice that it is online", () => {
    const queue = delivering(lasting(1), lasting(2));
    queue.online(1);
    expect(said(queue)).toEqual([]);
  });

  test("goes on with the next when a message turns out to be of no use", () => {
    const queue = delivering(lasting(1), lasting(2));
    queue.removed(queue.messages[0] as QueuedMessage, 1);
    expect(said(queue)).toEqual(["deliver 2"]);
  });
});

describe("DeliveryQueue, the store", () => {
  test("delivers nothing that the store has not taken yet [CORE-TXQ-16]", () => {
    const queue = emptyQueue();
    queue.online(0);
    const [first, second] = [lasting(1), lasting(2)];
    queue.enqueued(first);
    queue.enqueued(second);
    expect(said(queue)).toEqual(["put 1", "put 2"]);
    queue.advance(minute);
    queue.stored(second, minute);
    expect(said(queue)).toEqual([]);
    expect(queue.deadline).toBe(Number.POSITIVE_INFINITY);
    queue.stored(first, 2 * minute);
    expect(said(queue)).toEqual(["deliver 1"]);
  });

  test("goes on with what an earlier run left, in its order and before anything new [CORE-TXQ-01] [CORE-TXQ-16]", () => {
    const queue = emptyQueue();
    const kept = [metered(5, 1), lasting(9)];
    queue.restored(kept);
    queue.enqueued(lasting(10));
    expect(said(queue)).toEqual(["put 10"]);
    expect(waiting(queue)).toEqual([5, 9, 10]);
    queue.online(0);
    expect(outputsOf(queue)).toEqual([{ type: "deliver", message: kept[0] }]);
  });

  test("counts the failures of an earlier run [CORE-TXQ-09]", () => {
    const queue = emptyQueue();
    queue.restored([lasting(1, 2)]);
    queue.online(0);
    outputsOf(queue);
    settle(queue, "failed", 0);
    expect(said(queue)).toEqual(["discarded 1 attempts"]);
  });
});

describe("DeliveryQueue, failures", () => {
  test("waits interval × failures before each retransmission and gives up after the attempts: at 0, 60 and 180 s for 3 and 60 [CORE-TXQ-06] [CORE-TXQ-07] [CORE-TXQ-09] [CORE-TXQ-10] [CORE-TXQ-11] [J-210]", () => {
    const queue = delivering(lasting(1), lasting(2));
    settle(queue, "failed", 0);
    expect(outputsOf(queue)).toEqual([{ type: "put", message: lasting(1, 1) }]);
    expect(queue.deadline).toBe(minute);
    queue.advance(minute - 1);
    expect(said(queue)).toEqual([]);
    queue.advance(minute);
    expect(said(queue)).toEqual(["deliver 1"]);
    settle(queue, "failed", minute);
    expect(outputsOf(queue)).toEqual([{ type: "put", message: lasting(1, 2) }]);
    queue.advance(3 * minute - 1);
    expect(said(queue)).toEqual([]);
    queue.advance(3 * minute);
    expect(said(queue)).toEqual(["deliver 1"]);
    settle(queue, "failed", 3 * minute);
    // The first transmission counts, too. [QD-48]
    expect(said(queue)).toEqual(["discarded 1 attempts", "deliver 2"]);
  });

  test("lets the waits grow by the same step each time [CORE-TXQ-10]", () => {
    const queue = delivering(lasting(1));
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
    const queue = delivering(lasting(1));
    queue.configured({ attempts: 1, retryIntervalMs: 0 });
    settle(queue, "failed", 0);
    expect(outputsOf(queue)).toEqual([{ type: "discarded", message: lasting(1, 1), reason: "attempts" }]);
  });

  test("gives up at once what will never be taken", () => {
    const queue = delivering(lasting(1), lasting(2));
    settle(queue, "refused", 0);
    expect(said(queue)).toEqual(["discarded 1 refused", "deliver 2"]);
  });

  test("counts the failures of each message by itself, and waits for none on account of another [CORE-TXQ-09] [CORE-TXQ-10]", () => {
    const queue = delivering(lasting(1), lasting(2));
    settle(queue, "failed", 0);
    queue.advance(minute);
    settle(queue, "answered", minute);
    expect(said(queue).at(-1)).toBe("deliver 2");
    settle(queue, "failed", minute);
    expect(queue.deadline).toBe(2 * minute);
  });

  test("keeps waiting through a reconnect [CORE-TXQ-10]", () => {
    const queue = delivering(lasting(1));
    settle(queue, "failed", 0);
    outputsOf(queue);
    queue.offline();
    expect(queue.deadline).toBe(Number.POSITIVE_INFINITY);
    queue.online(10);
    expect(said(queue)).toEqual([]);
    expect(queue.deadline).toBe(minute);
  });

  test("obeys changed keys with the next failure; a wait that has begun is not changed [CORE-TXQ-07]", () => {
    const queue = delivering(lasting(1));
    settle(queue, "failed", 0);
    queue.configured({ attempts: 2, retryIntervalMs: 1 });
    expect(queue.deadline).toBe(minute);
    queue.advance(minute);
    outputsOf(queue);
    settle(queue, "failed", minute);
    expect(said(queue)).toEqual(["discarded 1 attempts"]);
  });
});

describe("DeliveryQueue, silence", () => {
  test("sends again what was not answered while nothing was, after the same wait, and never gives it up [CORE-TXQ-08]", () => {
    const queue = delivering(lasting(1));
    for (let attempt = 1; attempt <= 10; attempt++) {
      settle(queue, "unanswered", attempt * minute);
      expect(said(queue)).toEqual([]);
      expect(queue.deadline).toBe((attempt + 1) * minute);
      queue.advance(queue.deadline);
      expect(outputsOf(queue)).toEqual([{ type: "deliver", message: lasting(1) }]);
    }
  });

  test("counts it as a failure when the Central System answers something else before it is sent again [CORE-TXQ-08]", () => {
    const queue = delivering(lasting(1));
    settle(queue, "unanswered", 0);
    queue.heard(1000);
    expect(outputsOf(queue)).toEqual([{ type: "put", message: lasting(1, 1) }]);
    queue.heard(2000);
    expect(said(queue)).toEqual([]);
    // The wait is that since the attempt.
    expect(queue.deadline).toBe(minute);
  });

  test("gives it up when that was the last attempt [CORE-TXQ-09]", () => {
    const queue = emptyQueue();
    enqueue(queue, lasting(1, 2));
    queue.online(0);
    settle(queue, "unanswered", 0);
    queue.heard(1000);
    expect(said(queue)).toEqual(["deliver 1", "discarded 1 attempts"]);
  });

  test("does not count what is heard once it is under way again, nor after the connection has ended [CORE-TXQ-08]", () => {
    const queue = delivering(lasting(1));
    settle(queue, "unanswered", 0);
    queue.advance(minute);
    queue.heard(minute);
    expect(outputsOf(queue)).toEqual([{ type: "deliver", message: lasting(1) }]);
    settle(queue, "unanswered", minute);
    queue.offline();
    queue.heard(minute);
    expect(said(queue)).toEqual([]);
    // The next connection is another chance, without a wait.
    queue.online(minute + 1);
    expect(said(queue)).toEqual(["deliver 1"]);
  });

  test("takes an answer that comes after its time, and counts a refusal that does [CORE-TXQ-08]", () => {
    const queue = delivering(lasting(1), lasting(2));
    settle(queue, "unanswered", 0);
    settle(queue, "failed", 1000);
    expect(outputsOf(queue)).toEqual([{ type: "put", message: lasting(1, 1) }]);
    expect(queue.deadline).toBe(minute);
    settle(queue, "answered", 2000);
    expect(said(queue)).toEqual(["delivered 1", "deliver 2"]);
  });
});

describe("DeliveryQueue, what was given up", () => {
  test("delivers it in its old place, as if it had never been sent [CORE-TXQ-03]", () => {
    const queue = delivering(lasting(1), lasting(2), lasting(3));
    const first = queue.messages[0] as QueuedMessage;
    settle(queue, "refused", 0);
    expect(said(queue)).toEqual(["discarded 1 refused", "deliver 2"]);
    first.failures = 3;
    queue.returned(first, 0);
    expect(outputsOf(queue)).toEqual([{ type: "put", message: lasting(1) }]);
    expect(waiting(queue)).toEqual([1, 2, 3]);
    // What is under way comes to its end first.
    queue.settled(queue.messages[1] as QueuedMessage, "answered", 0);
    expect(said(queue)).toEqual(["delivered 2"]);
    queue.stored(first, 0);
    expect(said(queue)).toEqual(["deliver 1"]);
  });

  test("lets the wait of another message go on [CORE-TXQ-10]", () => {
    const queue = delivering(lasting(5));
    settle(queue, "failed", 0);
    outputsOf(queue);
    const earlier = lasting(2);
    queue.returned(earlier, 0);
    queue.stored(earlier, 0);
    expect(said(queue)).toEqual(["put 2", "deliver 2"]);
    queue.settled(earlier, "answered", 10);
    expect(said(queue)).toEqual(["delivered 2"]);
    expect(queue.deadline).toBe(minute);
  });
});

describe("DeliveryQueue, full", () => {
  const full = (...messages: QueuedMessage[]): Queue => {
    const queue = emptyQueue(messages.length);
    enqueue(queue, ...messages);
    return queue;
  };

  test("thins out the meter values that wait, one for each message that comes: every second one, then every second of the rest, never a start or a stop [CORE-MTR-12] [CORE-MTR-13]", () => {
    const queue = full(lasting(1), metered(2), metered(3), lasting(4), metered(5), metered(6));
    const gone: string[] = [];
    for (let sequence = 7; sequence <= 11; sequence++) {
      queue.enqueued(metered(sequence));
      gone.push(...said(queue).filter((what) => !what.startsWith("put")));
    }
    expect(gone).toEqual([2, 5, 7, 9, 3].map((sequence) => `discarded ${sequence} full`));
    expect(waiting(queue)).toEqual([1, 4, 6, 8, 10, 11]);
  });

  test("gives up the new meter values when there are no others [CORE-MTR-12]", () => {
    const queue = full(lasting(1), lasting(2));
    queue.enqueued(metered(3));
    expect(said(queue)).toEqual(["discarded 3 full"]);
    queue.enqueued(lasting(4));
    expect(waiting(queue)).toEqual([1, 2, 4]);
  });

  test("comes back to its bound when an earlier run had a larger one [CORE-MTR-12]", () => {
    const queue = emptyQueue(3);
    queue.restored([metered(1), metered(2), metered(3), metered(4), metered(5), metered(6)]);
    for (let sequence = 7; sequence <= 9; sequence++) queue.enqueued(lasting(sequence));
    expect(waiting(queue)).toHaveLength(3);
    expect(waiting(queue)).toEqual([7, 8, 9]);
  });

  test("discards nothing that is under way", () => {
    const queue = full(metered(1), metered(2), lasting(3));
    queue.online(0);
    outputsOf(queue);
    queue.enqueued(lasting(4));
    expect(said(queue)).toEqual(["discarded 2 full", "put 4"]);
    settle(queue, "answered", 0);
    expect(said(queue)).toEqual(["delivered 1", "deliver 3"]);
  });

  test("lets the wait of the first message go on when others make room [CORE-TXQ-10]", () => {
    const queue = full(lasting(1), metered(2), metered(3));
    queue.online(0);
    settle(queue, "failed", 0);
    outputsOf(queue);
    queue.enqueued(metered(4));
    expect(said(queue)).toEqual(["discarded 2 full", "put 4"]);
    expect(queue.deadline).toBe(minute);
  });

  test("does not wait on account of a message that has made room [CORE-TXQ-10]", () => {
    const queue = full(metered(1), lasting(2));
    queue.online(0);
    settle(queue, "failed", 0);
    outputsOf(queue);
    const third = lasting(3);
    queue.enqueued(third);
    queue.stored(third, 1);
    expect(said(queue)).toEqual(["discarded 1 full", "put 3", "deliver 2"]);
  });

  test("is not held up by a message that made room before the store had taken it", () => {
    const queue = emptyQueue(2);
    queue.online(0);
    const [first, second] = [metered(1), metered(2)];
    queue.enqueued(first);
    queue.enqueued(second);
    queue.enqueued(metered(3));
    expect(said(queue)).toEqual(["put 1", "put 2", "discarded 1 full", "put 3"]);
    queue.stored(first, 0);
    expect(said(queue)).toEqual([]);
    queue.stored(second, 0);
    expect(said(queue)).toEqual(["deliver 2"]);
  });
});

describe("DeliveryQueue.hasRoomForTransaction", () => {
  test("counts the starts and stops that wait, the stops to come, and the start and stop that are asked about [CORE-TXQ-02]", () => {
    const queue = emptyQueue(6);
    expect(queue.hasRoomForTransaction(4)).toBe(true);
    expect(queue.hasRoomForTransaction(5)).toBe(false);
    enqueue(queue, lasting(1), lasting(2));
    expect(queue.hasRoomForTransaction(2)).toBe(true);
    expect(queue.hasRoomForTransaction(3)).toBe(false);
  });

  test("does not count meter values, which make room, except the first, which may be under way [CORE-TXQ-02]", () => {
    const queue = emptyQueue(6);
    enqueue(queue, metered(1), metered(2), metered(3));
    expect(queue.hasRoomForTransaction(3)).toBe(true);
    expect(queue.hasRoomForTransaction(4)).toBe(false);
  });

  test("knows what an earlier run left, and what has gone since [CORE-TXQ-02]", () => {
    const queue = emptyQueue(6);
    queue.restored([metered(1), lasting(2), metered(3), lasting(4)]);
    expect(queue.hasRoomForTransaction(1)).toBe(true);
    expect(queue.hasRoomForTransaction(2)).toBe(false);
    for (const message of [...queue.messages]) queue.removed(message, 0);
    expect(queue.hasRoomForTransaction(4)).toBe(true);
    expect(queue.hasRoomForTransaction(5)).toBe(false);
  });
});
