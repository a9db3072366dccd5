import { FakeClock, transportPair } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CentralSystem,
  type CentralSystemOptions,
  Connection,
  quirks,
  type RegistrationStatus,
} from "../../src/index.ts";

const currentTime = "2026-01-01T00:00:00Z";
const boot = { chargePointVendor: "V", chargePointModel: "Odd", firmwareVersion: "7" };

/** A Central System that answers BootNotification as it is told to. */
function site(options: CentralSystemOptions) {
  const clock = new FakeClock();
  const centralSystem = new CentralSystem({ clock, ...options });
  const behaviour: { status: RegistrationStatus; fails: boolean } = { status: "Accepted", fails: false };
  const faults: unknown[] = [];
  const answered = new Map<string, RegistrationStatus>();
  centralSystem.on("fault", ({ error }) => faults.push(error));
  centralSystem.handle("BootNotification", (_, { connection: { identity } }) => {
    if (behaviour.fails) throw new Error("no database");
    answered.set(identity, behaviour.status);
    return { status: behaviour.status, currentTime, interval: 300 };
  });
  centralSystem.handle("StopTransaction", () => ({}));
  const connect = (identity = "CP001") => {
    const link = transportPair(clock);
    centralSystem.accept(link.centralSystem, identity);
    const asked: string[] = [];
    const closings: number[] = [];
    const chargePoint = new Connection(link.chargePoint, { role: "ChargePoint", identity, clock });
    chargePoint.on("closed", ({ code }) => closings.push(code));
    chargePoint.handle("TriggerMessage", ({ requestedMessage }) => {
      asked.push(requestedMessage);
      return { status: "Accepted" };
    });
    const sendBoot = async (): Promise<void> => {
      chargePoint.call("BootNotification", boot).catch(() => {});
      await clock.advance(0);
    };
    /** One that only a quirk can read. */
    const sendBill = async (): Promise<void> => {
      const payload = { transactionId: 1, timestamp: currentTime, meterStop: 1, idTag: null };
      link.centralSystem.inject(JSON.stringify([2, "bill", "StopTransaction", payload]));
      await clock.advance(0);
    };
    const answerToBill = () => link.centralSystem.sent.map((text) => JSON.parse(text)).find(([, id]) => id === "bill");
    return { answerToBill, asked, closings, link, sendBill, sendBoot };
  };
  return { answered, behaviour, clock, connect, faults };
}

const tolerate: CentralSystemOptions["tolerate"] = ({ chargePointModel }) =>
  chargePointModel === "Odd" ? [quirks.nullFields] : [];

describe("What a Charge Point was told", () => {
  test("is written again as long as it is connected, until it is kept, and each failure is a fault [J-132]", async () => {
    const rows = new Map<string, RegistrationStatus>();
    let isFull = true;
    let writes = 0;
    const set = (identity: string, status: RegistrationStatus) => {
      writes += 1;
      if (isFull) throw new Error("disk full");
      rows.set(identity, status);
    };
    const { clock, connect, faults } = site({ registrations: { get: () => undefined, set } });
    const { link, sendBoot } = connect();
    await sendBoot();
    await clock.advance(10_000);
    expect(writes).toBe(5); // At once, and after 0.5, 1, 2 and 4 s.
    expect(faults).toEqual(Array(5).fill(new Error("disk full")));
    link.chargePoint.drop();
    await clock.advance(600_000);
    expect(writes).toBe(5);
    connect();
    await clock.advance(1000);
    isFull = false;
    await clock.advance(10_000);
    expect(rows.get("CP001")).toBe("Accepted");
    const until = writes;
    await clock.advance(600_000);
    expect(writes).toBe(until);
    expect(clock.pending).toBe(0);
  });

  test("is the latest in the end, however late, in whatever order and however the writes end [J-132]", async () => {
    const write = fc.record({
      ms: fc.constantFrom(0, 1000, 9000, 30_000, 120_000),
      ends: fc.constantFrom("kept", "kept", "rejected", "kept and rejected"),
    });
    const step = fc.record({ status: fc.constantFrom("Accepted", "Pending", "Rejected"), pauseMs: fc.nat(25_000) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: 8 }),
        fc.array(step, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (writes, steps, reconnects) => {
          const rows = new Map<string, RegistrationStatus>();
          const { answered, behaviour, clock, connect } = site({
            registrations: {
              get: (identity) => rows.get(identity),
              set: async (identity, status) => {
                const { ms, ends } = (identity === "CP001" && writes.shift()) || { ms: 0, ends: "kept" };
                await new Promise<void>((resolve) => clock.wakeAt(clock.now() + ms, resolve));
                if (ends !== "rejected") rows.set(identity, status);
                if (ends !== "kept") throw new Error("locked");
              },
            },
          });
          let charger = connect();
          for (const { status, pauseMs } of steps as { status: RegistrationStatus; pauseMs: number }[]) {
            behaviour.status = status;
            await charger.sendBoot();
            await clock.advance(pauseMs);
            if (reconnects) charger = connect();
          }
          behaviour.status = "Accepted";
          const other = connect("CP002");
          await other.sendBoot();
          expect(rows.get("CP002")).toBe("Accepted");
          await clock.advance(600_000);
          expect(rows).toEqual(answered);
          expect(clock.pending).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("is no longer written when no write ever ends: three at once are enough", async () => {
    let writes = 0;
    const set = () => {
      writes += 1;
      return new Promise(() => {});
    };
    const { clock, connect, faults } = site({ registrations: { get: () => undefined, set } });
    await connect().sendBoot();
    await clock.advance(3_600_000);
    expect(writes).toBe(3);
    expect(faults).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });
});

describe("A bill that can be read only if it is known who sent it", () => {
  test.each(["at once", "later"])(
    "is read after a restart by what was kept with the registration, told %s",
    async (when) => {
      const rows = new Map<string, string>();
      const before = site({
        registrations: {
          get: () => undefined,
          set: (identity, status, chargePoint) => rows.set(identity, JSON.stringify({ status, chargePoint })),
        },
      });
      await before.connect().sendBoot();
      expect(JSON.parse(rows.get("CP001") ?? "")).toEqual({
        status: "Accepted",
        chargePoint: { identity: "CP001", ...boot },
      });
      const row = (identity: string) => JSON.parse(rows.get(identity) ?? "null");
      const get = async (identity: string) => row(identity);
      const { connect } = site({ tolerate, registrations: { get: when === "later" ? get : row, set: () => {} } });
      const { answerToBill, sendBill } = connect();
      await sendBill();
      expect(answerToBill()).toEqual([3, "bill", {}]);
    },
  );

  test("waits where nobody knows, is read once a BootNotification that is asked for has told, and asked for once [trap 2] [Q21]", async () => {
    const registrations = new Map<string, RegistrationStatus>([["CP001", "Accepted"]]);
    const { clock, connect } = site({ tolerate, registrations });
    const { answerToBill, asked, closings, sendBill, sendBoot } = connect();
    await sendBill();
    await clock.advance(50_000);
    expect(asked).toEqual(["BootNotification"]);
    expect(answerToBill()).toBeUndefined();
    await sendBoot();
    expect(answerToBill()).toEqual([3, "bill", {}]);
    await clock.advance(600_000);
    expect(closings).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  test("is sent again on the next connection when no BootNotification comes within a minute [trap 2]", async () => {
    const { clock, connect } = site({ tolerate, registrations: new Map([["CP001", "Accepted" as const]]) });
    const { answerToBill, closings, sendBill } = connect();
    await sendBill();
    await clock.advance(59_999);
    expect(closings).toEqual([]);
    await clock.advance(1);
    expect(closings).toEqual([1013]);
    expect(answerToBill()).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  test("is refused when it is known, and cannot be read all the same", async () => {
    const { connect } = site({ tolerate: () => [], registrations: new Map() });
    const { answerToBill, sendBill, sendBoot } = connect();
    await sendBoot();
    await sendBill();
    expect(answerToBill()?.[0]).toBe(4);
  });
});

test("A bill whose BootNotification failed through us is sent again on the next connection, if none comes that succeeds [trap 2]", async () => {
  for (const succeeds of [false, true]) {
    const { behaviour, clock, connect } = site({ tolerate: [quirks.nullFields], registrations: new Map() });
    const { answerToBill, asked, closings, sendBill, sendBoot } = connect();
    behaviour.fails = true;
    await sendBoot();
    await sendBill();
    await clock.advance(30_000);
    behaviour.fails = !succeeds;
    await sendBoot();
    await clock.advance(60_000);
    expect(answerToBill()).toEqual(succeeds ? [3, "bill", {}] : undefined);
    expect(closings).toEqual(succeeds ? [] : [1013]);
    expect(asked).toEqual([]);
    expect(clock.pending).toBe(0);
  }
});
