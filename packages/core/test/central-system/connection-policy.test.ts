import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { CentralSystem, type CentralSystemOptions, Connection, type TransportListener } from "../../src/index.ts";

/** A Central System that writes down who comes and goes. */
function site(options: CentralSystemOptions = {}) {
  const clock = new FakeClock();
  const centralSystem = new CentralSystem({ clock, ...options });
  const log: string[] = [];
  centralSystem.on("connected", ({ identity, generation }) => log.push(`${identity} ${generation} connected`));
  centralSystem.on("disconnected", ({ identity, generation, code }) => log.push(`${identity} ${generation} ${code}`));
  const connect = (identity = "CP001") => {
    const link = transportPair(clock, { latencyMs: 10 });
    const accepted = centralSystem.accept(link.centralSystem, identity);
    const chargePoint = new Connection(link.chargePoint, { role: "ChargePoint", identity, clock });
    return { accepted, chargePoint, link };
  };
  /** What a newcomer is told; `undefined` while it waits. */
  const knock = (identity = "CP001") => {
    const answer: { now: string | undefined; readonly promise: Promise<void> } = {
      now: undefined,
      promise: centralSystem.admit(identity).then((refusal) => {
        answer.now = refusal?.reason ?? "admitted";
      }),
    };
    return answer;
  };
  return { clock, centralSystem, log, connect, knock };
}

describe("A second connection with the same identity", () => {
  test("is refused when the first one answers a ping [J-164] [Q20]", async () => {
    const { clock, connect, knock, log } = site();
    connect();
    const answer = knock();
    await clock.advance(19);
    expect(answer.now).toBeUndefined();
    await clock.advance(1);
    expect(answer.now).toBe("duplicate");
    expect(log).toEqual(["CP001 1 connected"]);
  });

  test("is refused when the first one says anything at all, and is still there when the time is over [Q20]", async () => {
    const { clock, connect, knock } = site({ probeTimeoutMs: 2000 });
    const { chargePoint, link } = connect();
    link.centralSystem.mute(); // The ping does not arrive.
    const answer = knock();
    await clock.advance(1000);
    chargePoint.call("Heartbeat", {}).catch(() => {});
    await clock.advance(999);
    expect(answer.now).toBeUndefined();
    await clock.advance(1);
    expect(answer.now).toBe("duplicate");
  });

  test("is admitted when what the first one says is the last that is heard of it [Q20]", async () => {
    const { clock, connect, knock } = site({ probeTimeoutMs: 2000 });
    const { chargePoint, link } = connect();
    link.centralSystem.mute();
    const answer = knock();
    await clock.advance(1000);
    chargePoint.call("Heartbeat", {}).catch(() => {});
    await clock.advance(10);
    link.chargePoint.drop();
    await clock.advance(10);
    expect(answer.now).toBe("admitted");
  });

  test("is admitted when the first one ends in the turn of its pong [Q20]", async () => {
    const { centralSystem, knock } = site();
    let listener: TransportListener | undefined;
    const connection = centralSystem.accept(
      {
        listen(given) {
          listener = given;
        },
        send: () => {},
        close: () => {},
        ping: () => {},
      },
      "CP001",
    );
    const answer = knock();
    listener?.heard?.();
    listener?.pong?.();
    connection.close();
    await answer.promise;
    expect(answer.now).toBe("admitted");
  });

  test("replaces the first one when that is silent for the whole time [J-164]", async () => {
    const { clock, connect, knock, log } = site({ probeTimeoutMs: 2000 });
    const { link } = connect();
    link.chargePoint.mute();
    const answer = knock();
    await clock.advance(1999);
    expect(answer.now).toBeUndefined();
    await clock.advance(1);
    expect(answer.now).toBe("admitted");
    connect();
    expect(log).toEqual(["CP001 1 connected", "CP001 1 1008", "CP001 2 connected"]);
  });

  test("is admitted before its handshake is over, although a probe may take longer than that [Q20]", async () => {
    const { clock, centralSystem, connect } = site({ probeTimeoutMs: 5000 });
    connect().link.chargePoint.mute();
    const answers: (string | undefined)[] = [];
    void centralSystem.admit("CP001", undefined, 5000).then((refusal) => answers.push(refusal?.reason));
    await clock.advance(3999);
    expect(answers).toEqual([]);
    await clock.advance(1);
    expect(answers).toEqual([undefined]);
  });

  test("has what is left of its handshake, when it has waited for the decision on another one", async () => {
    const { clock, centralSystem, connect } = site({ probeTimeoutMs: 5000 });
    const { link } = connect();
    link.centralSystem.mute();
    void centralSystem.admit("CP001", undefined, 10_000).then(() => connect().link.chargePoint.mute());
    await clock.advance(1000);
    const answers: (string | undefined)[] = [];
    void centralSystem.admit("CP001", undefined, 9000).then((refusal) => answers.push(refusal?.reason));
    await clock.advance(4000 + 3999);
    expect(answers).toEqual([]);
    await clock.advance(1);
    expect(answers).toEqual([undefined]);
  });

  test("finds the way free when an earlier one asked in vain and has left meanwhile", async () => {
    const { clock, connect, knock, log } = site();
    connect().link.chargePoint.mute();
    knock();
    await clock.advance(5000);
    expect(log).toEqual(["CP001 1 connected", "CP001 1 1008"]);
    const answer = knock();
    await clock.advance(0);
    expect(answer.now).toBe("admitted");
  });

  test("is admitted alone, when several ask at once", async () => {
    const { clock, centralSystem, connect } = site();
    connect().link.chargePoint.mute();
    const answers: string[] = [];
    for (let index = 0; index < 3; index++) {
      void centralSystem.admit("CP001").then((refusal) => {
        answers.push(refusal?.reason ?? "admitted");
        if (refusal === undefined) connect();
      });
    }
    await clock.advance(6000);
    expect(answers).toEqual(["admitted", "duplicate", "duplicate"]);
  });

  test("keeps nobody waiting who asks after it, when it has hung up meanwhile", async () => {
    const { clock, centralSystem, connect } = site();
    connect().link.chargePoint.mute();
    const answers: string[] = [];
    const hangUp = new AbortController();
    for (const signal of [undefined, hangUp.signal, hangUp.signal, undefined]) {
      void centralSystem.admit("CP001", signal).then((refusal) => answers.push(refusal?.reason ?? "admitted"));
    }
    hangUp.abort();
    await clock.advance(5000); // The first one does not call `accept`.
    expect(answers).toEqual(["admitted", "timeout", "timeout", "admitted"]);
  });

  test("is admitted as soon as the first one ends", async () => {
    const { clock, connect, knock } = site();
    const { link } = connect();
    link.chargePoint.mute();
    const answer = knock();
    await clock.advance(100);
    link.centralSystem.drop();
    await clock.advance(0);
    expect(answer.now).toBe("admitted");
  });

  test("is admitted at once when the transport of the first one cannot ask", async () => {
    const { clock, centralSystem, knock } = site();
    const { ping: _, ...silent } = transportPair(clock).centralSystem;
    centralSystem.accept({ ...silent, listen: () => {}, send: () => {}, close: () => {} }, "CP001");
    const answer = knock();
    await clock.advance(0);
    expect(answer.now).toBe("admitted");
  });

  test("replaces the first one unasked under `replace`, and is refused unasked under `reject`", async () => {
    for (const [duplicates, expected] of [
      ["replace", "admitted"],
      ["reject", "duplicate"],
    ] as const) {
      const { clock, connect, knock } = site({ duplicates });
      connect();
      const answer = knock();
      await clock.advance(0);
      expect(answer.now).toBe(expected);
    }
  });

  test("matters to nobody of another identity", async () => {
    const { clock, connect, knock } = site({ duplicates: "reject" });
    connect();
    const answer = knock("CP002");
    await clock.advance(0);
    expect(answer.now).toBe("admitted");
  });
});

test.each([
  { duplicates: "newest" },
  { tolerate: "nullFields" },
  { tolerate: ["nullFields"] },
  { tolerate: [undefined] },
])("CentralSystem refuses %j, which would be found out with the first charger only", (options) => {
  expect(() => new CentralSystem(options as CentralSystemOptions)).toThrow(TypeError);
});

describe("CentralSystem.drain", () => {
  test("closes connections at the rate it is given, with 1012, and admits nobody meanwhile", async () => {
    const { clock, centralSystem, connect, knock, log } = site();
    for (const identity of ["A", "B", "C"]) connect(identity);
    log.length = 0;
    const drained = centralSystem.drain({ ratePerSecond: 2 });
    const answer = knock("D");
    await clock.advance(0);
    expect(log).toEqual(["A 1 1012"]);
    expect(answer.now).toBe("closing");
    await clock.advance(499);
    expect(log).toHaveLength(1);
    await clock.advance(1);
    expect(log).toEqual(["A 1 1012", "B 2 1012"]);
    await clock.advance(500);
    await drained;
    expect(log).toEqual(["A 1 1012", "B 2 1012", "C 3 1012"]);
  });

  test("closes what is left at the deadline", async () => {
    const { clock, centralSystem, connect, log } = site();
    for (const identity of ["A", "B", "C"]) connect(identity);
    log.length = 0;
    const drained = centralSystem.drain({ ratePerSecond: 1, deadlineMs: 100 });
    await clock.advance(100);
    await drained;
    expect(log).toEqual(["A 1 1012", "B 2 1012", "C 3 1012"]);
  });

  test("ends early when the Charge Points leave by themselves, and at once when there are none", async () => {
    const { clock, centralSystem, connect } = site();
    const links = ["A", "B", "C"].map((identity) => connect(identity).link);
    let drained = false;
    void centralSystem.drain({ ratePerSecond: 1 }).then(() => {
      drained = true;
    });
    for (const link of links) link.centralSystem.drop();
    await clock.advance(1000);
    expect(drained).toBe(true);
    await expect(site().centralSystem.drain()).resolves.toBeUndefined();
  });

  test("closes at once who was admitted before and comes only now", async () => {
    const { clock, centralSystem, connect, log } = site();
    await centralSystem.drain();
    connect();
    await clock.advance(0);
    expect(log).toEqual(["CP001 1 connected", "CP001 1 1012"]);
    expect(centralSystem.get("CP001")).toBeUndefined();
  });

  test("waits for handlers that run, so that their answers leave; what does not end in time is cut off", async () => {
    const { clock, centralSystem, connect, log } = site({ registrations: { get: () => "Accepted", set: () => {} } });
    let answer = (): void => {};
    const transactions: string[] = [];
    centralSystem.handle("StartTransaction", (_, { connection }) => {
      transactions.push(connection.identity);
      if (connection.identity === "B") return new Promise(() => {});
      return new Promise((resolve) => {
        answer = () => resolve({ transactionId: 1, idTagInfo: { status: "Accepted" } });
      });
    });
    const start = { connectorId: 1, idTag: "A", meterStart: 0, timestamp: "2026-01-01T00:00:00Z" };
    const confs = ["A", "B"].map((identity) =>
      connect(identity)
        .chargePoint.call("StartTransaction", start)
        .catch(({ code }: { code: number }) => code),
    );
    connect("C");
    await clock.advance(20);
    log.length = 0;
    let isDrained = false;
    void centralSystem.drain({ deadlineMs: 20_000 }).then(() => (isDrained = true));
    await clock.advance(1000);
    expect(log).toEqual(["C 3 1012"]);
    answer();
    await clock.advance(1000);
    expect(log).toEqual(["C 3 1012", "A 1 1012"]);
    await clock.advance(17_999);
    expect(isDrained).toBe(false);
    await clock.advance(1);
    expect(isDrained).toBe(true);
    expect(log).toEqual(["C 3 1012", "A 1 1012", "B 2 1012"]);
    await clock.advance(10);
    expect(await Promise.all(confs)).toEqual([{ transactionId: 1, idTagInfo: { status: "Accepted" } }, 1012]);
    expect(transactions).toEqual(["A", "B"]);
  });

  test.each([
    [100, 60_000, 50],
    [10, 100, 125],
    [1000, 10_000, 125],
  ])(
    "closes %i connections within %i ms at a rate of %i each second, unless it is given",
    async (count, deadlineMs, rate) => {
      const { clock, centralSystem, connect, log } = site();
      for (let index = 0; index < count; index++) connect(`CP${index}`);
      log.length = 0;
      const drained = centralSystem.drain({ deadlineMs });
      await clock.advance(deadlineMs / 10);
      expect(log.length).toBe(Math.min(count, 1 + Math.floor((rate * deadlineMs) / 10_000)));
      await clock.advance(0.7 * deadlineMs);
      await drained;
      expect(log).toHaveLength(count);
    },
  );

  test.each([{ ratePerSecond: 0 }, { ratePerSecond: Number.NaN }, { deadlineMs: -1 }])(
    "refuses %j",
    async (options) => {
      await expect(site().centralSystem.drain(options)).rejects.toThrow(TypeError);
    },
  );
});

describe("CentralSystem.close", () => {
  test("closes every connection with 1001, and admits nobody any more", async () => {
    const { clock, centralSystem, connect, knock, log } = site();
    for (const identity of ["A", "B"]) connect(identity);
    log.length = 0;
    centralSystem.close();
    const answer = knock("D");
    await clock.advance(0);
    expect(log).toEqual(["A 1 1001", "B 2 1001"]);
    expect(answer.now).toBe("closing");
    expect([...centralSystem.connections()]).toEqual([]);
  });

  test("ends a drain that is under way", async () => {
    const { clock, centralSystem, connect, log } = site();
    for (const identity of ["A", "B", "C"]) connect(identity);
    log.length = 0;
    const drained = centralSystem.drain({ ratePerSecond: 1 });
    await clock.advance(0);
    centralSystem.close();
    await clock.advance(1000);
    await drained;
    expect(log).toEqual(["A 1 1012", "B 2 1001", "C 3 1001"]);
  });
});
