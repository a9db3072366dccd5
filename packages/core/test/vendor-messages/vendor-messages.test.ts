import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import {
  CallError,
  type CallFrame,
  Connection,
  type ConnectionEvents,
  callVendorMessage,
  type Role,
  type StandardSchema,
  VendorMessages,
  vendorMessage,
} from "../../src/index.ts";
import { rawPeer } from "../connection/raw-peer.ts";
import { finding, label, limits, only, ping, vendorId } from "./vocabulary.ts";

/** A connection that answers vendor messages; `ask` sends a DataTransfer and returns what is answered. */
function receiver() {
  const vendorMessages = new VendorMessages<"CentralSystem">();
  const peer = rawPeer("CentralSystem");
  peer.connection.handle("DataTransfer", vendorMessages.answer);
  let ids = 0;
  const ask = async (req: object): Promise<unknown> => {
    await peer.send(JSON.stringify([2, `${++ids}`, "DataTransfer", req]));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    const [type, , ...rest] = peer.arrived.at(-1) as unknown[];
    return type === 3 ? rest[0] : rest;
  };
  return { ...peer, vendorMessages, ask };
}

describe("VendorMessages", () => {
  test("gives the handler the parsed data, and sends its answer as one string [CORE-DT-04] [CORE-DT-07]", async () => {
    const { vendorMessages, ask } = receiver();
    const handler = vi.fn(() => ({ status: "Accepted" as const, data: { applied: true } }));
    vendorMessages.handle(limits, handler);
    expect(await ask({ vendorId, messageId: "SetLimits", data: '{"amperes":16}' })).toEqual({
      status: "Accepted",
      data: '{"applied":true}',
    });
    expect(handler).toHaveBeenCalledExactlyOnceWith({ amperes: 16 }, expect.objectContaining({ messageId: "1" }));
  });

  test("gives the handler what the schema makes of the data", async () => {
    const { vendorMessages, ask } = receiver();
    const sum = vendorMessage({ vendorId, req: z.array(z.number()).transform((all) => all.length), conf: z.number() });
    vendorMessages.handle(sum, (count) => ({ status: "Accepted", data: count }));
    expect(await ask({ vendorId, data: "[4,5,6]" })).toEqual({ status: "Accepted", data: "3" });
  });

  test.each([
    ["com.EXAMPLE", "setlimits"],
    ["COM.example", "SETLIMITS"],
  ])("knows %s %s: case does not matter [CORE-IDT-06]", async (vendorId, messageId) => {
    const { vendorMessages, ask } = receiver();
    vendorMessages.handle(limits, () => ({ status: "Rejected" }));
    expect(await ask({ vendorId, messageId, data: '{"amperes":16}' })).toEqual({ status: "Rejected" });
  });

  test("answers an unknown vendor with UnknownVendorId and no data [CORE-DT-05]", async () => {
    const { vendorMessages, ask } = receiver();
    expect(await ask({ vendorId })).toEqual({ status: "UnknownVendorId" });
    vendorMessages.handle(limits, () => ({ status: "Rejected" }));
    expect(await ask({ vendorId: "org.example", messageId: "SetLimits", data: "{" })).toEqual({
      status: "UnknownVendorId",
    });
    expect(await ask({ vendorId: "__proto__", messageId: "toString" })).toEqual({ status: "UnknownVendorId" });
  });

  test.each([{ messageId: "GetLimits" }, { messageId: "toString" }, {}])(
    "answers the unknown message %j of a known vendor with UnknownMessageId and no data [CORE-DT-06]",
    async (message) => {
      const { vendorMessages, ask } = receiver();
      vendorMessages.handle(limits, () => ({ status: "Rejected" }));
      expect(await ask({ vendorId, ...message, data: "{" })).toEqual({ status: "UnknownMessageId" });
    },
  );

  test("knows a message without a messageId [CORE-DT-03]", async () => {
    const { vendorMessages, ask } = receiver();
    vendorMessages.handle(only, (data) => ({ status: "Accepted", data: (data ?? 0) + 1 }));
    expect(await ask({ vendorId: "org.example", data: "6" })).toEqual({ status: "Accepted", data: "7" });
    expect(await ask({ vendorId: "org.example", messageId: "Other" })).toEqual({ status: "UnknownMessageId" });
  });

  test("carries no data where nothing is said [CORE-DT-04]", async () => {
    const { vendorMessages, ask } = receiver();
    vendorMessages.handle(ping, (data) => ({ status: data === undefined ? "Accepted" : "Rejected" }));
    vendorMessages.handle(only, (data) => ({ status: data === undefined ? "Accepted" : "Rejected" }));
    expect(await ask({ vendorId, messageId: "Ping" })).toEqual({ status: "Accepted" });
    expect(await ask({ vendorId: "org.example" })).toEqual({ status: "Accepted" });
  });

  test("takes an empty text, which is no JSON, for no data", async () => {
    const { vendorMessages, ask } = receiver();
    vendorMessages.handle(ping, () => ({ status: "Accepted" }));
    vendorMessages.handle(only, (data) => ({ status: data === undefined ? "Accepted" : "Rejected" }));
    expect(await ask({ vendorId, messageId: "Ping", data: "" })).toEqual({ status: "Accepted" });
    expect(await ask({ vendorId: "org.example", data: "" })).toEqual({ status: "Accepted" });
  });

  test("passes text on as it is, quotes, blanks and all", async () => {
    const { vendorMessages, ask } = receiver();
    vendorMessages.handle(label, (text) => ({ status: "Accepted", data: `${text}!` }));
    for (const data of ["plain text", '"quoted"', "", " {", "\n"]) {
      expect(await ask({ vendorId, messageId: "Label", data })).toEqual({ status: "Accepted", data: `${data}!` });
    }
  });

  test.each<[string, string | undefined, string, string]>([
    ["is not JSON", '{"amperes":SECRET', "FormationViolation", "data is not JSON in com.example SetLimits."],
    ["is missing", undefined, "ProtocolError", "data is missing in com.example SetLimits."],
    [
      "does not fit the schema",
      '{"amperes":"SECRET"}',
      "PropertyConstraintViolation",
      "data.amperes does not fit the schema of com.example SetLimits.",
    ],
    [
      "does not fit the schema in several places",
      '{"amperes":"SECRET","phases":["SECRET",1]}',
      "PropertyConstraintViolation",
      "data.amperes does not fit the schema of com.example SetLimits; " +
        "data.phases[1] does not fit the schema of com.example SetLimits.",
    ],
    [
      "is JSON of another kind",
      '"SECRET"',
      "PropertyConstraintViolation",
      "data does not fit the schema of com.example SetLimits.",
    ],
  ])(
    "answers data that %s with a CALLERROR that repeats nothing of it [CORE-DT-07] [trap 15]",
    async (_, data, code, description) => {
      const { vendorMessages, ask, events } = receiver();
      const handler = vi.fn(() => ({ status: "Rejected" as const }));
      vendorMessages.handle(limits, handler);
      expect(await ask({ vendorId, messageId: "SetLimits", data })).toEqual([code, description, {}]);
      expect(handler).not.toHaveBeenCalled();
      expect(events.fault).toEqual([]);
    },
  );

  test("answers data where none was agreed upon with a CALLERROR", async () => {
    const { vendorMessages, ask } = receiver();
    vendorMessages.handle(ping, () => ({ status: "Accepted" }));
    expect(await ask({ vendorId, messageId: "Ping", data: "SECRET" })).toEqual([
      "FormationViolation",
      "data is not a part of com.example Ping.",
      {},
    ]);
  });

  test("says nothing that a schema says, and cuts what is long [trap 15]", async () => {
    const { vendorMessages, ask } = receiver();
    const path = Array.from({ length: 1000 }, (_, at) => (at % 2 === 0 ? at : { key: `x"${"y".repeat(1000)}` }));
    const issues = Array.from({ length: 1000 }, () => ({ message: "got SECRET", path }));
    vendorMessages.handle(vendorMessage({ vendorId, req: finding(issues) }), () => ({ status: "Accepted" }));
    const [code, description] = (await ask({ vendorId, data: '"SECRET"' })) as [string, string];
    expect(code).toBe("PropertyConstraintViolation");
    expect(description).toContain('data[0]."x?yyy');
    expect(description).not.toContain("SECRET");
    expect(description.split("; ")).toHaveLength(5);
    expect(description.length).toBeLessThan(2000);
  });

  test("takes a failure without a place for one of the whole", async () => {
    const { vendorMessages, ask } = receiver();
    vendorMessages.handle(vendorMessage({ vendorId, req: finding([]) }), () => ({ status: "Accepted" }));
    expect(await ask({ vendorId, data: "1" })).toEqual([
      "PropertyConstraintViolation",
      "data does not fit the schema of com.example.",
      {},
    ]);
  });

  test("waits for a schema that takes its time", async () => {
    const { vendorMessages, ask } = receiver();
    const slow = vendorMessage({
      vendorId,
      req: z.number().refine(async (number) => number > 1),
      conf: finding(undefined, true),
    });
    vendorMessages.handle(slow, async (data) => ({ status: "Accepted", data }));
    expect(await ask({ vendorId, data: "2" })).toEqual({ status: "Accepted", data: "2" });
    expect(await ask({ vendorId, data: "1" })).toEqual(["PropertyConstraintViolation", expect.any(String), {}]);
  });

  test("rejects with data, or without", async () => {
    const { vendorMessages, ask } = receiver();
    const data = { applied: false };
    vendorMessages.handle(limits, ({ amperes }) =>
      amperes > 32 ? { status: "Rejected", data } : { status: "Rejected" },
    );
    expect(await ask({ vendorId, messageId: "SetLimits", data: '{"amperes":33}' })).toEqual({
      status: "Rejected",
      data: '{"applied":false}',
    });
    expect(await ask({ vendorId, messageId: "SetLimits", data: '{"amperes":1}' })).toEqual({ status: "Rejected" });
  });

  test.each<[string, object]>([
    ["does not fit", { status: "Accepted", data: { applied: 1 } }],
    ["is missing", { status: "Accepted" }],
    ["does not fit a refusal", { status: "Rejected", data: {} }],
  ])("answers InternalError when the handler's data %s, and tells the owner", async (_, answer) => {
    const { vendorMessages, ask, events } = receiver();
    vendorMessages.handle(limits, () => answer as never);
    expect(await ask({ vendorId, messageId: "SetLimits", data: '{"amperes":16}' })).toEqual([
      "InternalError",
      expect.any(String),
      {},
    ]);
    expect(events.fault).toMatchObject([{ action: "DataTransfer", error: { name: "PayloadError", origin: "local" } }]);
  });

  test("lets a handler answer with a CALLERROR, and tells the owner what else goes wrong", async () => {
    const { vendorMessages, ask, events } = receiver();
    const failure = new Error("SECRET");
    vendorMessages.handle(ping, () => {
      throw new CallError("SecurityError", "not you");
    });
    vendorMessages.handle(only, () => Promise.reject(failure));
    const broken: StandardSchema = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: () => {
          throw failure;
        },
      },
    };
    vendorMessages.handle(vendorMessage({ vendorId: "net.example", req: broken }), () => ({ status: "Accepted" }));
    expect(await ask({ vendorId, messageId: "Ping" })).toEqual(["SecurityError", "not you", {}]);
    expect(events.fault).toEqual([]);
    for (const vendorId of ["org.example", "net.example"]) {
      expect(await ask({ vendorId })).toEqual(["InternalError", expect.not.stringContaining("SECRET"), {}]);
    }
    expect(events.fault).toEqual([
      { error: failure, action: "DataTransfer" },
      { error: failure, action: "DataTransfer" },
    ]);
  });

  test("has one handler for each message [CORE-DT-02]", () => {
    const { vendorMessages } = receiver();
    vendorMessages.handle(limits, () => ({ status: "Rejected" }));
    const same = vendorMessage({ vendorId: "COM.example", messageId: "setLimits" });
    expect(() => vendorMessages.handle(same, () => ({ status: "Accepted" }))).toThrow(
      new TypeError("There already is a handler for COM.example setLimits."),
    );
    vendorMessages.handle(vendorMessage({ vendorId }), () => ({ status: "Accepted" }));
    expect(() => vendorMessages.handle(vendorMessage({ vendorId }), () => ({ status: "Accepted" }))).toThrow(
      new TypeError("There already is a handler for com.example."),
    );
  });
});

describe("Vendor messages between the two roles", () => {
  test.each<[Role, Role]>([
    ["ChargePoint", "CentralSystem"],
    ["CentralSystem", "ChargePoint"],
  ])("go from the %s to the %s, each written once, and parsed once at either end [CORE-DT-04]", async (from, to) => {
    const clock = new FakeClock();
    const link = transportPair(clock);
    const ends = { ChargePoint: link.chargePoint, CentralSystem: link.centralSystem };
    const near = new Connection(ends[from], { role: from, identity: "CP001", clock });
    const far = new Connection(ends[to], { role: to, identity: "CP001", clock });
    const vendorMessages = new VendorMessages<Role>();
    vendorMessages.handle(limits, ({ amperes }) => ({ status: "Accepted", data: { applied: amperes === 16 } }));
    far.handle("DataTransfer", vendorMessages.answer as never);
    const frames: ConnectionEvents["message"][0]["frame"][] = [];
    far.on("message", ({ frame }) => frames.push(frame));
    const parse = vi.spyOn(JSON, "parse");
    const stringify = vi.spyOn(JSON, "stringify");
    const answer = callVendorMessage(near as Connection<"ChargePoint">, limits, { amperes: 16 });
    await clock.advance(0);
    expect(await answer).toEqual({ status: "Accepted", data: { applied: true } });
    expect((frames[0] as CallFrame).payload).toMatchObject({ data: '{"amperes":16}' });
    expect(parse.mock.calls.filter(([text]) => text.startsWith("{")).map(([text]) => text)).toEqual([
      '{"amperes":16}',
      '{"amperes":16}',
      '{"applied":true}',
      '{"applied":true}',
    ]);
    const written = stringify.mock.calls.map(([value]) => value).filter((value) => !Array.isArray(value));
    expect(written).toEqual([{ amperes: 16 }, { applied: true }]);
    vi.restoreAllMocks();
  });
});
