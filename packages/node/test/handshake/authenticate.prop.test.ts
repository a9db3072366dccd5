/*
 * The contract of `authenticate` and `cuts`, which are their owner's: for a while they do anything that functions can do. What
 * must hold all the same, over real sockets.
 */
import { EventEmitter, once } from "node:events";
import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import type { Authenticate } from "../../src/handshake/endpoint-options.ts";
import { basic, offer, openEndpoint } from "../open-endpoint.ts";
import { handshake, RawSocket } from "../raw-socket.ts";

const oops = new Error("The database is down.");
const property = "then";
const handshakeTimeoutMs = 10_000;

/** What a function may do instead of answering `true`. */
const deeds = {
  right: () => true,
  throws: () => {
    throw oops;
  },
  "throws nothing": () => {
    throw undefined;
  },
  rejects: () => Promise.reject(oops),
  hangs: () => new Promise(() => {}),
  "answers later": (clock) => after(clock, 3000).then(() => true),
  "answers too late": (clock) => after(clock, 25_000).then(() => true),
  "rejects too late": (clock) => after(clock, 25_000).then(() => Promise.reject(oops)),
  "answers nonsense": () => "perhaps",
  "answers what has no name": () => Object.create(null),
  "answers what cannot be looked at": () =>
    new Proxy({}, { get: () => fail(), has: () => fail(), getOwnPropertyDescriptor: () => fail() }),
  "answers a context that throws": () => Object.defineProperty({}, "context", { get: () => fail() }),
  "answers twice": () => ({
    [property]: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
      resolve(true);
      resolve(false);
      reject(oops);
    },
  }),
  "answers no": () => false,
} satisfies Record<string, (clock: FakeClock) => unknown>;
type Deed = keyof typeof deeds;

function fail(): never {
  throw oops;
}

function after(clock: FakeClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.wakeAt(clock.now() + ms, resolve));
}

const deed = fc.constantFrom(...(Object.keys(deeds) as Deed[]));
const habits = fc.record({
  deeds: fc.array(deed, { minLength: 1, maxLength: 8 }),
  cuts: deed,
  maxHandshakes: fc.integer({ min: 1, max: 3 }),
  /** How each peer behaves: whether it waits, and how many milliseconds pass until the next one. */
  peers: fc.array(fc.tuple(fc.boolean(), fc.constantFrom(0, 4000, 12_000)), { minLength: 1, maxLength: 6 }),
});

test("authenticate and cuts that do anything: every peer has an answer, who is alive is let in once the fault ends, and nothing is left behind [trap 2]", async () => {
  const unhandled: unknown[] = [];
  const keep = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", keep);
  onTestFinished(() => void process.off("unhandledRejection", keep));
  await fc.assert(
    fc.asyncProperty(habits, async (habits) => {
      const clock = new FakeClock();
      const events = new EventEmitter();
      let turn = 0;
      let isFaulty = true;
      const authenticate = (() => {
        events.emit("asked");
        return isFaulty ? deeds[habits.deeds[turn++ % habits.deeds.length] as Deed](clock) : true;
      }) as Authenticate;
      const { central, listener } = await openEndpoint(
        {
          authenticate,
          clock,
          handshakeTimeoutMs,
          maxHandshakes: habits.maxHandshakes,
          cuts: () => (isFaulty ? deeds[habits.cuts](clock) : false) as boolean,
        },
        { clock, duplicates: "replace" },
      );
      const peers: RawSocket[] = [];
      const dial = async (): Promise<RawSocket> => {
        const peer = await RawSocket.open(listener.port);
        peers.push(peer);
        const asked = once(events, "asked");
        peer.request(...handshake("/ocpp/CP001", offer, basic("CP001:password")));
        await Promise.race([asked, once(peer.socket, "readable"), once(peer.socket, "data")]);
        return peer;
      };

      const answers: Promise<string>[] = [];
      for (const [waits, pauseMs] of habits.peers) {
        const peer = await dial();
        if (waits) answers.push(peer.head());
        else peer.socket.resetAndDestroy();
        await clock.advance(pauseMs);
      }
      await clock.advance(handshakeTimeoutMs);
      for (const head of await Promise.all(answers)) expect(head).toMatch(/^HTTP\/1\.1 (101|401|429|500|503) /);
      expect(listener.health().handshakes).toBe(0);

      isFaulty = false;
      await clock.advance(25_000); // What was late has come.
      // What hangs for ever gives its place back after six time-outs.
      if (habits.deeds.includes("hangs")) await clock.advance(6 * handshakeTimeoutMs);
      for (let count = 0; count < 3; count++) {
        const peer = await dial();
        await clock.advance(0);
        expect(await peer.head()).toMatch(/^HTTP\/1\.1 101 /);
      }

      const gone = new Promise((resolve) => central.on("disconnected", resolve));
      for (const { socket } of peers) socket.resetAndDestroy();
      await gone;
      await listener.close();
      expect(listener.health()).toEqual({ status: "closing", connections: 0, handshakes: 0 });
      expect([...central.connections()]).toEqual([]);
      expect(clock.pending, "wake-ups left on the clock").toBe(0);
      expect(unhandled).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
