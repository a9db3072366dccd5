import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AppliedKey,
  type AppliedStatus,
  applyConfiguration,
  applyLocalAuthList,
  type KnownIdTag,
  type LocalAuthListOutcome,
  type Req,
  type SentLocalAuthList,
} from "../../src/index.ts";
import { type ListFault, ScriptedCharger, type ScriptedKey } from "./scripted-charger.ts";

const treatments = [undefined, "Rejected", "RebootRequired", "lies", "hidden", "CALLERROR", "mute"] as const;

/** What becomes of a key that is wanted to be "new", by the model. */
function expected(key: ScriptedKey | undefined): AppliedStatus {
  if (key === undefined) return "NotSupported";
  if (key.treats === "hidden") return key.readonly ? "Rejected" : "Accepted";
  if (key.value === "new") return "Unchanged";
  if (key.readonly) return "ReadOnly";
  const statuses = { lies: "Ignored", CALLERROR: "Failed", mute: "Accepted" } as const;
  const { treats = "Accepted" } = key;
  return treats in statuses ? statuses[treats as keyof typeof statuses] : (treats as AppliedStatus);
}

const arbitraryKey: fc.Arbitrary<ScriptedKey | undefined> = fc.option(
  fc
    .record({ value: fc.constantFrom("old", "new"), readonly: fc.boolean(), treats: fc.constantFrom(...treatments) })
    .map(({ treats, ...key }) => (treats === undefined ? key : { ...key, treats })),
  { nil: undefined },
);

describe("applyConfiguration", () => {
  test("brings a charger of any kind to what is wanted, wherever the connection is lost on the way", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryKey, { maxLength: 12 }),
        fc.integer({ min: 1, max: 15 }),
        fc.constantFrom("CALLERROR" as const, "first" as const),
        fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
        async (keys, maxKeys, beyond, told, losesAfter) => {
          const charger = new ScriptedCharger();
          charger.maxKeys = maxKeys;
          charger.beyond = beyond;
          if (told !== undefined) charger.keys.set("GetConfigurationMaxKeys", { value: String(told), readonly: true });
          const names = keys.map((_, at) => `Key${at}`);
          for (const [at, key] of keys.entries()) if (key !== undefined) charger.keys.set(`Key${at}`, { ...key });
          const vendorKeys = Object.fromEntries(names.map((name) => [name, "new"]));

          if (losesAfter !== undefined) {
            charger.losesAfter = losesAfter;
            const lost = await charger.outcome(applyConfiguration(charger.connection, { vendorKeys }));
            if (lost instanceof Error) expect(lost.name).toBe("ConnectionClosedError");
            charger.losesAfter = Number.POSITIVE_INFINITY;
            charger.connect();
          }
          const start = charger.received.length;
          const present = names.map((name) => {
            const key = charger.keys.get(name);
            return key && { ...key };
          });
          const applied = await charger.outcome(applyConfiguration(charger.connection, { vendorKeys }));
          expect((applied as AppliedKey[]).map(({ status }) => status)).toEqual(present.map(expected));

          const calls = charger.received.slice(start);
          const changed = calls.filter(([action]) => action === "ChangeConfiguration");
          expect(changed.map(([, req]) => (req as Req<"ChangeConfiguration">).key)).toEqual(
            names.filter((_, at) => !["NotSupported", "Unchanged", "ReadOnly"].includes(expected(present[at]))),
          );
          if (told !== undefined) {
            const pieces = calls.filter(([action]) => action === "GetConfiguration");
            for (const [, req] of pieces) {
              expect((req as Req<"GetConfiguration">).key?.length).toBeLessThanOrEqual(Math.max(1, told));
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("applyConfiguration can be aborted at any moment: what was changed is told, and the next run on the connection is right", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryKey, { maxLength: 5 }), fc.nat(400), async (keys, abortsAfterMs) => {
      const charger = new ScriptedCharger();
      for (const [at, key] of keys.entries()) if (key !== undefined) charger.keys.set(`Key${at}`, { ...key });
      const vendorKeys = Object.fromEntries(keys.map((_, at) => [`Key${at}`, "new"]));
      const controller = new AbortController();
      charger.clock.wakeAt(charger.clock.now() + abortsAfterMs, () => controller.abort(new Error("enough")));
      const told: AppliedKey[] = [];
      const run = applyConfiguration(
        charger.connection,
        { vendorKeys },
        { signal: controller.signal, changed: (applied) => told.push(applied) },
      );
      const next = run.catch(() => {}).then(() => applyConfiguration(charger.connection, { vendorKeys }));
      const [first, second] = await Promise.all([run.catch((error: unknown) => error), charger.outcome(next)]);
      if (first instanceof Error) expect(first.message).toBe("enough");
      const changed = charger.of<Req<"ChangeConfiguration">>("ChangeConfiguration").map(({ key }) => key);
      expect(changed).toEqual(expect.arrayContaining(told.map(({ key }) => key)));
      for (const { key, status } of told) {
        if (status === "RebootRequired") expect(charger.keys.get(key)?.treats).toBe(status);
      }
      const present = keys.map((_, at) => charger.keys.get(`Key${at}`));
      expect((second as AppliedKey[]).map(({ status }) => status)).toEqual(
        present.map((key, at) => {
          const before = expected(keys[at]);
          return before === "Accepted" && key?.treats !== "hidden"
            ? expect.stringMatching(/^(Accepted|Unchanged)$/)
            : before;
        }),
      );
    }),
    { numRuns: 200 },
  );
});

const arbitraryList = (maxLength: number): fc.Arbitrary<KnownIdTag[]> =>
  fc.uniqueArray(
    fc.record({
      idTag: fc.integer({ min: 0, max: 40 }).map((number) => `Tag${number}`),
      idTagInfo: fc.record({ status: fc.constantFrom("Accepted" as const, "Blocked" as const) }),
    }),
    { selector: ({ idTag }) => idTag, maxLength, size: "max" },
  );

const arbitraryFaults = fc.array(
  fc.option(fc.constantFrom<ListFault>("Failed", "VersionMismatch", "CALLERROR", "lost", "unanswered"), {
    nil: undefined,
    freq: 3,
  }),
  { maxLength: 8 },
);

interface ListRun {
  readonly wanted: KnownIdTag[];
  readonly faults: (ListFault | undefined)[];
  /** What happens to the charger before. */
  readonly before: "nothing" | "forgets" | "falls back";
  /** Whether the owner forgets what was sent. */
  readonly forgets: boolean;
}

const arbitraryRuns: fc.Arbitrary<ListRun[]> = fc.array(
  fc.record({
    wanted: arbitraryList(30),
    faults: arbitraryFaults,
    before: fc.constantFrom("nothing" as const, "nothing" as const, "forgets" as const, "falls back" as const),
    forgets: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

describe("applyLocalAuthList", () => {
  test("never claims a list that a charger does not have, whatever either end forgets, refuses or never hears", async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryRuns,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 5, max: 30 }),
        fc.boolean(),
        async (runs, sendMaxLength, listMaxLength, isTold) => {
          const charger = new ScriptedCharger();
          charger.sendLocalListMaxLength = sendMaxLength;
          charger.localAuthListMaxLength = listMaxLength;
          charger.keys.set("LocalAuthListMaxLength", { value: String(listMaxLength), readonly: true });
          if (isTold) charger.keys.set("SendLocalListMaxLength", { value: String(sendMaxLength), readonly: true });
          let known: SentLocalAuthList | undefined;
          let earlier: { version: number; list: [string, KnownIdTag][] } = { version: 0, list: [] };
          for (const { wanted, faults, before, forgets } of runs) {
            if (forgets) known = undefined;
            if (before === "forgets" || before === "falls back") {
              charger.list.clear();
              charger.listVersion = 0;
            }
            if (before === "falls back") {
              for (const [key, entry] of earlier.list) charger.list.set(key, entry);
              charger.listVersion = earlier.version;
            }
            charger.listFaults.splice(0, charger.listFaults.length, ...faults);
            const sentBefore = charger.of("SendLocalList").length;
            const outcome = await charger.outcome(applyLocalAuthList(charger.connection, wanted, { known }));
            const sent = charger.of<Req<"SendLocalList">>("SendLocalList").slice(sentBefore);

            expect(charger.longestList).toBeLessThanOrEqual(listMaxLength);
            for (const { listVersion, localAuthorizationList = [] } of sent) {
              expect(listVersion).toBeGreaterThan(0);
              if (isTold) expect(localAuthorizationList.length).toBeLessThanOrEqual(sendMaxLength);
            }
            if (outcome instanceof Error) {
              expect(outcome.name).toBe("ConnectionClosedError");
              charger.connect();
              continue;
            }
            judge(outcome, charger, wanted, faults);
            if ("list" in outcome) {
              known = JSON.parse(JSON.stringify(outcome.list));
              earlier = { version: charger.listVersion, list: [...charger.list] };
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);
});

function judge(
  outcome: LocalAuthListOutcome,
  charger: ScriptedCharger,
  wanted: readonly KnownIdTag[],
  faults: readonly (ListFault | undefined)[],
): void {
  const sorted = (entries: Iterable<KnownIdTag>) => [...entries].sort((a, b) => a.idTag.localeCompare(b.idTag));
  switch (outcome.status) {
    case "Unchanged":
    case "Accepted":
      expect(sorted(charger.list.values())).toEqual(sorted(wanted));
      expect(outcome.list.listVersion).toBe(charger.listVersion);
      break;
    case "TooLong":
      expect(wanted.length).toBeGreaterThan(charger.localAuthListMaxLength);
      break;
    case "Failed":
      expect(faults.some((fault) => fault !== undefined)).toBe(true);
      break;
    default:
      expect.unreachable(outcome.status);
  }
}
