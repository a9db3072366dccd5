/*
 * The contract of a store of credentials, which is its owner's: for a while it does anything that functions can do. What must
 * hold all the same.
 */
import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CentralSystem, type CredentialRecord, KnownCredentials, type PasswordHash } from "../../src/index.ts";
import { oops } from "../connection/misbehaviours.ts";
import { after, deeds as common, type Deeds } from "../deeds.ts";

const identity = "CP001";
const keyOf = (number: number): string => number.toString(16).padStart(40, "0");
const bytes = (hex: string): Uint8Array => Buffer.from(hex, "hex");

const openHash: PasswordHash = {
  seal: (password) => Buffer.from(password).toString("hex"),
  verify: (password, sealed) => sealed === Buffer.from(password).toString("hex"),
};

/** What the store may do instead of what it should. */
const deeds = {
  ...common,
  "does it and throws": (right) => {
    right();
    throw oops;
  },
  "does it and hangs": (right) => {
    right();
    return new Promise(() => {});
  },
  "does it later": (right, clock) => after(clock, 3000).then(right),
  "does it much later": (right, clock) => after(clock, 20_000).then(right),
  "does it when nobody waits any more, and rejects": async (right, clock) => {
    await after(clock, 90_000);
    right();
    throw oops;
  },
} satisfies Deeds;
type Deed = keyof typeof deeds;

const habits = fc.record({
  deeds: fc.array(fc.constantFrom(...(Object.keys(deeds) as Deed[])), { minLength: 1, maxLength: 8 }),
  /** Milliseconds from each change to the next, and what follows it. */
  steps: fc.array(
    fc.tuple(fc.constantFrom(0, 1000, 6000, 30_000), fc.constantFrom("enroll", "authenticate" as const)),
    { minLength: 1, maxLength: 8 },
  ),
});

test("A store of credentials that does anything: all who ask hear, five seconds after its end nobody waits for it, and the last change counts [J-178] [trap 2]", async () => {
  await fc.assert(
    fc.asyncProperty(habits, async (habits) => {
      const clock = new FakeClock();
      const rows = new Map<string, CredentialRecord>();
      let turn = 0;
      let isFaulty = true;
      const anyhow = (right: () => unknown): never => {
        const deed: Deed = isFaulty ? (habits.deeds[turn++ % habits.deeds.length] as Deed) : "right";
        return deeds[deed](right, clock) as never;
      };
      const make = (store: { get(identity: string): never; set(identity: string, record: CredentialRecord): never }) =>
        new KnownCredentials({ centralSystem: new CentralSystem({ clock }), store, clock, passwordHash: openHash });
      const credentials = make({
        get: (identity) => anyhow(() => rows.get(identity)),
        set: (identity, record) => anyhow(() => void rows.set(identity, record)),
      });
      const admits = (by: KnownCredentials, number: number): Promise<unknown> =>
        by.authenticate({ identity, password: bytes(keyOf(number)), securityProfile: 1 });

      const heard: Promise<unknown>[] = [];
      for (const [index, [pauseMs, what]] of habits.steps.entries()) {
        const asked =
          what === "enroll"
            ? credentials.enroll(identity, { authorizationKey: keyOf(index) })
            : admits(credentials, index);
        heard.push(asked.catch((error: unknown) => expect(error).toBeInstanceOf(Error)));
        await clock.advance(pauseMs);
      }
      let settled = 0;
      for (const each of heard) void each.then(() => (settled += 1));
      // Each has its own turn, in which it may read and write.
      await clock.advance(heard.length * 10_000 + 5000);
      expect(settled, "asked, and heard nothing").toBe(heard.length);

      isFaulty = false;
      const last = habits.steps.length;
      let isDone = false;
      void credentials.enroll(identity, { authorizationKey: keyOf(last) }).then(() => (isDone = true));
      await clock.advance(5000); // What has begun before hangs no longer than that.
      expect(isDone, "blocked after the end of the fault").toBe(true);
      for (const ms of [0, 4000, 30_000, 120_000]) {
        await clock.advance(ms);
        expect(await admits(credentials, last)).toBe(true);
        for (let earlier = 0; earlier < last; earlier++) expect(await admits(credentials, earlier)).toBe(false);
      }
      // What would survive a crash.
      const afterwards = make(rows as never);
      expect(await admits(afterwards, last)).toBe(true);
      for (let earlier = 0; earlier < last; earlier++) expect(await admits(afterwards, earlier)).toBe(false);
      expect(clock.pending, "wake-ups left on the clock").toBe(0);
    }),
    { numRuns: 300 },
  );
});
