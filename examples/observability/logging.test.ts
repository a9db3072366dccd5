import { CallError } from "@ocppj/core";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { type LogOptions, log } from "./logging.ts";
import { centralSystemOnFakeClock } from "./raw-charger.ts";

/** A Central System whose log is kept: what was written, and the lines of it without what pino adds to each. */
function logged(options: LogOptions = {}, level = "debug") {
  const { clock, centralSystem, connect } = centralSystemOnFakeClock();
  const written: string[] = [];
  const stream = { write: (text: string) => void written.push(text) };
  log(centralSystem, pino({ level, base: null, timestamp: false }, stream), options);
  const text = (): string => written.join("");
  const lines = (): Record<string, unknown>[] =>
    text()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  return { clock, centralSystem, connect, lines, text };
}

const [debug, info, warn, error] = [20, 30, 40, 50];
const key = "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF";

describe("log", () => {
  test("writes the life of a connection and each CALL as one line of fields", async () => {
    const { clock, centralSystem, connect, lines } = logged();
    const charger = connect();
    charger.send('[2,"1","Heartbeat",{}]');
    const conf = centralSystem.get("CP001")?.call("ClearCache", {});
    await clock.advance(250);
    charger.send('[3,"central-1",{"status":"Accepted"}]');
    await clock.advance(0);
    await conf;
    charger.close(1001, "moving");
    await clock.advance(0);
    const about = { identity: "CP001", generation: 1 };
    expect(lines()).toEqual([
      { level: info, ...about, msg: "connected" },
      {
        level: debug,
        ...about,
        direction: "in",
        action: "Heartbeat",
        messageId: "1",
        elapsedMs: 0,
        outcome: "CALLRESULT",
        msg: "call",
      },
      {
        level: debug,
        ...about,
        direction: "out",
        action: "ClearCache",
        messageId: "central-1",
        elapsedMs: 250,
        outcome: "CALLRESULT",
        msg: "call",
      },
      { level: info, ...about, code: 1001, reason: "moving", msg: "disconnected" },
    ]);
  });

  test("warns of CALLs that failed, and of those without an answer, with how long it was waited", async () => {
    const { clock, centralSystem, connect, lines } = logged();
    centralSystem.handle("Authorize", () => new Promise(() => {}));
    const charger = connect();
    charger.send('[2,"1","Authorize",{"idTag":"CARD"}]');
    charger.send('[2,"2","StatusNotification",{}]');
    await clock.advance(700);
    charger.drop();
    await clock.advance(0);
    const calls = lines().filter(({ msg }) => msg === "call");
    expect(calls).toEqual([
      expect.objectContaining({ level: warn, messageId: "2", outcome: "CALLERROR", errorCode: "NotSupported" }),
      expect.objectContaining({ level: warn, messageId: "1", outcome: "CLOSED", elapsedMs: 700 }),
    ]);
  });

  test("writes why a handshake was refused, what was tolerated, what a peer does wrong and what fails at home", async () => {
    const { clock, centralSystem, connect, lines } = logged();
    centralSystem.handle("Authorize", () => {
      throw new Error("no database");
    });
    centralSystem.emit("refused", {
      identity: "CP002",
      reason: "unauthorized",
      status: 401,
      message: "The password is wrong.",
      advice: "Give the right one.",
      remoteAddress: "192.0.2.1",
    });
    centralSystem.emit("tolerated", {
      identity: "CP002",
      generation: 7,
      quirk: "numbersAsText",
      id: "Q6",
      action: "MeterValues",
      path: "meterValue[0]",
      message: "It was a number.",
      received: 5,
    });
    const charger = connect();
    charger.send("nonsense");
    charger.send('[2,"1","Authorize",{"idTag":"CARD"}]');
    await clock.advance(0);
    expect(lines().filter(({ msg }) => msg !== "connected" && msg !== "call")).toEqual([
      {
        level: warn,
        identity: "CP002",
        reason: "unauthorized",
        remoteAddress: "192.0.2.1",
        status: 401,
        explanation: "The password is wrong.",
        advice: "Give the right one.",
        msg: "refused",
      },
      {
        level: info,
        identity: "CP002",
        generation: 7,
        quirk: "numbersAsText",
        action: "MeterValues",
        path: "meterValue[0]",
        explanation: "It was a number.",
        msg: "tolerated",
      },
      expect.objectContaining({ level: warn, identity: "CP001", generation: 1, reason: "not-json", msg: "violation" }),
      expect.objectContaining({
        level: error,
        identity: "CP001",
        action: "Authorize",
        err: expect.objectContaining({ message: "no database" }),
        msg: "fault",
      }),
    ]);
  });

  test("writes no payload unless it is asked for", async () => {
    const frame = '[2,"1","Heartbeat",{"secret":"where I charge"}]';
    for (const payloads of [false, true]) {
      const { clock, connect, text } = logged({ payloads });
      connect().send(frame);
      await clock.advance(0);
      expect(text().includes("where I charge")).toBe(payloads);
    }
  });

  test("writes payloads as texts, so that a peer cannot name fields of the log", async () => {
    const { clock, connect, lines } = logged({ payloads: true });
    connect().send('[2,"1","Heartbeat",{"level":60,"msg":"all is well","identity":"CP999","__proto__":{"a":1}}]');
    await clock.advance(0);
    const [line] = lines().filter(({ msg }) => msg === "call");
    expect(line).toMatchObject({ level: warn, identity: "CP001", outcome: "CALLERROR" });
    expect(line?.req).toBe('{"level":60,"msg":"all is well","identity":"CP999","__proto__":{"a":1}}');
  });

  test.each(["AuthorizationKey", "authorizationkey", "AUTHORIZATIONKEY"])(
    "never writes the value of %s, not even when the peer repeats it [SEC-A01-09]",
    async (name) => {
      const { clock, centralSystem, connect, lines, text } = logged({ payloads: true });
      const charger = connect();
      const connection = centralSystem.get("CP001");
      const set = () => connection?.call("ChangeConfiguration", { key: name, value: key }).catch(() => {});
      const sets = [set(), set()];
      const gets = connection?.call("GetConfiguration", {});
      await clock.advance(0);
      charger.send('[3,"central-1",{"status":"Accepted"}]');
      charger.send(`[4,"central-2","GenericError","${key} is too long",{"value":"${key}"}]`);
      const keys = [{ key: name, readonly: false, value: key }];
      charger.send(JSON.stringify([3, "central-3", { configurationKey: keys }]));
      charger.send(JSON.stringify([3, "central-3", { configurationKey: keys }, "too much"]));
      charger.send(JSON.stringify([2, "1", "ChangeConfiguration", { key: name, value: key }]));
      await clock.advance(0);
      await Promise.all([...sets, gets]);
      expect(text()).not.toContain(key);
      const calls = lines().filter(({ msg }) => msg === "call");
      expect(calls.map(({ req }) => req)).toEqual([
        `{"key":"${name}","value":"(redacted)"}`,
        `{"key":"${name}","value":"(redacted)"}`,
        "{}",
        `{"key":"${name}","value":"(redacted)"}`,
      ]);
      expect(calls.map(({ conf, errorCode }) => conf ?? errorCode)).toEqual([
        '{"status":"Accepted"}',
        "GenericError",
        `{"configurationKey":[{"key":"${name}","readonly":false,"value":"(redacted)"}]}`,
        "NotSupported",
      ]);
    },
  );

  test("writes no AuthorizationKey that comes back in the error of a handler [SEC-A01-09]", async () => {
    const { clock, centralSystem, connect, lines, text } = logged({ payloads: true });
    centralSystem.handle("Authorize", async (_, { connection }) => {
      await connection.call("ChangeConfiguration", { key: "AuthorizationKey", value: key });
      return { idTagInfo: { status: "Accepted" } };
    });
    const charger = connect();
    charger.send('[2,"1","Authorize",{"idTag":"CARD"}]');
    await clock.advance(0);
    charger.send(`[4,"central-1","GenericError","What is ${key}?",{}]`);
    await clock.advance(0);
    expect(text()).not.toContain(key);
    expect(lines().find(({ msg }) => msg === "fault")?.err).toEqual({
      type: "CallError",
      code: "GenericError",
      action: "ChangeConfiguration",
      messageId: "central-1",
    });
  });

  test("writes what a peer says of other errors, when payloads are asked for", async () => {
    const { clock, connect, centralSystem, lines } = logged({ payloads: true });
    centralSystem.handle("Authorize", () => {
      throw new CallError("SecurityError", "This card is stolen.", { details: { since: 2020 } });
    });
    connect().send('[2,"1","Authorize",{"idTag":"CARD"}]');
    await clock.advance(0);
    expect(lines().find(({ msg }) => msg === "call")?.error).toBe(
      '{"description":"This card is stolen.","details":{"since":2020}}',
    );
  });

  test("lets no peer begin a line, command a terminal or make lines as long as it likes", async () => {
    const { clock, connect, lines, text } = logged();
    const nasty = 'x\n{"level":60,"msg":"root logged in"}\r\n\u001b[2J\u0000"\\';
    const charger = connect(nasty);
    charger.send(JSON.stringify([2, nasty.slice(0, 36), nasty, {}]));
    charger.send(JSON.stringify([2, "2", "A".repeat(100_000), {}]));
    charger.send(JSON.stringify([2, "3", "Heartbeat", { ["B".repeat(100_000)]: nasty }]));
    charger.send(`[4,"${"C".repeat(100_000)}","x","",{}]`);
    charger.close(1000, nasty);
    await clock.advance(0);
    expect(lines().map(({ msg }) => msg)).toEqual([
      "connected",
      ...["violation", "call", "violation", "call", "violation", "call", "violation"],
      "disconnected",
    ]);
    for (const { identity } of lines()) expect(identity).toBe(nasty);
    expect(lines()[2]).toMatchObject({ messageId: nasty.slice(0, 36), action: nasty });
    expect(text().replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(
      Math.max(
        ...text()
          .split("\n")
          .map(({ length }) => length),
      ),
    ).toBeLessThan(600);
  });

  test("writes a payload that is nested too deeply to be written as such", async () => {
    const { clock, connect, lines } = logged({ payloads: true });
    connect().send(`[2,"1","Heartbeat",${"[".repeat(100_000)}${"]".repeat(100_000)}]`);
    await clock.advance(0);
    expect(lines().find(({ msg }) => msg === "call")?.req).toBe("nested too deeply");
  });

  test("leaves out what the level of the logger leaves out", async () => {
    const { clock, connect, lines } = logged({}, "info");
    const charger = connect();
    charger.send('[2,"1","Heartbeat",{}]');
    charger.send('[2,"2","Reset",{}]');
    await clock.advance(0);
    expect(lines().map(({ msg, messageId }) => messageId ?? msg)).toEqual(["connected", "violation", "2"]);
  });
});
