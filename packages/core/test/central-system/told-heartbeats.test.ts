import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import {
  CentralSystem,
  type CentralSystemEvents,
  Connection,
  type RegistrationStatus,
  type TransportListener,
} from "../../src/index.ts";

const currentTime = "2026-01-01T00:00:00Z";
const boot = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]';

/** A Central System that tells an interval, and Charge Points on bare transports. */
function site(interval: number) {
  const clock = new FakeClock();
  const centralSystem = new CentralSystem({ clock });
  const answer: { status: RegistrationStatus } = { status: "Accepted" };
  const log: string[] = [];
  const tolerated: CentralSystemEvents["tolerated"][0][] = [];
  centralSystem.handle("BootNotification", () => ({ ...answer, currentTime, interval }));
  centralSystem.on("disconnected", ({ code, reason }) => log.push(`${code} ${reason}`));
  centralSystem.on("tolerated", (event) => tolerated.push(event));
  const connect = () => {
    let listener: TransportListener | undefined;
    const sent: string[] = [];
    const transport = {
      listen(given: TransportListener) {
        listener = given;
      },
      send: (text: string) => void sent.push(text),
      close: () => {},
      ping: () => {},
    };
    const connection = centralSystem.accept(transport, "CP001");
    return { connection, peer: listener as unknown as Required<TransportListener>, sent };
  };
  return { answer, clock, connect, log, tolerated };
}

describe("A Charge Point that answers no pings", () => {
  test("is told once as tolerated, and lost when it lets three Heartbeats pass [J-154] [Q20]", async () => {
    const { clock, connect, log, tolerated } = site(100);
    const { peer } = connect();
    peer.message(boot);
    await clock.advance(0);
    peer.unanswered();
    expect(tolerated).toMatchObject([{ identity: "CP001", generation: 1, quirk: "unansweredPings", id: "Q20" }]);
    await clock.advance(299_999);
    peer.heard();
    await clock.advance(299_999);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(["1008 Nothing arrived for 300000 ms, not even a pong"]);
    expect(clock.pending).toBe(0);
  });

  test("is judged by the interval that it was told on an earlier connection [J-165] [Q20]", async () => {
    const { clock, connect, log } = site(100);
    const first = connect();
    first.peer.message(boot);
    await clock.advance(0);
    first.connection.close();
    const { peer } = connect();
    peer.unanswered();
    await clock.advance(300_000);
    expect(log).toEqual(["1000 ", "1008 Nothing arrived for 300000 ms, not even a pong"]);
  });

  test("is judged by the HeartbeatInterval that it has accepted [CORE-HB-08] [Q20]", async () => {
    const { clock, connect, log } = site(100);
    const { connection, peer, sent } = connect();
    peer.message(boot);
    await clock.advance(0);
    const change = connection.call("ChangeConfiguration", { key: "heartbeatinterval", value: "10" });
    peer.message(`[3,${JSON.stringify(JSON.parse(sent.at(-1) as string)[1])},{"status":"Accepted"}]`);
    await change;
    peer.unanswered();
    await clock.advance(29_999);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(["1008 Nothing arrived for 30000 ms, not even a pong"]);
  });

  test.each(["Pending", "Rejected"] as const)(
    "is not judged by the interval of an acceptance that was followed by %s, then and later [CORE-BOOT-05] [Q20]",
    async (status) => {
      const { answer, clock, connect, log } = site(100);
      const first = connect();
      first.peer.message(boot);
      await clock.advance(0);
      answer.status = status;
      first.peer.message(boot.replace('"1"', '"2"'));
      await clock.advance(0);
      first.peer.unanswered();
      await clock.advance(1_000_000);
      first.connection.close();
      connect().peer.unanswered();
      await clock.advance(1_000_000);
      expect(log).toEqual(["1000 "]);
    },
  );

  test("is not judged when it has been told no interval [CORE-BOOT-06]", async () => {
    const { clock, connect, log } = site(0);
    const { peer } = connect();
    peer.message(boot);
    await clock.advance(60_000); // What limits the handler of the BootNotification is over.
    peer.unanswered();
    expect(clock.pending).toBe(0);
    expect(log).toEqual([]);
  });

  test("is judged by its pongs once it answers one after all [Q20]", async () => {
    const { clock, connect, log } = site(100);
    const { peer } = connect();
    peer.message(boot);
    await clock.advance(0);
    peer.unanswered();
    peer.heard();
    peer.pong();
    await clock.advance(1_000_000);
    expect(log).toEqual([]);
  });
});

test("A Charge Point that answers pings is not judged by its Heartbeats [Q20]", async () => {
  const { clock, connect, log } = site(1);
  const { connection, peer } = connect();
  peer.message(boot);
  await clock.advance(1_000_000);
  expect(log).toEqual([]);
  expect(connection.lastHeardAt).toBe(connection.connectedAt);
});

test("A Central System that answers no pings is told of, and judged by the answers to Heartbeats [J-154] [Q20]", async () => {
  const clock = new FakeClock();
  let listener: TransportListener | undefined;
  const transport = {
    listen(given: TransportListener) {
      listener = given;
    },
    send: () => {},
    close: () => {},
    ping: () => {},
  };
  const connection = new Connection(transport, { role: "ChargePoint", identity: "CP001", clock });
  const told: string[] = [];
  connection.on("tolerated", ({ quirk }) => told.push(quirk));
  connection.on("closed", () => told.push("closed"));
  listener?.unanswered?.();
  await clock.advance(1_000_000);
  expect(told).toEqual(["unansweredPings"]);
});
