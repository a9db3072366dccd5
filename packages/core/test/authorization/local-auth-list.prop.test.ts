import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { IdTagInfo } from "../../src/authorization/id-tag.ts";
import { LocalAuthList } from "../../src/authorization/local-auth-list.ts";
import type { Conf, Req } from "../../src/messages/actions.ts";
import { after, type FailingStore, type Failure, failingStore, failures, faultLog, now, unexpected } from "./stores.ts";

type SendLocalList = Req<"SendLocalList">;
type Status = Conf<"SendLocalList">["status"];

const limits = { localAuthListMaxLength: 6, sendLocalListMaxLength: 4 };
const idTags = ["a", "A", "b", "B", "c", "d", "e", "f", "g"];

/** The rules of §5.15, §6.41, §7.1 and §7.47 over a plain array. */
class Model {
  listVersion = 0;
  entries: readonly { readonly idTag: string; readonly idTagInfo: IdTagInfo }[] = [];

  get version(): number {
    return this.entries.length === 0 ? 0 : this.listVersion;
  }

  get state() {
    return { version: this.version, entries: this.entries };
  }

  update({ listVersion, updateType, localAuthorizationList = [] }: SendLocalList): Status {
    if (updateType === "Differential" && listVersion <= this.version) return "VersionMismatch";
    if (listVersion === -1) return "Failed";
    if (listVersion === 0 && (updateType !== "Full" || localAuthorizationList.length > 0)) return "Failed";
    const changed = localAuthorizationList.map(({ idTag }) => idTag.toLowerCase());
    if (changed.some((idTag, index) => changed.indexOf(idTag) !== index)) return "Failed";
    if (updateType === "Full" && localAuthorizationList.some(({ idTagInfo }) => !idTagInfo)) return "Failed";
    const kept =
      updateType === "Full" ? [] : this.entries.filter(({ idTag }) => !changed.includes(idTag.toLowerCase()));
    const entries = [
      ...kept,
      ...localAuthorizationList.flatMap(({ idTag, idTagInfo }) => (idTagInfo ? { idTag, idTagInfo } : [])),
    ];
    if (changed.length > limits.sendLocalListMaxLength || entries.length > limits.localAuthListMaxLength)
      return "Failed";
    this.listVersion = listVersion;
    this.entries = entries;
    return "Accepted";
  }
}

/** What can be seen of a list; in no particular order. */
const stateOf = (list: LocalAuthList) => ({
  version: list.version,
  entries: sorted(list.idTags.map((idTag) => ({ idTag, idTagInfo: list.lookUp(idTag, now) }))),
});

const sorted = <T extends { readonly idTag: string }>(entries: readonly T[]): T[] =>
  [...entries].sort((a, b) => (a.idTag < b.idTag ? -1 : 1));

const expected = ({ state }: Model) => ({ ...state, entries: sorted(state.entries) });

function expectSame(list: LocalAuthList, model: Model): void {
  expect(stateOf(list)).toEqual(expected(model));
  for (const idTag of idTags) {
    const entry = model.entries.find((other) => other.idTag.toLowerCase() === idTag.toLowerCase());
    expect(list.has(idTag)).toBe(entry !== undefined);
    expect(list.lookUp(idTag, now)).toEqual(entry?.idTagInfo);
  }
}

const idTagInfo: fc.Arbitrary<IdTagInfo> = fc.record(
  {
    status: fc.constantFrom("Accepted", "Blocked", "Invalid", "ConcurrentTx", "Expired"),
    expiryDate: fc.constant(after(1)),
    parentIdTag: fc.constantFrom("P", "Q"),
  },
  { requiredKeys: ["status"] },
);

const entry = fc.record({ idTag: fc.constantFrom(...idTags), idTagInfo: fc.option(idTagInfo, { nil: undefined }) });

/** Half of the lists obey the rule that each idTag occurs once. */
const entries = fc.oneof(
  fc.array(entry, { maxLength: 6 }),
  fc.uniqueArray(entry, { maxLength: 4, selector: ({ idTag }) => idTag.toLowerCase() }),
);

/** A request, but for the version: that is so much more than the one of the list. */
const step = fc.record({
  by: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }) },
    { weight: 1, arbitrary: fc.integer({ min: -3, max: 0 }) },
  ),
  updateType: fc.oneof(
    { weight: 9, arbitrary: fc.constant("Differential" as const) },
    { weight: 1, arbitrary: fc.constant("Full" as const) },
  ),
  localAuthorizationList: fc.option(entries, { nil: undefined, freq: 20 }),
  reload: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const requestOf = ({ by, updateType, localAuthorizationList }: Step, version: number): SendLocalList => ({
  listVersion: version + by,
  updateType,
  localAuthorizationList:
    updateType === "Full"
      ? localAuthorizationList?.map(({ idTag, idTagInfo }) => ({
          idTag,
          idTagInfo: idTagInfo ?? { status: "Invalid" },
        }))
      : localAuthorizationList,
});

const load = (store: FailingStore, report = unexpected as (fault: Error) => void) =>
  LocalAuthList.load(store, { report, ...limits });

/** Carries out requests until the store fails; then the power is cut. Says how the list was and how it would have been. */
async function untilPowerCut(store: FailingStore, requests: Iterable<(version: number) => SendLocalList>) {
  const list = await load(store, () => {});
  const model = new Model();
  let before = expected(model);
  let status: Status | undefined;
  for (const request of requests) {
    const req = request(model.version);
    before = expected(model);
    model.update(req);
    status = await list.update(req);
    if (store.failed) break;
  }
  return { before, after: expected(model), status };
}

async function expectOneOrTheOther(
  store: FailingStore,
  failure: Failure,
  cut: Awaited<ReturnType<typeof untilPowerCut>>,
) {
  const { failed } = store;
  store.recover();
  const { report } = faultLog();
  const reloaded = stateOf(await load(store, report));
  expect(failed ? [cut.before, cut.after] : [cut.after]).toContainEqual(reloaded);
  // What was answered with Accepted is there, unless the power was cut before the store had it.
  if (cut.status === "Accepted" && failure !== "lose") expect(reloaded).toEqual(cut.after);
  // What was answered with Failed is not there, unless the store had it and would not give it back.
  if (cut.status === "Failed" && failure !== "refuse late") expect(reloaded).toEqual(cut.before);
  // Loading has tidied up: the next time, there is nothing to report, and the list is the same.
  expect(stateOf(await load(store))).toEqual(reloaded);
}

describe("LocalAuthList", () => {
  test("does what the rules say, whatever is sent and however often it is loaded [LAL-20] [LAL-22] [LAL-23] [LAL-24] [LAL-25] [LAL-28] [LAL-33] [CORE-IDT-06]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 100, size: "max" }), async (steps) => {
        const store = failingStore();
        let list = await load(store);
        const model = new Model();
        for (const step of steps) {
          const req = requestOf(step, model.version);
          const status = model.update(req);
          expect(await list.update(req)).toBe(status);
          if (step.reload) list = await load(store);
          expectSame(list, model);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("is exactly the old or exactly the new one after a power cut at any write [LAL-32] [LAL-02]", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 80, size: "max" }),
        fc.nat(100),
        fc.constantFrom(...failures),
        async (steps, writes, failure) => {
          const store = failingStore();
          store.failAfter(writes, failure);
          const requests = steps.map((step) => (version: number) => requestOf(step, version));
          await expectOneOrTheOther(store, failure, await untilPowerCut(store, requests));
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each(failures)(
    "is exactly the old or exactly the new one at every write of a series that is rewritten in between: %s [LAL-32]",
    async (failure) => {
      const info = (n: number): IdTagInfo => ({ status: n % 2 === 0 ? "Accepted" : "Blocked" });
      const requests = Array.from({ length: 70 }, (_, n) => (version: number) => ({
        listVersion: version + 1,
        updateType: n === 60 ? ("Full" as const) : ("Differential" as const),
        localAuthorizationList: [{ idTag: "abcd"[n % 4] ?? "", idTagInfo: info(n >> 2) }],
      }));
      for (let writes = 0; ; writes++) {
        const store = failingStore();
        store.failAfter(writes, failure);
        const cut = await untilPowerCut(store, requests);
        if (!store.failed) {
          // One record for each update, and deletions: the series was rewritten at least once before its Full update.
          expect(writes).toBeGreaterThan(70 + 50);
          break;
        }
        await expectOneOrTheOther(store, failure, cut);
      }
    },
  );

  test("goes on, exactly, when the store has recovered [LAL-29] [LAL-32]", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(step, fc.constantFrom("well", "well", "well", ...failures.slice(0, 3))), { maxLength: 60 }),
        async (steps) => {
          const store = failingStore();
          const list = await load(store, () => {});
          const model = new Model();
          for (const [step, how] of steps) {
            const req = requestOf(step, model.version);
            if (how !== "well") store.failAfter(0, how as Failure);
            const status = await list.update(req);
            store.recover();
            const asked = Object.assign(new Model(), { listVersion: model.listVersion, entries: model.entries }).update(
              req,
            );
            expect(status).toBe(how !== "well" && asked === "Accepted" ? "Failed" : asked);
            if (status === "Accepted") model.update(req);
            expectSame(list, model);
          }
          // One more, that goes well: it takes the place of what was written although it was refused.
          const last = { listVersion: Math.max(1, model.version + 1), updateType: "Differential" as const };
          expect(await list.update(last)).toBe(model.update(last));
          const { report } = faultLog();
          expectSame(await load(store, report), model);
        },
      ),
      { numRuns: 100 },
    );
  });
});
