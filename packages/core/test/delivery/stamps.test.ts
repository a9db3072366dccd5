import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Stamped, Stamps } from "../../src/delivery/stamps.ts";
import { memoryStore, type RecordStore } from "../../src/index.ts";
import { Site } from "../charge-point/site.ts";
import { hour, minute, second } from "../charge-point/vocabulary.ts";

const year = 365 * 24 * hour;
const start = { connectorId: 1, idTag: "TAG", meterStart: 100 };
const timeOf = ({ timestamp }: Stamped): number => Date.parse(timestamp);

describe("Stamps", () => {
  test("never let time fall within a transaction, and are right in the end, however often the clock turns out to be wrong [CORE-TIME-02]", () => {
    const happening = fc.oneof(
      fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: hour }) }),
      fc.record({ do: fc.constant("stamp" as const) }),
      // The computer sleeps: its clock stands still, and that is noticed.
      fc.record({ do: fc.constant("sleep" as const), ms: fc.integer({ min: 1, max: year }) }),
      fc.record({ do: fc.constant("tell" as const) }),
    );
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        let truth = Date.parse("2026-01-01T00:00:00Z");
        let wrongBy = 3 * year;
        const stamps = new Stamps(() => truth - wrongBy);
        const made: { readonly stamped: Stamped; readonly truth: number }[] = [];
        let last: Stamped | undefined;
        let number = 0;
        for (const happening of happenings) {
          if (happening.do === "pass") truth += happening.ms;
          if (happening.do === "sleep" && wrongBy === 0) {
            truth += happening.ms;
            wrongBy = happening.ms;
            stamps.doubted();
          }
          if (happening.do === "stamp") {
            last = stamps.stamp(++number, last);
            made.push({ stamped: last, truth });
          }
          if (happening.do === "tell") {
            stamps.trusted(wrongBy);
            wrongBy = 0;
          }
        }
        stamps.trusted(wrongBy);
        const read = made.map(({ stamped: { timestamp, mark } }) => Date.parse(stamps.read(timestamp, mark)));
        expect(read).toEqual([...read].sort((a, b) => a - b));
        expect(read).toEqual(made.map(({ truth }) => truth));
      }),
      { numRuns: 500 },
    );
  });

  test("leave alone what the clock has not shown in that epoch: it is somebody else's time [CORE-TIME-02]", () => {
    let now = 1000 * second;
    const stamps = new Stamps(() => now);
    now += 10 * second;
    const { mark } = stamps.stamp(1);
    stamps.trusted(year);
    const read = (time: number): number => Date.parse(stamps.read(new Date(time).toISOString(), mark)) - time;
    expect(read(999 * second)).toBe(0);
    expect(read(1000 * second)).toBe(year);
    expect(read(1010 * second)).toBe(year);
    expect(read(1011 * second)).toBe(0);
    expect(stamps.read("2016-12-31T23:59:59+01:00", undefined)).toBe("2016-12-31T23:59:59+01:00");
  });

  test("do not fall when the clock is set back", () => {
    let now = year;
    const stamps = new Stamps(() => now);
    stamps.trusted(0);
    const first = stamps.stamp(1);
    now -= hour;
    const second = stamps.stamp(2, first);
    expect(timeOf(second)).toBe(timeOf(first));
    // Nor what a doubtful clock shows, once that is corrected.
    stamps.doubted();
    const third = stamps.stamp(3, second);
    stamps.trusted(-minute);
    expect(Date.parse(stamps.read(third.timestamp, third.mark))).toBe(timeOf(first));
  });
});

describe("A ChargePoint whose clock was wrong", () => {
  /** A site that is cut off, with a clock that is a year behind. */
  function behind(store: RecordStore): Site {
    const site = new Site({ store });
    site.behaviour.aheadMs = year;
    site.behaviour.reachable = false;
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Accepted" } }));
    site.centralSystem.handle("MeterValues", () => ({}));
    site.centralSystem.handle("StopTransaction", () => ({}));
    return site;
  }

  const stampsIn = (site: Site): string[] =>
    site.received.flatMap(([action, payload]) =>
      action === "BootNotification" ? [] : (JSON.stringify(payload).match(/20\d\d-[^"]*/g) ?? []),
    );

  test("sends what it has stamped itself with the right time, and what its owner says as it is [CORE-BOOT-04] [CORE-TIME-02]", async () => {
    const site = behind(memoryStore());
    await site.start();
    const reading = { sampledValue: [{ value: "1" }] };
    const now = (): string => new Date(site.chargePoint.now()).toISOString();
    const transaction = site.chargePoint.startTransaction(start);
    await site.clock.advance(minute);
    // Stamped by us, with our clock by the owner, by the owner's own clock.
    transaction.meterValues({
      meterValue: [reading, { ...reading, timestamp: now() }, { ...reading, timestamp: "2020-05-05T05:05:05Z" }],
    });
    await site.clock.advance(minute);
    // Noted before a power cut, say.
    transaction.stop({ meterStop: 200, timestamp: now(), transactionData: [reading] });
    site.behaviour.reachable = true;
    await site.clock.advance(hour);
    expect(transaction.startedAt).toBe(Date.parse("2027-01-01T00:00:00.000Z"));
    expect(stampsIn(site)).toEqual([
      "2027-01-01T00:00:00.000Z",
      "2027-01-01T00:01:00.000Z",
      "2027-01-01T00:01:00.000Z",
      "2020-05-05T05:05:05Z",
      "2026-01-01T00:02:00.000Z",
      "2027-01-01T00:02:00.000Z",
    ]);
  });

  test("says the same after a power cut, and forgets the correction when it is of no use any more [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const before = behind(store);
    await before.start();
    before.chargePoint.startTransaction(start).stop({ meterStop: 200 });
    before.behaviour.reachable = true;
    // It is told the time, and the power fails before anything else is taken.
    before.chargePoint.on("registration", () => before.link.centralSystem.mute());
    await before.clock.advance(5 * second);
    expect(before.chargePoint.undelivered.count).toBe(2);
    expect((await store.load("clock/")).map(({ value }) => JSON.parse(value))).toEqual([year]);

    const after = behind(store);
    after.behaviour.reachable = true;
    // Its clock is right by now, and has to be corrected by nothing.
    after.behaviour.aheadMs = 0;
    await after.start();
    await after.clock.advance(second);
    expect(stampsIn(after)).toEqual(["2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"]);
    expect(await store.load("")).toEqual([]);
  });

  test("forgets the corrections that nothing needs, keeps the one that a transaction does, and none for what was sent [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const site = behind(store);
    await site.start();
    // It is not supported there.
    site.chargePoint.deliver("SecurityEventNotification", { type: "StartupOfTheDevice" });
    const running = site.chargePoint.startTransaction({ ...start, connectorId: 2 });
    site.behaviour.reachable = true;
    await site.clock.advance(minute);
    const kept = await store.load("clock/");
    expect(kept).toHaveLength(1);
    for (let doubts = 0; doubts < 3; doubts++) {
      site.clock.sleep(hour);
      site.chargePoint.startTransaction(start).stop({ meterStop: 200 });
      await site.clock.advance(minute);
    }
    expect(site.chargePoint.undelivered.count).toBe(0);
    expect(await store.load("clock/")).toEqual(kept);
    running.stop({ meterStop: 300 });
    await site.clock.advance(minute);
    expect(site.chargePoint.deadLetters).toHaveLength(1);
    expect(await store.load("clock/")).toEqual([]);
  });

  test("leaves as it is what was stamped before a power cut and never corrected [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const before = behind(store);
    await before.start();
    before.chargePoint.startTransaction(start);
    await before.clock.advance(0);
    const after = behind(store);
    after.behaviour.reachable = true;
    await after.start();
    // In another epoch, which must not be mistaken for that one.
    after.chargePoint.startTransaction({ ...start, connectorId: 2 });
    await after.clock.advance(second);
    expect(stampsIn(after).slice(0, 1)).toEqual(["2026-01-01T00:00:00.000Z"]);
  });
});
