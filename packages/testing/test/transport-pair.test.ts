import { type Clock, systemClock, type TransportListener } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { FakeClock, type LinkedTransport, type TransportPairOptions, transportPair } from "../src/index.ts";

function linked(options?: TransportPairOptions) {
  const clock = new FakeClock({ now: 0 });
  const { chargePoint, centralSystem } = transportPair(clock, options);
  return { clock, chargePoint, centralSystem };
}

/** Everything that an end tells its listener: a text, or a code and reason. */
function heardBy(end: LinkedTransport): (string | [code: number, reason: string])[] {
  const heard: (string | [number, string])[] = [];
  end.listen({ message: (text) => heard.push(text), close: (code, reason) => heard.push([code, reason]) });
  return heard;
}

describe("transportPair", () => {
  test("delivers what either end sends to the other, in order, and only when the clock advances", async () => {
    const { clock, chargePoint, centralSystem } = linked();
    const atCentralSystem = heardBy(centralSystem);
    const atChargePoint = heardBy(chargePoint);
    chargePoint.send("a");
    chargePoint.send("b");
    centralSystem.send("c");
    await new Promise((resolve) => setImmediate(resolve));
    expect([atCentralSystem, atChargePoint]).toEqual([[], []]);
    await clock.advance(0);
    expect([atCentralSystem, atChargePoint]).toEqual([["a", "b"], ["c"]]);
  });

  test("takes the latency for messages and for the close, and half of a closing handshake for each way", async () => {
    const { clock, chargePoint, centralSystem } = linked({ latencyMs: 50 });
    const atCentralSystem = heardBy(centralSystem);
    const atChargePoint = heardBy(chargePoint);
    chargePoint.send("a");
    chargePoint.close(3001, "done");
    await clock.advance(49);
    expect(atCentralSystem).toEqual([]);
    await clock.advance(1);
    expect([atCentralSystem, atChargePoint]).toEqual([["a", [3001, "done"]], []]);
    await clock.advance(49);
    expect(atChargePoint).toEqual([]);
    await clock.advance(1);
    expect(atChargePoint).toEqual([[3001, "done"]]);
    expect(clock.pending).toBe(0);
  });

  test("keeps the order although a later message would be faster", async () => {
    const latencies = [100, 10, 20];
    const { clock, chargePoint, centralSystem } = linked({ latencyMs: () => latencies.shift() ?? 0 });
    const heard = heardBy(centralSystem);
    for (const text of ["slow", "fast", "medium"]) chargePoint.send(text);
    await clock.advance(99);
    expect(heard).toEqual([]);
    await clock.advance(1);
    expect(heard).toEqual(["slow", "fast", "medium"]);
  });

  test("keeps what arrived before listen, and delivers it after listen has returned", async () => {
    const { clock, chargePoint, centralSystem } = linked();
    chargePoint.send("a");
    chargePoint.close(3001, "done");
    await clock.advance(10);
    const heard = heardBy(centralSystem);
    expect(heard).toEqual([]);
    chargePoint.send("never sent");
    await clock.advance(0);
    expect(heard).toEqual(["a", [3001, "done"]]);
  });

  test("closes an end that has not listened, so that the other end hears of it", async () => {
    const { clock, chargePoint } = linked();
    const heard = heardBy(chargePoint);
    chargePoint.close(3001, "done");
    await clock.advance(0);
    expect(heard).toEqual([[3001, "done"]]);
  });

  test("goes on after a listener that threw, whose error comes out of advance", async () => {
    const { clock, chargePoint, centralSystem } = linked();
    const heard: string[] = [];
    centralSystem.listen({
      message(text) {
        heard.push(text);
        if (text === "a") throw new Error("broken listener");
      },
      close() {},
    });
    chargePoint.send("a");
    chargePoint.send("b");
    await expect(clock.advance(0)).rejects.toThrow("broken listener");
    await clock.advance(0);
    expect(heard).toEqual(["a", "b"]);
  });

  test("gives each end the other's code when both close at once", async () => {
    const { clock, chargePoint, centralSystem } = linked({ latencyMs: 5 });
    const atCentralSystem = heardBy(centralSystem);
    const atChargePoint = heardBy(chargePoint);
    chargePoint.close(3001, "from the charge point");
    centralSystem.close(3002, "from the central system");
    await clock.advance(60_000);
    expect(atChargePoint).toEqual([[3002, "from the central system"]]);
    expect(atCentralSystem).toEqual([[3001, "from the charge point"]]);
  });

  test("delivers what was under way to an end that is closing, but nothing after its close", async () => {
    const { clock, chargePoint, centralSystem } = linked({ latencyMs: 10 });
    const heard = heardBy(chargePoint);
    centralSystem.send("crossing");
    chargePoint.close();
    await clock.advance(60_000);
    expect(heard).toEqual(["crossing", [1000, ""]]);
  });

  test("loses everything that a muted end sends or has under way, and tells nobody", async () => {
    const { clock, chargePoint, centralSystem } = linked({ latencyMs: 10 });
    const atCentralSystem = heardBy(centralSystem);
    const atChargePoint = heardBy(chargePoint);
    chargePoint.send("under way");
    await clock.advance(5);
    chargePoint.mute();
    expect(clock.pending).toBe(0);
    chargePoint.send("later");
    centralSystem.send("the other way");
    await clock.advance(60_000);
    expect([atCentralSystem, atChargePoint]).toEqual([[], ["the other way"]]);
    expect(chargePoint.sent).toEqual(["under way", "later"]);
    expect(clock.pending).toBe(0);
  });

  test.each([
    { muted: ["chargePoint"], atCentralSystem: [] },
    { muted: ["centralSystem"], atCentralSystem: [[3001, "bye"]] },
    { muted: ["chargePoint", "centralSystem"], atCentralSystem: [] },
  ] as const)("closes a half-open connection after closeTimeoutMs (muted: $muted)", async ({ muted, ...expected }) => {
    const { clock, ...ends } = linked({ closeTimeoutMs: 700 });
    const atCentralSystem = heardBy(ends.centralSystem);
    const atChargePoint = heardBy(ends.chargePoint);
    for (const name of muted) ends[name].mute();
    ends.chargePoint.close(3001, "bye");
    await clock.advance(699);
    expect(atChargePoint).toEqual([]);
    await clock.advance(1);
    expect(atChargePoint).toEqual([[1006, ""]]);
    expect(atCentralSystem).toEqual(expected.atCentralSystem);
    expect(clock.pending).toBe(0);
  });

  test("waits 5 seconds for the answer to a close by default", async () => {
    const { clock, chargePoint, centralSystem } = linked();
    const heard = heardBy(chargePoint);
    centralSystem.mute();
    chargePoint.close();
    await clock.advance(4999);
    expect(heard).toEqual([]);
    await clock.advance(1);
    expect(heard).toEqual([[1006, ""]]);
  });

  test("drops an end at once, and the other after what was under way to it", async () => {
    const { clock, chargePoint, centralSystem } = linked({ latencyMs: 10 });
    const atCentralSystem = heardBy(centralSystem);
    const atChargePoint = heardBy(chargePoint);
    chargePoint.send("last words");
    centralSystem.send("lost");
    chargePoint.drop();
    chargePoint.send("after");
    expect(atChargePoint).toEqual([]);
    await clock.advance(0);
    expect([atCentralSystem, atChargePoint]).toEqual([[], [[1006, ""]]]);
    await clock.advance(10);
    expect([atCentralSystem, atChargePoint]).toEqual([["last words", [1006, ""]], [[1006, ""]]]);
    expect(chargePoint.sent).toEqual(["last words"]);
  });

  test("drops one end only when that end is muted; the other when it is dropped in its turn", async () => {
    const { clock, chargePoint, centralSystem } = linked();
    const atCentralSystem = heardBy(centralSystem);
    const atChargePoint = heardBy(chargePoint);
    chargePoint.mute();
    chargePoint.drop();
    chargePoint.drop();
    centralSystem.send("into the void");
    await clock.advance(60_000);
    expect([atCentralSystem, atChargePoint]).toEqual([[], [[1006, ""]]]);
    centralSystem.drop();
    await clock.advance(60_000);
    expect([atCentralSystem, atChargePoint]).toEqual([[[1006, ""]], [[1006, ""]]]);
  });

  test("reports one close when an end is dropped while it is closing", async () => {
    const { clock, chargePoint, centralSystem } = linked({ latencyMs: 10 });
    const atCentralSystem = heardBy(centralSystem);
    const atChargePoint = heardBy(chargePoint);
    chargePoint.close(3001, "bye");
    chargePoint.drop();
    await clock.advance(60_000);
    expect(atChargePoint).toEqual([[1006, ""]]);
    expect(atCentralSystem).toEqual([[3001, "bye"]]);
  });

  test("answers a ping after one latency each way, unless nothing arrives at the other end", async () => {
    const clock = new FakeClock();
    const { chargePoint, centralSystem } = transportPair(clock, { latencyMs: 10 });
    const heard: string[] = [];
    chargePoint.listen({ message: () => {}, close: () => {}, heard: () => heard.push(`ping ${clock.now()}`) });
    centralSystem.listen({ message: () => {}, close: () => {}, heard: () => heard.push(`pong ${clock.now()}`) });
    const start = clock.now();
    centralSystem.ping?.();
    await clock.advance(100);
    expect(heard).toEqual([`ping ${start + 10}`, `pong ${start + 20}`]);
    centralSystem.mute();
    centralSystem.ping?.();
    await clock.advance(100);
    expect(heard).toHaveLength(2);
  });

  test("injects any text in its turn, and counts it as sent by nobody", async () => {
    const { clock, chargePoint, centralSystem } = linked({ latencyMs: 10 });
    const heard = heardBy(chargePoint);
    centralSystem.send("genuine");
    chargePoint.inject("[2,");
    await clock.advance(10);
    expect(heard).toEqual(["genuine", "[2,"]);
    expect([chargePoint.sent, centralSystem.sent]).toEqual([[], ["genuine"]]);
  });

  test("carries a half surrogate pair as U+FFFD, as UTF-8 must", async () => {
    const { clock, chargePoint, centralSystem } = linked();
    const heard = heardBy(centralSystem);
    chargePoint.send("a\ud83d b\udd0c c🔌");
    chargePoint.close(1000, "\ud83d");
    await clock.advance(0);
    expect(heard).toEqual(["a\ufffd b\ufffd c🔌", [1000, "\ufffd"]]);
  });

  test("remembers the latest texts, as many as it is told", () => {
    const sentWith = (options?: TransportPairOptions): readonly string[] => {
      const { chargePoint } = linked(options);
      for (let index = 0; index < 1002; index++) chargePoint.send(`${index}`);
      return chargePoint.sent;
    };
    expect(sentWith()).toHaveLength(1000);
    expect(sentWith().at(-1)).toBe("1001");
    expect(sentWith({ sentLimit: 2 })).toEqual(["1000", "1001"]);
    expect(sentWith({ sentLimit: 0 })).toEqual([]);
  });

  test.each([999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5])("refuses close code %d, as a WebSocket does", (code) => {
    expect(() => linked().chargePoint.close(code)).toThrow(RangeError);
  });

  test("refuses a close reason of more than 123 bytes of UTF-8", () => {
    expect(() => linked().chargePoint.close(1000, "x".repeat(124))).toThrow("not 124");
    expect(() => linked().chargePoint.close(1000, "€".repeat(42))).toThrow("not 126");
    linked().chargePoint.close(1000, "€".repeat(41));
  });

  test("takes the latency on a clock that calls early, too", async () => {
    const clock = new FakeClock({ now: 0 });
    const early: Clock = {
      now: () => clock.now(),
      wakeAt: (time, callback) => clock.wakeAt(Math.min(time, clock.now() + 20), callback),
    };
    const { chargePoint, centralSystem } = transportPair(early, { latencyMs: 50 });
    const heard = heardBy(centralSystem);
    chargePoint.send("a");
    await clock.advance(49);
    expect(heard).toEqual([]);
    await clock.advance(1);
    expect(heard).toEqual(["a"]);
  });

  test("works on the clock of the runtime, too", async () => {
    const { chargePoint, centralSystem } = transportPair(systemClock);
    const closed = new Promise<number>((resolve) => {
      const listener: TransportListener = { message: (text) => chargePoint.close(Number(text)), close: resolve };
      chargePoint.listen(listener);
    });
    centralSystem.send("3333");
    expect(await closed).toBe(3333);
  });
});
