import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import {
  Connection,
  callVendorMessage,
  type StandardIssue,
  type StandardSchema,
  vendorMessage,
} from "../../src/index.ts";
import { finding, label, limits, only, ping, vendorId } from "./vocabulary.ts";

/** A connection whose peer answers DataTransfer as it is told to. */
function sender(...confs: readonly object[]) {
  const clock = new FakeClock();
  const link = transportPair(clock);
  const connection = new Connection(link.centralSystem, { role: "CentralSystem", identity: "CP001", clock });
  const sent: unknown[] = [];
  let answered = 0;
  link.chargePoint.listen({
    message: (text) => {
      const [, messageId, , req] = JSON.parse(text);
      sent.push(req);
      link.chargePoint.send(JSON.stringify([3, messageId, confs[Math.min(answered++, confs.length - 1)]]));
    },
    close: () => {},
  });
  /** Resolves with what a promise comes to, or with the error that it is rejected with. */
  const settled = async <Result>(promise: Promise<Result>): Promise<Result> => {
    const outcome = promise.catch((error) => error);
    await clock.advance(100);
    return outcome;
  };
  return { connection, sent, settled };
}

describe("callVendorMessage", () => {
  test("sends the data as one string, and parses that of the answer once [CORE-DT-01] [CORE-DT-04]", async () => {
    const { connection, sent, settled } = sender({ status: "Accepted", data: '{"applied":true}' });
    const answer = await settled(callVendorMessage(connection, limits, { amperes: 16 }));
    expect(answer).toEqual({ status: "Accepted", data: { applied: true } });
    expect(sent).toEqual([{ vendorId, messageId: "SetLimits", data: '{"amperes":16}' }]);
  });

  test("sends what it is given and resolves with what the schema makes of the answer", async () => {
    const { connection, sent, settled } = sender({ status: "Accepted", data: '"7"' });
    const message = vendorMessage({ vendorId, req: z.string().transform(Number), conf: z3.string().transform(Number) });
    expect(await settled(callVendorMessage(connection, message, "5"))).toEqual({ status: "Accepted", data: 7 });
    expect(sent).toEqual([{ vendorId, data: '"5"' }]);
  });

  test("sends no data where there is none", async () => {
    const { connection, sent, settled } = sender({ status: "Accepted" });
    expect(await settled(callVendorMessage(connection, ping, undefined))).toEqual({ status: "Accepted" });
    expect(await settled(callVendorMessage(connection, only, undefined))).toEqual({ status: "Accepted" });
    expect(sent).toEqual([{ vendorId, messageId: "Ping" }, { vendorId: "org.example" }]);
  });

  test("sends text as it is", async () => {
    const { connection, sent, settled } = sender({ status: "Accepted", data: '"7"' });
    expect(await settled(callVendorMessage(connection, label, "a b"))).toEqual({ status: "Accepted", data: '"7"' });
    expect(sent).toEqual([{ vendorId, messageId: "Label", data: "a b" }]);
  });

  test.each(["UnknownVendorId", "UnknownMessageId"])(
    "resolves with %s, whose data says nothing [CORE-DT-05] [CORE-DT-06]",
    async (status) => {
      const { connection, settled } = sender({ status }, { status, data: "{" });
      for (let times = 0; times < 2; times++) {
        expect(await settled(callVendorMessage(connection, limits, { amperes: 16 }))).toEqual({ status });
      }
    },
  );

  test("resolves with a refusal, with data or without [CORE-DT-07]", async () => {
    const { connection, settled } = sender({ status: "Rejected" }, { status: "Rejected", data: '{"applied":false}' });
    expect(await settled(callVendorMessage(connection, limits, { amperes: 16 }))).toEqual({ status: "Rejected" });
    expect(await settled(callVendorMessage(connection, limits, { amperes: 16 }))).toEqual({
      status: "Rejected",
      data: { applied: false },
    });
  });

  test("takes the empty text of a refusal, which is no JSON, for no data", async () => {
    const { connection, settled } = sender({ status: "Rejected", data: "" });
    expect(await settled(callVendorMessage(connection, limits, { amperes: 16 }))).toEqual({ status: "Rejected" });
    expect(await settled(callVendorMessage(connection, label, "a b"))).toEqual({ status: "Rejected", data: "" });
  });

  test.each<[object, string]>([
    [
      { status: "Accepted", data: "SECRET" },
      "[FormationViolation] DataTransfer.conf: data is not JSON in com.example SetLimits.",
    ],
    [{ status: "Accepted" }, "[ProtocolError] DataTransfer.conf: data is missing in com.example SetLimits."],
    [
      { status: "Accepted", data: '{"applied":"SECRET"}' },
      "[PropertyConstraintViolation] DataTransfer.conf: data.applied does not fit the schema of com.example SetLimits.",
    ],
    [
      { status: "Rejected", data: "{}" },
      "[PropertyConstraintViolation] DataTransfer.conf: data.applied does not fit the schema of com.example SetLimits.",
    ],
  ])("rejects when the answer %j does not fit", async (conf, message) => {
    const { connection, settled } = sender(conf);
    const error = await settled(callVendorMessage(connection, limits, { amperes: 16 }));
    expect(error).toMatchObject({
      name: "PayloadError",
      origin: "remote",
      action: "DataTransfer",
      kind: "conf",
      message,
    });
    expect(error).not.toHaveProperty("cause");
  });

  test("rejects before anything is sent when the data does not fit, and says what the schema says", async () => {
    const { connection, sent, settled } = sender({ status: "Accepted" });
    expect(await settled(callVendorMessage(connection, limits, { amperes: "16" } as never))).toMatchObject({
      name: "PayloadError",
      origin: "local",
      kind: "req",
      description: "data.amperes does not fit the schema of com.example SetLimits.",
      cause: [{ message: expect.stringContaining("number"), path: ["amperes"] }],
    });
    expect(await settled(callVendorMessage(connection, ping, {} as never))).toMatchObject({
      name: "PayloadError",
      description: "data is not a part of com.example Ping.",
    });
    const anything = vendorMessage({ vendorId, format: "text", req: finding(undefined) as StandardSchema<string> });
    expect(await settled(callVendorMessage(connection, anything, 7 as never))).toMatchObject({
      name: "PayloadError",
      description: "data must be a string, not a number.",
    });
    expect(sent).toEqual([]);
  });

  test("waits for a schema that takes its time", async () => {
    const { connection, sent, settled } = sender({ status: "Accepted" });
    const slow = (issues?: readonly StandardIssue[]) => vendorMessage({ vendorId, req: finding(issues, true) });
    expect(await settled(callVendorMessage(connection, slow(), 7))).toEqual({ status: "Accepted" });
    expect(await settled(callVendorMessage(connection, slow([{ message: "no" }]), 7))).toMatchObject({
      name: "PayloadError",
    });
    expect(sent).toEqual([{ vendorId, data: "7" }]);
  });

  test("sends in the order of the calls, as long as schemas take no time", async () => {
    const { connection, sent, settled } = sender({ status: "Accepted" });
    const both = Promise.all([
      callVendorMessage(connection, only, 1),
      connection.call("DataTransfer", { vendorId: "second" }),
    ]);
    await settled(both);
    expect(sent).toEqual([{ vendorId: "org.example", data: "1" }, { vendorId: "second" }]);
  });

  test("passes the options on", async () => {
    const { connection, settled } = sender({ status: "Accepted" });
    const signal = { aborted: true, reason: "changed my mind", addEventListener() {}, removeEventListener() {} };
    expect(await settled(callVendorMessage(connection, ping, undefined, { signal }))).toBe("changed my mind");
  });
});
