import { describe, expect, test } from "vitest";
import { type Action, CallError, type Role } from "../../src/index.ts";
import { misbehaviours, oops } from "./misbehaviours.ts";
import { type RawPeer, rawPeer } from "./raw-peer.ts";

type Handle = (action: Action, handler: (req: unknown, context: { answered: Promise<boolean> }) => unknown) => void;

/** A Connection at each end, a CALL that its peer may make, and what that is answered with. */
const ends = [
  ["ChargePoint", "ClearCache", "{}", { status: "Accepted" }, "GetLocalListVersion", { listVersion: 7 }],
  ["CentralSystem", "Authorize", '{"idTag":"A"}', { idTagInfo: { status: "Accepted" } }, "MeterValues", {}],
] as const;
const otherPayload = { GetLocalListVersion: "{}", MeterValues: "" } as const;

const revoked = (): never => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy as never;
};
const throwing = (error: unknown) => (): never => {
  throw error;
};
const lookalike = (more: object): Error => Object.assign(new Error("no"), { name: "CallError", ...more });

/** All ways in which a handler can fail: each is answered with InternalError, and told as a fault. */
const failures: Record<string, () => unknown> = {
  ...misbehaviours,
  ...Object.fromEntries(
    Object.entries({ undefined, null: null, text: "CALL me", "a frozen object": Object.freeze({}) }).map(
      ([name, thrown]) => [`throws ${name}`, throwing(thrown)],
    ),
  ),
  "throws something that cannot be looked at": () => throwing(revoked())(),
  "throws an error whose name cannot be read": throwing(
    Object.defineProperty(new Error("no"), "name", { get: throwing(oops) }),
  ),
  "throws a CallError with a code that is none": throwing(lookalike({ code: "Nonsense", description: "" })),
  "throws a CallError without anything": throwing(lookalike({})),
  "throws the CallError of a CALL of its own": throwing(
    new CallError("SecurityError", "secret", { action: "Reset", messageId: "7" }),
  ),
  ...Object.fromEntries(
    [undefined, null, 7, "Accepted", [], { status: "Perhaps" }, { more: 1 }, () => {}, Symbol("yes")].map((answer) => [
      `answers ${String(typeof answer === "object" ? JSON.stringify(answer) : typeof answer)}`,
      () => answer,
    ]),
  ),
  "answers with something that cannot be looked at": revoked,
};

describe.each(ends)("A %s, of whose handlers one", (role, action, payload, conf, other, otherConf) => {
  const end = (): RawPeer<Role> & { handle: Handle } => {
    const peer = rawPeer<Role>(role);
    const handle = peer.connection.handle.bind(peer.connection) as Handle;
    handle(other, () => otherConf);
    return { ...peer, handle };
  };
  const call = (id: string) => `[2,"${id}","${action}",${payload}]`;
  const otherCall = (id: string) =>
    `[2,"${id}","${other}",${otherPayload[other] || '{"connectorId":0,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1"}]}]}'}]`;
  const otherAnswer = (id: string) => [3, id, otherConf];

  test.each(Object.entries(failures))(
    "%s: answers InternalError once, tells it, and goes on [J-072] [J-D18] [J-D19]",
    async (_, fail) => {
      const { handle, arrived, events, send, connection } = end();
      const told: boolean[] = [];
      handle(action, (_, { answered }) => {
        void answered.then((sent) => told.push(sent));
        return fail();
      });
      await send(call("1"));
      await send(otherCall("2"));
      await send(call("3"));
      const internal = (id: string) => [4, id, "InternalError", "The action could not be carried out.", {}];
      expect(arrived).toEqual([internal("1"), otherAnswer("2"), internal("3")]);
      expect(events.fault.map((event) => event.action)).toEqual([action, action]);
      expect(told).toEqual([true, true]);
      connection.close();
      expect(events.closed).toHaveLength(1);
    },
  );

  test("never answers: answers the others, and tells it that nothing will be sent once it is closed [J-108] [J-D24]", async () => {
    const { handle, arrived, events, send, connection } = end();
    const told: boolean[] = [];
    handle(action, (_, { answered }) => {
      void answered.then((sent) => told.push(sent));
      return new Promise(() => {});
    });
    await send(call("1"));
    await send(otherCall("2"));
    await send(call("1")); // The peer repeats it.
    await send(otherCall("3"));
    expect(arrived).toEqual([otherAnswer("2"), otherAnswer("3")]);
    connection.close();
    await send("");
    expect(told).toEqual([false]);
    expect(events.closed).toHaveLength(1);
    expect(events.fault).toEqual([]);
  });

  test.each([...Object.entries(failures), ["answers", () => conf] as const])(
    "%s only after the end: sends nothing, and lives [J-D24] [J-219]",
    async (_, answer) => {
      const { handle, arrived, events, send, connection, clock } = end();
      let go = (): void => {};
      handle(action, async () => {
        await new Promise<void>((resolve) => (go = resolve));
        return answer();
      });
      await send(call("1"));
      connection.close();
      const faults = events.fault.length;
      go();
      await clock.advance(60_000);
      expect(arrived).toEqual([]);
      expect(events.closed).toHaveLength(1);
      expect(events.fault.length - faults).toBeLessThanOrEqual(1);
      expect(clock.pending).toBe(0);
    },
  );

  test.each(["close", "close and throw", "close and answer later"])("does %s: sends nothing [J-D24]", async (deed) => {
    const { handle, arrived, events, send, connection, clock } = end();
    handle(action, async () => {
      connection.close();
      if (deed === "close and throw") throw oops;
      if (deed === "close and answer later") await undefined;
      return conf;
    });
    await send(call("1"));
    await clock.advance(59_000);
    expect(clock.pending, "the time of the handler is not limited any more").toBe(0);
    await clock.advance(1000);
    expect(arrived).toEqual([]);
    expect(events.closed).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
