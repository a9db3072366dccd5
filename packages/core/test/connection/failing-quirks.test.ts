/* Quirks of owners' that fail, and a choice of quirks that does: no bill is lost, and what works goes on working. */
import { describe, expect, test } from "vitest";
import { defineQuirks, type Quirk, type QuirkRow, quirks } from "../../src/index.ts";
import { misbehaviours } from "./misbehaviours.ts";
import { rawPeer } from "./raw-peer.ts";

const timestamp = "2026-01-01T00:00:00Z";
const local = "2026-01-01T00:00:00";
const meterValue = (time: string) => [{ timestamp: time, sampledValue: [{ value: "1" }] }];
const frame = (id: string, action: string, payload: object): string => JSON.stringify([2, id, action, payload]);

/** What cannot be read without `localTimes`. */
const bills = [
  ["StartTransaction", { connectorId: 1, idTag: "A", timestamp: local, meterStart: 0 }],
  ["StopTransaction", { transactionId: 1, timestamp: local, meterStop: 1 }],
  ["MeterValues", { connectorId: 1, transactionId: 1, meterValue: meterValue(local) }],
] as const;
const others = [
  ["MeterValues", { connectorId: 1, meterValue: meterValue(local) }],
  ["StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Available", timestamp: local }],
] as const;

const nonsense = { "a name": "nullFields", null: null, "a number": 7, "an object": {}, "a list": [7] };
const failures: Readonly<Record<string, () => unknown>> = {
  ...misbehaviours,
  ...Object.fromEntries(Object.entries(nonsense).map(([name, value]) => [`answers ${name}`, () => value])),
};

const description = { id: "O1", evidence: [], forgives: "anything", repairs: "nothing" };
const row = (fields: object): Quirk => defineQuirks({ own: { ...description, ...fields } as unknown as QuirkRow }).own;
const payloadRow = (fail: () => unknown): Quirk => row({ scope: "payload", mend: fail });

/** A Central System that answers everything. */
function end(tolerate: unknown) {
  const peer = rawPeer("CentralSystem", { tolerate: tolerate as never });
  const transactions = { transactionId: 1, idTagInfo: { status: "Accepted" } } as const;
  peer.connection.handle("StartTransaction", () => transactions);
  for (const action of ["StopTransaction", "MeterValues", "StatusNotification"] as const)
    peer.connection.handle(action, () => ({}));
  return peer;
}

/** In place of what is asked, something fails. */
const subjects: Readonly<Record<string, (fail: () => unknown) => unknown>> = {
  "A choice that": (fail) => fail,
  "A row that": (fail) => [payloadRow(fail)],
};

describe.each(Object.entries(subjects))("%s", (_, tolerating) => {
  describe.each(Object.entries(failures))("%s", (_, fail) => {
    test.each(bills)(
      "costs nobody a bill: %s is not answered, and sent again [CORE-TXQ-09]",
      async (action, payload) => {
        const { arrived, clock, closed, events, send } = end(tolerating(fail));
        await send(frame("1", action, payload));
        await clock.advance(1000);
        expect(arrived).toEqual([]);
        expect(events.fault).toMatchObject([{ action, error: expect.any(Error) }]);
        expect(events.violation).toEqual([]);
        expect(closed).toMatchObject([{ code: 1013 }]);
      },
    );

    test.each(others)("is told, and forgives nothing of %s %o", async (action, payload) => {
      const { arrived, clock, closed, events, send } = end(tolerating(fail));
      await send(frame("1", action, payload));
      await clock.advance(5000);
      expect(arrived).toMatchObject([[4, "1", "PropertyConstraintViolation", expect.any(String), {}]]);
      expect(events.fault).toMatchObject([{ action }]);
      expect(events.violation).toMatchObject([{ reason: "payload" }]);
      expect(closed).toEqual([]);
    });
  });
});

test.each(Object.entries(failures))("A choice that %s is asked again, and counts once it works", async (_, fail) => {
  let asked = 0;
  const { arrived, events, send } = end(() => (++asked < 3 ? fail() : quirks));
  const [action, payload] = others[1];
  for (const id of ["1", "2", "3", "4"]) await send(frame(id, action, payload));
  expect(arrived.map((answer) => (answer as unknown[])[0])).toEqual([4, 4, 3, 3]);
  expect(events.fault).toHaveLength(2);
  expect(asked).toBe(3);
});

test.each(Object.entries(failures))(
  "A row that %s is as good as not there: the others do their work",
  async (_, fail) => {
    for (const tolerate of [
      [payloadRow(fail), quirks.localTimes],
      [quirks.localTimes, payloadRow(fail)],
    ]) {
      const { arrived, closed, events, send } = end(tolerate);
      await send(frame("1", ...bills[1]));
      expect(arrived).toEqual([[3, "1", {}]]);
      expect(events.tolerated).toMatchObject([{ quirk: "localTimes" }]);
      expect(events.fault.length).toBeLessThanOrEqual(1);
      expect(closed).toEqual([]);
    }
  },
);

test("A row is told as failed once for each message, however many places are wrong in it", async () => {
  const { events, send } = end([payloadRow(() => 7)]);
  await send(frame("1", "MeterValues", { connectorId: 1, meterValue: [...meterValue(local), ...meterValue(local)] }));
  expect(events.fault).toMatchObject([{ error: { message: "The quirk own answers what no quirk may." } }]);
});

test.each([
  ["a value that is promised", () => ({ value: Promise.reject(new Error("oops")) })],
  ["a place beside that is no list", () => ({ value: timestamp, beside: 7 })],
])("A row that answers %s has failed", async (_, fail) => {
  const { arrived, events, send } = end([payloadRow(fail), quirks.localTimes]);
  await send(frame("1", ...bills[1]));
  expect(arrived).toEqual([[3, "1", {}]]);
  expect(events.fault).toHaveLength(1);
});

test("A row may name a field beside that the message does not have", async () => {
  const tolerate = [payloadRow(() => ({ value: timestamp, beside: ["toString", "info"] }))];
  const { arrived, events, send } = end(tolerate);
  await send(frame("1", ...bills[1]));
  expect([arrived, events.fault]).toEqual([[[3, "1", {}]], []]);
});

describe.each(["cleaned", "elements"] as const)("A row of frames whose `%s`", (name) => {
  const malformed = (action: string, payload: object): string => {
    const text = frame("1", action, payload);
    return name === "cleaned" ? `\0${text}` : `${text.slice(0, -1)},null]`;
  };
  const stop = { transactionId: 1, timestamp, meterStop: 1 };
  const failing = { ...failures };
  // What is an answer, if not a good one.
  for (const answer of { cleaned: ["a name", "null"], elements: ["a list"] }[name]) delete failing[`answers ${answer}`];

  test.each(Object.entries(failing))("%s costs nobody a bill, and is as good as not there", async (_, fail) => {
    const bad = row({ scope: "frame", [name]: fail });
    const alone = end([bad]);
    await alone.send(malformed("StopTransaction", stop));
    await alone.clock.advance(1000);
    expect(alone.arrived).toEqual([]);
    expect(alone.events.fault).toHaveLength(1);
    expect(alone.closed).toMatchObject([{ code: 1013 }]);

    const both = end([bad, ...Object.values(quirks)]);
    await both.send(malformed("StopTransaction", stop));
    expect(both.arrived).toEqual([[3, "1", {}]]);
    expect(both.events.fault).toHaveLength(1);
  });

  test("fails is refused as ever where no bill is in the text, and settles what it answers", async () => {
    const tolerate = [row({ scope: "frame", [name]: () => 7 })];
    const { arrived, clock, closed, connection, events, send } = end(tolerate);
    await send(malformed("Heartbeat", {}));
    const error = connection.call("ClearCache", {}).catch((error: unknown) => error);
    await send('[3,"1",{"transactionId":7},0]');
    await clock.advance(5000);
    expect(await error).toMatchObject({ name: "PayloadError" });
    expect(events.violation).toHaveLength(2);
    expect(closed).toEqual([]);
    if (name === "elements") expect(arrived).toContainEqual([4, "1", "FormationViolation", expect.any(String), {}]);
  });
});
