import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode } from "../../src/rpc/frame.ts";
import { Rpc, type RpcOutput } from "../../src/rpc/rpc.ts";
import { call, callResult } from "./vocabulary.ts";

type Side = "a" | "b";
const other = { a: "b", b: "a" } as const;
const timeoutMs = 30;

/** What the laws need to remember of one end: never how the machine works, only what it was told and what it did. */
class End {
  readonly rpc = new Rpc();
  /** Texts on their way to this end. */
  readonly inbox: string[] = [];
  readonly called: string[] = [];
  readonly urgent = new Set<string>();
  readonly sentAt = new Map<string, number>();
  readonly settled = new Map<string, string>();
  readonly withdrawn = new Set<string>();
  readonly late = new Set<string>();
  /** CALLs of the peer that were handed out and not answered. */
  readonly serving: string[] = [];
  /** Those that were answered with a CALLRESULT. */
  readonly answered: string[] = [];
  closed = false;
}

class Pair {
  readonly a = new End();
  readonly b = new End();
  now = 0;
  ids = 0;

  /** Takes all outputs of one end, as `drive` would, and checks each against the laws. */
  drain(side: Side): void {
    const end = this[side];
    for (let output = end.rpc.poll(); output !== undefined; output = end.rpc.poll()) this.#take(side, end, output);
    const outstanding = [...end.sentAt.keys()].filter((id) => !end.settled.has(id));
    expect(outstanding.length, "CALLs outstanding").toBeLessThanOrEqual(1);
    const [id] = outstanding;
    expect(end.rpc.deadline).toBe(id === undefined ? Number.POSITIVE_INFINITY : (end.sentAt.get(id) ?? 0) + timeoutMs);
    if (id === undefined) expect(end.rpc.waiting, "CALLs that wait for nothing").toBe(0);
    expect(end.rpc.serving).toBe(end.closed ? 0 : end.serving.length);
  }

  #take(side: Side, end: End, output: RpcOutput): void {
    switch (output.type) {
      case "send": {
        expect(end.closed, "sent after close").toBe(false);
        if (output.frame.type === "CALL") {
          const { messageId } = output.frame;
          expect(end.sentAt.has(messageId), "sent twice").toBe(false);
          expect(end.settled.has(messageId), "sent after it was settled").toBe(false);
          expect(end.withdrawn.has(messageId), "sent after it was withdrawn").toBe(false);
          expect(messageId, "sent out of turn").toBe(next(end));
          end.sentAt.set(messageId, this.now);
        }
        this[other[side]].inbox.push(encode(output.frame));
        break;
      }
      case "received":
        expect(end.closed, "handed out after close").toBe(false);
        expect(end.serving).not.toContain(output.call.messageId);
        expect(end.answered.slice(-4), "handed out again").not.toContain(output.call.messageId);
        end.serving.push(output.call.messageId);
        break;
      case "settled": {
        const { call, outcome } = output;
        expect(end.settled.has(call.messageId), "settled twice").toBe(false);
        end.settled.set(call.messageId, outcome.type);
        const sentAt = end.sentAt.get(call.messageId);
        if (outcome.type === "CALLRESULT")
          expect(outcome.payload, "answer of another CALL").toEqual({ to: call.messageId });
        if (outcome.type === "CALLERROR" && outcome.errorCode === "InternalError") {
          expect(outcome.errorDescription, "answer of another CALL").toBe(call.messageId);
        }
        if (outcome.type === "TIMEOUT") expect(this.now).toBeGreaterThanOrEqual((sentAt ?? Number.NaN) + timeoutMs);
        if (outcome.type === "CLOSED") expect(outcome.sent).toBe(sentAt !== undefined);
        else expect(sentAt, "settled before it was sent").toBeDefined();
        break;
      }
      case "late": {
        const { messageId } = output.call;
        expect(end.settled.get(messageId), "late, but not timed out").toBe("TIMEOUT");
        expect(end.late.has(messageId), "late twice").toBe(false);
        end.late.add(messageId);
        const { answer } = output;
        if (answer.type === "CALLRESULT") expect(answer.payload, "answer of another CALL").toEqual({ to: messageId });
        else if (answer.errorCode === "InternalError") {
          expect(answer.errorDescription, "answer of another CALL").toBe(messageId);
        }
        break;
      }
      case "violation":
        break;
    }
  }
}

/** The CALL whose turn it is: the first that is urgent, or else the first. */
function next({ called, urgent, sentAt, settled, withdrawn }: End): string | undefined {
  const waiting = called.filter((id) => !sentAt.has(id) && !settled.has(id) && !withdrawn.has(id));
  return waiting.find((id) => urgent.has(id)) ?? waiting[0];
}

type Model = Record<string, never>;
type Command = fc.Command<Model, Pair>;

const command = (name: string, run: (pair: Pair) => void, side?: Side): Command => ({
  check: () => true,
  run: (_, pair) => {
    run(pair);
    for (const touched of side === undefined ? (["a", "b"] as const) : [side]) pair.drain(touched);
  },
  toString: () => `${name}(${side ?? ""})`,
});

const sides = fc.constantFrom<Side>("a", "b");
const pick = (list: readonly string[], index: number): string | undefined => list[index % Math.max(1, list.length)];

const garbage = fc.constantFrom(
  "nonsense",
  "[3]",
  '["2","1","A",{}]',
  '[2,7,"A",{}]',
  '[2,"g","A"]',
  '[2,"g",null,{}]',
  '[3,"1"]',
  '[4,"1"]',
  '[4,"2","__proto__",null,null]',
  '[4,"-1","GenericError","",{}]',
  '[5,"1",{}]',
);

const commands = [
  fc.tuple(sides, fc.boolean()).map(([side, urgent]) =>
    command(
      urgent ? "callUrgently" : "call",
      (pair) => {
        const id = `${++pair.ids}`;
        pair[side].called.push(id);
        if (urgent) pair[side].urgent.add(id);
        pair[side].rpc.call(call(id, "A", { of: id }), timeoutMs, pair.now, urgent);
      },
      side,
    ),
  ),
  sides.map((side) =>
    command(
      "deliver",
      (pair) => {
        const text = pair[side].inbox.shift();
        if (text !== undefined) pair[side].rpc.receive(decode(text), pair.now);
      },
      side,
    ),
  ),
  sides.map((side) =>
    command(
      "deliverTwice",
      (pair) => {
        const text = pair[side].inbox[0];
        if (text !== undefined) pair[side].rpc.receive(decode(text), pair.now);
      },
      side,
    ),
  ),
  sides.map((side) => command("lose", (pair) => void pair[side].inbox.shift(), side)),
  fc
    .tuple(sides, garbage)
    .map(([side, text]) => command(`garbage ${text}`, (pair) => void pair[side].inbox.push(text), side)),
  fc.tuple(sides, fc.nat(5), fc.boolean()).map(([side, index, well]) =>
    command(
      well ? "respond" : "fail",
      (pair) => {
        const end = pair[side];
        const id = pick(end.serving, index);
        if (id === undefined) return;
        end.serving.splice(end.serving.indexOf(id), 1);
        if (well) {
          end.rpc.respond(id, { to: id });
          end.answered.push(id);
        } else end.rpc.fail(id, "InternalError", id);
      },
      side,
    ),
  ),
  fc.tuple(sides, fc.nat(5)).map(([side, index]) =>
    command(
      "withdraw",
      (pair) => {
        const id = pick(pair[side].called, index);
        if (id === undefined) return;
        pair[side].rpc.withdraw(id, pair.now);
        if (!pair[side].sentAt.has(id)) pair[side].withdrawn.add(id);
      },
      side,
    ),
  ),
  fc.tuple(sides, fc.nat(5)).map(([side, index]) =>
    command(
      "callAndWithdrawAtOnce",
      (pair) => {
        const id = `${++pair.ids}`;
        const end = pair[side];
        end.called.push(id);
        end.rpc.call(call(id, "A", { of: id }), timeoutMs, pair.now);
        const victim = index === 0 ? id : pick(end.called, index);
        if (victim === undefined) return;
        end.rpc.withdraw(victim, pair.now);
        if (!end.sentAt.has(victim)) end.withdrawn.add(victim);
      },
      side,
    ),
  ),
  fc.nat(40).map((ms) =>
    command(`advance ${ms}`, (pair) => {
      pair.now += ms;
      pair.a.rpc.advance(pair.now);
      pair.b.rpc.advance(pair.now);
    }),
  ),
  // As when a listener closes the connection while it is told of something, and more has arrived by then.
  fc.tuple(sides, fc.nat(2)).map(([side, arrivals]) =>
    command(
      `close after ${arrivals}`,
      (pair) => {
        const { inbox, rpc } = pair[side];
        for (const text of inbox.splice(0, arrivals)) rpc.receive(decode(text), pair.now);
        rpc.close();
        pair[side].closed = true;
      },
      side,
    ),
  ),
];

describe("Two Rpcs over a link that loses, repeats and invents", () => {
  test("settle every CALL exactly once, with its own answer, one at a time, and remember nothing [J-051] [J-052] [J-053] [J-058] [J-100] [J-101] [J-102] [J-105] [J-109] [J-110] [J-219]", () => {
    fc.assert(
      fc.property(fc.commands(commands, { size: "+1", maxCommands: 60 }), (steps) => {
        const pair = new Pair();
        fc.modelRun(() => ({ model: {}, real: pair }), steps);
        // Whatever happened, nobody is left waiting once the connection has ended.
        for (const side of ["a", "b"] as const) {
          const end = pair[side];
          end.rpc.close();
          end.closed = true;
          pair.drain(side);
          for (const id of end.called) {
            expect(end.settled.has(id) || end.withdrawn.has(id), `CALL ${id} is settled`).toBe(true);
          }
          expect(end.rpc.poll()).toBeUndefined();
          expect(end.rpc).toMatchObject({ waiting: 0, serving: 0, deadline: Number.POSITIVE_INFINITY });
        }
      }),
      { numRuns: 1500 },
    );
  });

  test("answer every CALL that arrives exactly once, unless the connection ends first [J-065] [J-106]", () => {
    const steps = fc.array(fc.oneof(fc.record({ id: fc.nat(3), action: fc.constantFrom("A", "B") }), fc.nat(3)));
    fc.assert(
      fc.property(steps, (inputs) => {
        const rpc = new Rpc();
        rpc.call(call("own"), timeoutMs, 0);
        rpc.poll();
        const serving = new Map<string, number>();
        for (const input of inputs) {
          if (typeof input === "number") rpc.respond(`${input}`, {});
          else rpc.receive(call(`${input.id}`, input.action), 0);
          for (let output = rpc.poll(); output !== undefined; output = rpc.poll()) {
            if (output.type === "received") serving.set(output.call.messageId, 1);
            if (output.type === "send" && output.frame.type === "CALLRESULT") {
              expect(serving.delete(output.frame.messageId), "an answer without a CALL").toBe(true);
            }
          }
          expect(rpc.serving).toBe(serving.size);
        }
      }),
    );
  });

  /** What arrives: few ids, actions and payloads, so that CALLs are repeated, and ids used again for others. */
  const arrivals = fc.record({
    id: fc.nat(5).map(String),
    action: fc.constantFrom("A", "A", "A", "B", "C"),
    payload: fc.constantFrom<unknown>({ a: 1 }, { a: 1 }, { a: 2 }, { a: [{ b: "c" }, null] }, {}),
  });
  /** What becomes of a CALL that is being served. */
  const answers = fc.record({ index: fc.nat(5), well: fc.boolean() });
  const waits = fc.constantFrom(1, 59_999, 120_001);

  test("answer a repetition as the CALL was answered, and serve every other CALL, and each whose answer does not stay right [J-051] [J-054] [Q14] [trap 5]", () => {
    let repetitions = 0;
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 4, arbitrary: arrivals }, { weight: 3, arbitrary: answers }, waits), {
          size: "+1",
        }),
        (inputs) => {
          const rpc = new Rpc(({ action }) => action !== "C");
          let now = 0;
          let number = 0;
          const serving = new Map<string, { readonly text: string; readonly at: number; readonly action: string }>();
          /** The CALL that was served last under each message id, with its answer, and how many were answered by then. */
          const last = new Map<string, { text: string; at: number; answer: unknown; number: number }>();
          for (const input of inputs) {
            if (typeof input === "number") now += input;
            else if ("well" in input) {
              const id = pick([...serving.keys()], input.index);
              const served = id === undefined ? undefined : serving.get(id);
              if (id === undefined || served === undefined) continue;
              serving.delete(id);
              if (input.well) {
                const answer = { number: ++number };
                if (served.action !== "C") last.set(id, { ...served, answer, number });
                rpc.respond(id, answer);
              } else {
                last.delete(id);
                rpc.fail(id, "InternalError", "");
              }
              expect(rpc.poll()).toMatchObject({ type: "send", frame: { messageId: id } });
            } else {
              const arrived = call(input.id, input.action, input.payload);
              const text = encode(arrived);
              const before = last.get(input.id);
              const isSame = before !== undefined && before.text === text && now - before.at <= 120_000;
              rpc.receive(arrived, now);
              const output = rpc.poll();
              if (serving.has(input.id)) {
                expect(output).toMatchObject({ type: "violation", reason: "duplicate-message-id" });
                if (serving.get(input.id)?.text !== text)
                  expect(rpc.poll()).toMatchObject({ type: "conflict", call: arrived });
              } else if (output?.type === "received") {
                const isAmongTheLast = before !== undefined && number - before.number < 4;
                expect(isSame && isAmongTheLast && text !== encode(call(input.id, input.action, {})), text).toBe(false);
                expect(output.call).toEqual(arrived);
                serving.set(input.id, { text, at: now, action: input.action });
                last.delete(input.id);
              } else {
                repetitions++;
                expect(isSame, text).toBe(true);
                expect(output).toMatchObject({ type: "violation", reason: "duplicate-message-id", frame: arrived });
                const frame = callResult(input.id, before?.answer);
                expect(rpc.poll()).toEqual({ type: "send", frame, text: encode(frame) });
              }
            }
            expect(rpc.poll()).toBeUndefined();
            expect(rpc.serving).toBe(serving.size);
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(repetitions).toBeGreaterThan(100);
  });
});
