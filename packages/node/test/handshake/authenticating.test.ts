/* What `authenticate` may do and say, over a real socket: what runs is counted, what nobody waits for is ended. */
import { EventEmitter, once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { CentralSystem } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Authenticate } from "../../src/handshake/endpoint-options.ts";
import { listen } from "../../src/listen.ts";
import { openEndpoint, shake, statusOf } from "../open-endpoint.ts";
import { clientFrame, type RawSocket } from "../raw-socket.ts";

const aborted = (signal: AbortSignal, error: () => unknown): Promise<true> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(error())));

const heartbeat = (id: string) => clientFrame(1, `[2,"${id}","Heartbeat",{}]`);
const answerTo = async (peer: RawSocket): Promise<unknown[]> => JSON.parse((await peer.frame()).payload.toString());

describe("maxHandshakes", () => {
  test.each(["ends", "resets"])(
    "counts what runs; a peer that %s its connection aborts its decision and gives its place away",
    async (how) => {
      const events = new EventEmitter();
      const authenticate: Authenticate = ({ identity, signal }) => {
        if (identity !== "CP001") return true;
        events.emit("asked");
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => {
            reject(signal.reason);
            events.emit("aborted");
          }),
        );
      };
      const { listener, refused, faults } = await openEndpoint({ maxHandshakes: 1, authenticate });
      const asking = once(events, "asked");
      const peer = await shake(listener.port, "CP001");
      await asking;
      expect(await statusOf(await shake(listener.port, "CP002"))).toBe(503);
      const aborted = once(events, "aborted");
      if (how === "ends") peer.socket.end();
      else peer.socket.resetAndDestroy();
      await aborted;
      expect(await statusOf(await shake(listener.port, "CP002"))).toBe(101);
      expect(refused.map(({ identity }) => identity)).toEqual(["CP002"]);
      expect(faults).toEqual([]);
    },
  );

  test("gives the place of a decision that has hung and ends late back once, though it was given away meanwhile", async () => {
    const clock = new FakeClock();
    const events = new EventEmitter();
    const decide: ((_: boolean) => void)[] = [];
    const authenticate: Authenticate = () => {
      events.emit("asked");
      return new Promise((resolve) => decide.push(resolve));
    };
    const { listener } = await openEndpoint({ maxHandshakes: 1, handshakeTimeoutMs: 10_000, authenticate, clock });
    const hang = async (identity: string): Promise<RawSocket> => {
      const asking = once(events, "asked");
      const peer = await shake(listener.port, identity);
      await asking;
      return peer;
    };
    const first = await hang("CP001");
    await clock.advance(60_000);
    expect(await statusOf(first)).toBe(503);
    const second = await hang("CP001"); // In the place of the first.
    decide[0]?.(true);
    await clock.advance(0);
    expect(await statusOf(await shake(listener.port, "CP002"))).toBe(503);
    decide[1]?.(true);
    expect(await statusOf(second)).toBe(101);
    const third = await hang("CP003");
    decide[2]?.(true);
    expect(await statusOf(third)).toBe(101);
  });

  test("does not lose what a peer sends before it is let in", async () => {
    let decide = (_: true): void => {};
    const events = new EventEmitter();
    const authenticate: Authenticate = () => {
      events.emit("asked");
      return new Promise((resolve) => (decide = resolve));
    };
    const { listener } = await openEndpoint({ authenticate });
    const asking = once(events, "asked");
    const peer = await shake(listener.port, "CP001");
    await asking;
    for (const id of ["1", "2"]) peer.write(heartbeat(id));
    // By then they have arrived: another one has been served.
    const other = await shake(listener.port, "CP002");
    expect(other).toBeDefined();
    decide(true);
    expect(await statusOf(peer)).toBe(101);
    expect(await answerTo(peer)).toEqual([3, "1", expect.anything()]);
    expect(await answerTo(peer)).toEqual([3, "2", expect.anything()]);
  });
});

describe("authenticate", () => {
  test('may answer "busy": 503, and each is told to come back at another time', async () => {
    const { listener, refused } = await openEndpoint({ authenticate: () => "busy" });
    const times = new Set<string | undefined>();
    for (let count = 0; count < 20; count++) {
      const head = await (await shake(listener.port, "CP001")).head();
      expect(head).toMatch(/^HTTP\/1\.1 503 /);
      times.add(/^Retry-After: (\d+)$/m.exec(head)?.[1]);
    }
    expect(times.size).toBeGreaterThan(3);
    expect(refused[0]).toMatchObject({ identity: "CP001", reason: "busy", status: 503 });
  });

  test.each<[string, (signal: AbortSignal) => Promise<true>, readonly string[]]>([
    ["what Node's timers throw", (signal) => wait(3_600_000, true, { signal }), []],
    ["what Node's events throw", async (signal) => (await once(new EventEmitter(), "never", { signal })) && true, []],
    [
      "an error with that cause",
      (signal) => aborted(signal, () => new Error("No answer", { cause: signal.reason })),
      [],
    ],
    ["an error of its own", (signal) => aborted(signal, () => new Error("The database is down.")), ["CP001"]],
    ["nothing at all", (signal) => aborted(signal, () => undefined), ["CP001"]],
  ])("may obey its signal, which is no fault: %s", async (_, decide, blamed) => {
    const events = new EventEmitter();
    const { faults, listener } = await openEndpoint({
      authenticate: async ({ identity, signal }) => {
        if (identity !== "CP001") return true;
        events.emit("asked");
        return decide(signal).finally(() => setImmediate(() => events.emit("over")));
      },
    });
    const [asking, over] = [once(events, "asked"), once(events, "over")];
    const peer = await shake(listener.port, "CP001");
    await asking;
    peer.socket.resetAndDestroy();
    await over;
    expect(faults.map(({ identity }) => identity)).toEqual(blamed);
  });

  test("gives every handler the context that it answers with", async () => {
    const central = new CentralSystem<{ readonly tenant: string }>({
      registrations: { get: () => "Accepted", set: () => {} },
    });
    central.handleOthers((call, { connection: { context } }) => {
      const isOwn = call.action === "Authorize" && call.req.idTag === context.tenant;
      return { idTagInfo: { status: isOwn ? "Accepted" : "Invalid" } };
    });
    const listener = await listen(central, {
      path: "/ocpp",
      authenticate: ({ identity }) => ({ context: { tenant: `of ${identity}` } }),
    });
    onTestFinished(() => listener.close());
    const peer = await shake(listener.port, "CP001");
    await peer.head();
    peer.write(clientFrame(1, '[2,"1","Authorize",{"idTag":"of CP001"}]'));
    expect(await answerTo(peer)).toEqual([3, "1", { idTagInfo: { status: "Accepted" } }]);
    // @ts-expect-error: without authenticate there is no context
    const careless = (): unknown => listen(central, { path: "/ocpp" });
    // @ts-expect-error: nor with an answer that has none
    const incomplete = (): unknown => listen(central, { authenticate: () => true });
    expect([careless, incomplete]).toHaveLength(2);
  });
});

test("listen warns of a CentralSystem without a handler for BootNotification, once", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => warned.mockRestore());
  const central = new CentralSystem();
  for (let count = 0; count < 2; count++) await (await listen(central)).close();
  expect(warned.mock.calls.map(([warning]) => warning)).toEqual([
    expect.stringContaining('Register it before: centralSystem.handle("BootNotification", …).'),
  ]);
});
