import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { CentralSystem, type CentralSystemEvents, Connection } from "../../src/index.ts";

const currentTime = "2026-01-01T00:00:00Z";

/** A Central System, and Charge Points that connect to it at will. */
function network() {
  const clock = new FakeClock();
  const centralSystem = new CentralSystem({ clock, registrations: { get: () => "Accepted", set: () => {} } });
  const log: string[] = [];
  const record = <E extends keyof CentralSystemEvents>(name: E, say: (event: CentralSystemEvents[E][0]) => string) =>
    centralSystem.on(name, ((event: CentralSystemEvents[E][0]) => log.push(`${name} ${say(event)}`)) as never);
  record("connected", ({ identity }) => identity);
  record("disconnected", ({ identity, code, reason }) => `${identity} ${code} ${reason}`.trim());
  const connect = (identity: string) => {
    const link = transportPair(clock);
    const accepted = centralSystem.accept(link.centralSystem, identity);
    const chargePoint = new Connection(link.chargePoint, { role: "ChargePoint", identity, clock });
    return { accepted, chargePoint, link };
  };
  return { clock, centralSystem, log, record, connect };
}

describe("CentralSystem", () => {
  test("serves every Charge Point with the same handlers, and tells them who calls [J-009] [J-107]", async () => {
    const { clock, centralSystem, connect } = network();
    const callers: string[] = [];
    centralSystem.handle("Heartbeat", (_, { connection }) => {
      callers.push(connection.identity);
      return { currentTime };
    });
    const confs = ["CP001", "CP002"].map((identity) => connect(identity).chargePoint.call("Heartbeat", {}));
    await clock.advance(0);
    expect(await Promise.all(confs)).toEqual([{ currentTime }, { currentTime }]);
    expect(callers).toEqual(["CP001", "CP002"]);
  });

  test("prefers the handler of a connection to the one that all have", async () => {
    const { clock, centralSystem, connect } = network();
    centralSystem.handle("Heartbeat", () => ({ currentTime }));
    const { accepted, chargePoint } = connect("CP001");
    accepted.handle("Heartbeat", () => ({ currentTime: "2027-01-01T00:00:00Z" }));
    const conf = chargePoint.call("Heartbeat", {});
    await clock.advance(0);
    expect(await conf).toEqual({ currentTime: "2027-01-01T00:00:00Z" });
  });

  test("lets handlers be added when connections are open already", async () => {
    const { clock, centralSystem, connect } = network();
    const { chargePoint } = connect("CP001");
    centralSystem.handle("Heartbeat", () => ({ currentTime }));
    const conf = chargePoint.call("Heartbeat", {});
    await clock.advance(0);
    expect(await conf).toEqual({ currentTime });
  });

  test("calls a Charge Point by its identity, and waits for one without keeping another waiting [J-107]", async () => {
    const { clock, centralSystem, connect } = network();
    connect("CP001").chargePoint.handle("ClearCache", () => new Promise(() => {}));
    connect("CP002").chargePoint.handle("ClearCache", () => ({ status: "Accepted" }));
    centralSystem
      .get("CP001")
      ?.call("ClearCache", {})
      .catch(() => {});
    const conf = centralSystem.get("CP002")?.call("ClearCache", {});
    await clock.advance(0);
    expect(await conf).toEqual({ status: "Accepted" });
    expect(centralSystem.get("CP003")).toBeUndefined();
    expect([...centralSystem.connections()].map(({ identity }) => identity)).toEqual(["CP001", "CP002"]);
  });

  test("forgets a Charge Point that has gone [J-107] [trap 12]", async () => {
    const { clock, centralSystem, connect, log } = network();
    const { link } = connect("CP001");
    link.chargePoint.drop();
    await clock.advance(0);
    expect(centralSystem.get("CP001")).toBeUndefined();
    expect([...centralSystem.connections()]).toEqual([]);
    expect(log).toEqual(["connected CP001", "disconnected CP001 1006"]);
  });

  test("replaces the connection of an identity by a newer one, whose registration the end of the older one does not touch [J-164]", async () => {
    const { clock, centralSystem, connect, log } = network();
    const first = connect("CP001");
    const pending = first.accepted.call("ClearCache", {}).catch((error: unknown) => error);
    const second = connect("CP001");
    await clock.advance(60_000);
    expect(await pending).toMatchObject({ name: "ConnectionClosedError", code: 1008 });
    expect(centralSystem.get("CP001")).toBe(second.accepted);
    expect(log).toEqual([
      "connected CP001",
      "disconnected CP001 1008 Replaced by a newer connection",
      "connected CP001",
    ]);
  });

  test("tells identities apart by case [J-012]", () => {
    const { centralSystem, connect } = network();
    const upper = connect("CP001").accepted;
    const lower = connect("cp001").accepted;
    expect(centralSystem.get("CP001")).toBe(upper);
    expect(centralSystem.get("cp001")).toBe(lower);
  });

  test("passes on what its connections say, with the identity", async () => {
    const { clock, centralSystem, connect, record, log } = network();
    record("message", ({ identity, direction, frame }) => `${identity} ${direction} ${frame.type}`);
    record("violation", ({ identity, reason }) => `${identity} ${reason}`);
    record("fault", ({ identity, action, error }) => `${identity} ${action} ${error}`);
    centralSystem.handle("Heartbeat", () => {
      throw new Error("oops");
    });
    const { chargePoint, link } = connect("CP001");
    chargePoint.call("Heartbeat", {}).catch(() => {});
    link.centralSystem.inject("nonsense");
    await clock.advance(0);
    expect(log).toEqual([
      "connected CP001",
      "message CP001 in CALL",
      "fault CP001 Heartbeat Error: oops",
      "message CP001 out CALLERROR",
      "violation CP001 not-json",
    ]);
  });

  test("lets a listener of `connected` add handlers in time for the first frame", async () => {
    const { clock, centralSystem, connect } = network();
    centralSystem.on("connected", ({ connection }) => connection.handle("Heartbeat", () => ({ currentTime })));
    const conf = connect("CP001").chargePoint.call("Heartbeat", {});
    await clock.advance(0);
    expect(await conf).toEqual({ currentTime });
  });

  test("survives listeners that throw, and says so", async () => {
    const { centralSystem, connect, record, log } = network();
    record("fault", ({ identity, error }) => `${identity} ${error}`);
    centralSystem.on("connected", () => {
      throw new Error("bad listener");
    });
    connect("CP001");
    expect(log).toContain("fault CP001 Error: bad listener");
    expect(centralSystem.get("CP001")).toBeDefined();
  });

  test.each(["connected", "violation"] as const)(
    "tells of the end of a connection last, when a listener of `%s` has closed it",
    async (name) => {
      const { clock, centralSystem, connect } = network();
      const log: string[] = [];
      centralSystem.on(name, ({ identity }) => centralSystem.get(identity)?.close());
      for (const later of ["connected", "violation", "disconnected"] as const) {
        centralSystem.on(later, () => log.push(later));
      }
      connect("CP001").link.centralSystem.inject("nonsense");
      await clock.advance(0);
      expect(log).toEqual(["connected", ...(name === "violation" ? [name] : []), "disconnected"]);
      expect(centralSystem.get("CP001")).toBeUndefined();
    },
  );

  test("tells of the end of a connection last, when a listener of its own has closed it", async () => {
    const { clock, connect, record, log } = network();
    record("violation", ({ reason }) => reason);
    const { accepted, link } = connect("CP001");
    accepted.on("violation", () => accepted.close());
    link.centralSystem.inject("nonsense");
    await clock.advance(0);
    expect(log).toEqual(["connected CP001", "violation not-json", "disconnected CP001 1000"]);
  });

  test.each([
    { timeoutMs: 0 },
    { timeoutMs: Number.POSITIVE_INFINITY },
    { maxWaitingCalls: Number.NaN },
    { maxServedCalls: Number.NaN },
    { probeTimeoutMs: Number.NaN },
  ])("refuses the limit %o, which would be none", (options) => {
    expect(() => new CentralSystem(options)).toThrow(TypeError);
  });

  test("refuses a second handler and the handler of an action that goes the other way", () => {
    const { centralSystem } = network();
    centralSystem.handle("Heartbeat", () => ({ currentTime }));
    expect(() => centralSystem.handle("Heartbeat", () => ({ currentTime }))).toThrow(TypeError);
    expect(() => centralSystem.handle("Reset" as "Heartbeat", () => ({ currentTime }))).toThrow(TypeError);
  });
});
