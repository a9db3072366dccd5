import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AuthorizationCache } from "../../src/authorization/authorization-cache.ts";
import { type IdTagInfo, idTagInfoAt } from "../../src/authorization/id-tag.ts";
import { LocalAuthList } from "../../src/authorization/local-auth-list.ts";
import { after, failingStore, failures, faultLog, now as start, unexpected } from "./stores.ts";

const maxEntries = 4;
const idTags = ["a", "A", "b", "B", "c", "d", "e", "f", "g"];

type Step =
  | { readonly type: "update"; readonly idTag: string; readonly idTagInfo: IdTagInfo }
  | { readonly type: "list"; readonly idTags: readonly string[] }
  | { readonly type: "clear" }
  | { readonly type: "wait"; readonly ms: number }
  | { readonly type: "reload" };

const anIdTagInfo: fc.Arbitrary<IdTagInfo> = fc.record(
  {
    status: fc.constantFrom("Accepted", "Accepted", "Accepted", "Blocked", "Invalid", "ConcurrentTx", "Expired"),
    expiryDate: fc.integer({ min: -1, max: 9 }).map(after),
    parentIdTag: fc.constantFrom("P", "Q"),
  },
  { requiredKeys: ["status"] },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant("update" as const),
      idTag: fc.constantFrom(...idTags),
      idTagInfo: anIdTagInfo,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("list" as const), idTags: fc.subarray(["a", "B", "c", "d", "e"]) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ type: "clear" }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(1, 999, 1000, 2500) }) },
  { weight: 2, arbitrary: fc.constant<Step>({ type: "reload" }) },
);

/** The rules of §3.5.1 and §3.5.3 over a plain array, oldest first. */
class Model {
  now = start;
  listed: readonly string[] = [];
  entries: { readonly idTag: string; readonly idTagInfo: IdTagInfo }[] = [];

  at(idTag: string): IdTagInfo | undefined {
    const entry = this.entries.find((other) => other.idTag.toLowerCase() === idTag.toLowerCase());
    return entry && idTagInfoAt(entry.idTagInfo, this.now);
  }

  apply(step: Step): void {
    if (step.type === "wait") this.now += step.ms;
    if (step.type === "clear") this.entries = [];
    if (step.type === "list") this.listed = step.idTags.map((idTag) => idTag.toLowerCase());
    if (step.type === "update") {
      const { idTag, idTagInfo } = step;
      if (this.at(idTag) === undefined && !this.listed.includes(idTag.toLowerCase())) this.#makeRoom();
      this.entries = this.entries.filter((other) => other.idTag.toLowerCase() !== idTag.toLowerCase());
      this.entries.push({ idTag, idTagInfo });
    }
    this.entries = this.entries.filter(({ idTag }) => !this.listed.includes(idTag.toLowerCase()));
  }

  #makeRoom(): void {
    if (this.entries.length < maxEntries) return;
    const valid = this.entries.filter(({ idTag }) =>
      ["Accepted", "ConcurrentTx"].includes(this.at(idTag)?.status ?? ""),
    );
    this.entries = valid.length < maxEntries ? valid : valid.slice(1);
  }
}

/** A cache and a list in one store. */
class Subject {
  readonly store = failingStore();
  #version = 1;
  readonly #report: (fault: Error) => void;
  list!: LocalAuthList;
  cache!: AuthorizationCache;

  constructor(report: (fault: Error) => void = unexpected) {
    this.#report = report;
  }

  async load(): Promise<this> {
    const report = this.#report;
    this.list = await LocalAuthList.load(this.store, { report });
    this.cache = await AuthorizationCache.load(this.store, { report, maxEntries, list: this.list });
    return this;
  }

  async apply(step: Step, now: number): Promise<void> {
    if (step.type === "update") await this.cache.update(step.idTag, step.idTagInfo, now);
    if (step.type === "clear") await this.cache.clear();
    if (step.type === "reload") await this.load();
    if (step.type === "list") {
      const localAuthorizationList = step.idTags.map((idTag) => ({ idTag, idTagInfo: { status: "Blocked" } as const }));
      await this.list.update({ listVersion: this.#version++, updateType: "Full", localAuthorizationList });
      await this.cache.removeListed();
    }
  }
}

function expectSame(cache: AuthorizationCache, model: Model): void {
  expect(cache.idTags).toEqual(model.entries.map(({ idTag }) => idTag));
  for (const idTag of idTags) expect(cache.lookUp(idTag, model.now)).toEqual(model.at(idTag));
}

describe("AuthorizationCache", () => {
  test("does what the rules say, whatever happens and however often it is loaded [CORE-CACHE-01] [CORE-CACHE-03] [CORE-CACHE-04] [CORE-CACHE-05] [CORE-CACHE-06] [CORE-CACHE-09]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const subject = await new Subject().load();
        const model = new Model();
        for (const step of steps) {
          model.apply(step);
          await subject.apply(step, model.now);
          expectSame(subject.cache, model);
        }
        expectSame((await subject.load()).cache, model);
      }),
      { numRuns: 300 },
    );
  });

  test("goes on from memory, and says so, when the store takes nothing any more [CORE-CACHE-02] [CORE-CACHE-04]", async () => {
    const steps = fc
      .array(step, { maxLength: 30 })
      .map((all) => all.filter(({ type }) => !/clear|list|reload/.test(type)));
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(20), async (steps, writes) => {
        const { faults, report } = faultLog();
        const subject = await new Subject(report).load();
        const model = new Model();
        subject.store.failAfter(writes, "refuse");
        for (const step of steps) {
          faults.length = 0;
          model.apply(step);
          await subject.apply(step, model.now);
          expectSame(subject.cache, model);
          if (step.type === "update") expect(faults.length > 0).toBe(subject.store.failed);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("knows of each identifier, after a power cut at any write, what it knew before or after the step [CORE-CACHE-06] [CORE-CACHE-09] [LAL-34]", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 40 }),
        fc.nat(50),
        fc.constantFrom(...failures),
        async (steps, writes, failure) => {
          const { faults, report } = faultLog();
          const subject = await new Subject(report).load();
          const model = new Model();
          subject.store.failAfter(writes, failure);
          let before = new Map<string, IdTagInfo | undefined>();
          for (const step of steps) {
            before = new Map(idTags.map((idTag) => [idTag, model.at(idTag)]));
            model.apply(step);
            await subject.apply(step, model.now);
            if (subject.store.failed) break;
          }
          const { failed } = subject.store;
          subject.store.recover();
          faults.length = 0;
          const { cache, list } = await subject.load();

          expect(cache.idTags.filter((idTag) => list.has(idTag))).toEqual([]);
          for (const idTag of idTags) {
            const possible = failed ? [before.get(idTag), model.at(idTag)] : [model.at(idTag)];
            // What is in the list has left the cache even if the step did not get that far; a torn record is lost.
            const key = `authorization-cache/${JSON.stringify(idTag.toLowerCase())} is no entry`;
            if (list.has(idTag) || faults.some(({ message }) => message.includes(key))) possible.push(undefined);
            expect(possible).toContainEqual(cache.lookUp(idTag, model.now));
          }
          if (failure !== "tear") expect(faults).toEqual([]);
          // All the same, it goes on.
          await cache.update("z", { status: "Accepted" }, model.now);
          expect(cache.lookUp("Z", model.now)).toEqual({ status: "Accepted" });
          expect(cache.idTags.length).toBeLessThanOrEqual(maxEntries);
        },
      ),
      { numRuns: 500 },
    );
  });
});
