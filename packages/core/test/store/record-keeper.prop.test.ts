import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordKeeper } from "../../src/store/record-keeper.ts";
import { FaultyStore } from "./faulty-store.ts";

const minute = 60_000;

const keys = fc.constantFrom("a", "b", "c", "d");
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("put" as const), key: keys }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), key: keys }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("save" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delay" as const), ms: fc.constantFrom(0, 0, 400, 20_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("refuse" as const),
      what: fc.subarray<"put" | "delete">(["put", "delete"]),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("throw" as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("hang" as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("answer" as const, "forget" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 400, 5000, 70_000) }) },
);

describe("RecordKeeper, whatever the store does", () => {
  test("calls back once, settles what it promises, says saved only of what is there, and ends with what was wanted [CORE-TXQ-16]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
        const clock = new FakeClock();
        const store = new FaultyStore(clock);
        const keeper = new RecordKeeper(store, clock, () => {});
        /** The latest change of each record. */
        const wanted = new Map<string, { readonly value: string | undefined }>();
        const lies: string[] = [];
        const tried: number[] = [];
        const promises: { settled: boolean }[] = [];
        let value = 0;
        for (const step of steps) {
          switch (step.do) {
            case "put": {
              const number = ++value;
              tried[number] = 0;
              wanted.set(step.key, { value: `${number}` });
              keeper.put(step.key, `${number}`, () => {
                tried[number] = (tried[number] ?? 0) + 1;
              });
              break;
            }
            case "delete":
              wanted.set(step.key, { value: undefined });
              keeper.delete(step.key);
              break;
            case "save": {
              const before = new Map(wanted);
              const promise = { settled: false };
              promises.push(promise);
              keeper.saved().then(
                () => {
                  promise.settled = true;
                  for (const [key, change] of before) {
                    if (wanted.get(key) === change && store.records.get(key) !== change.value) lies.push(key);
                  }
                },
                () => {
                  promise.settled = true;
                },
              );
              break;
            }
            case "delay":
              store.delayMs = step.ms;
              break;
            case "refuse":
              store.refuses = step.what;
              break;
            case "throw":
              store.throws = step.on;
              break;
            case "hang":
              store.hangs = step.on;
              break;
            case "answer":
              store.answer();
              break;
            case "forget":
              store.forget();
              break;
            case "pass":
              await clock.advance(step.ms);
              break;
          }
        }
        await clock.advance(10 * minute);
        expect(lies).toEqual([]);
        expect(promises.every(({ settled }) => settled)).toBe(true);
        expect(tried.slice(1)).toEqual(Array(value).fill(1));
        store.hangs = false;
        store.throws = false;
        store.refuses = [];
        store.delayMs = 0;
        store.answer();
        await clock.advance(3 * minute);
        const kept = [...wanted].flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value] as const]));
        expect(store.records).toEqual(new Map(kept));
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
