import type { Connection } from "@ocppj/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openConnection } from "./charge-point.ts";
import { runDemo } from "./demo.ts";
import { Program } from "./test-program.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** The exchanges in an output: arrow and action of each, in order. */
const exchangesIn = (output: string): string[] =>
  [...output.matchAll(/^ {2}(?:CP001 {2})?([→←✗]) ([A-Z]\w+) +(?:[\d.]+ ms|not sent) /gm)].map(
    ([, arrow, action]) => `${arrow} ${action}`,
  );

const session = [
  "→ BootNotification",
  "→ StatusNotification",
  "→ StatusNotification",
  "→ Heartbeat",
  "→ StatusNotification",
  "→ Authorize",
  "→ StartTransaction",
  "→ StatusNotification",
  "→ MeterValues",
  "→ MeterValues",
  "→ MeterValues",
  "← RemoteStopTransaction",
  "→ StopTransaction",
  "→ StatusNotification",
  "→ StatusNotification",
];

describe("demo", { timeout: 30_000 }, () => {
  it("shows a session and two mistakes, in order, and exits with 0", async () => {
    const demo = new Program("demo.ts");

    expect(await demo.exitCode).toBe(0);
    expect(demo.stderr).toBe("");
    expect(exchangesIn(demo.stdout)).toEqual([...session, "✗ Authorize", "→ Authorize"]);
  });

  it("shows what matters of the payloads", async () => {
    const demo = new Program("demo.ts");

    await demo.exitCode;
    for (const [name, value] of Object.entries(bootNotification)) {
      expect(demo.stdout).toMatch(new RegExp(`${name} +${value}\\b`));
    }
    for (const status of ["Preparing", "Charging", "Finishing", "Available"]) {
      expect(demo.stdout).toContain(`connector 1 is ${status} ✓`);
    }
    expect(demo.stdout).toContain("✓ Accepted, heartbeat every 300 s");
    expect(demo.stdout).toContain("card 04E91C5A, 5000 Wh ✓ transaction 1");
    expect(demo.stdout).toContain("5360 Wh, 7200 W ✓");
    expect(demo.stdout).toContain("transaction 1, 5360 Wh, Remote ✓");
    expect(demo.stdout).toContain("PayloadError [PropertyConstraintViolation]");
    expect(demo.stdout).toContain("✗ PropertyConstraintViolation");
    expect(demo.stdout).toContain("All of this is as it should be.");
  });

  it("prints no control characters into a pipe, and no line but frames wider than 80 characters", async () => {
    const demo = new Program("demo.ts");

    await demo.exitCode;
    expect(demo.stdout.match(/(?!\n)\p{Cc}/gu)).toBeNull();
    for (const line of demo.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("prints both frames of every exchange with --verbose", async () => {
    const demo = new Program("demo.ts", ["--verbose"]);

    expect(await demo.exitCode).toBe(0);
    const frames = demo.stdout.split("\n").filter((line) => /^ {6}\[[234],/.test(line));
    const parsed = frames.map((line) => JSON.parse(line) as [type: number, messageId: string, ...rest: unknown[]]);
    expect(parsed.map(([type]) => type).join("")).toBe(`${"23".repeat(session.length)}24`);
    for (let index = 0; index < parsed.length; index += 2) expect(parsed[index + 1]?.[1]).toBe(parsed[index]?.[1]);
    expect(parsed[0]?.slice(2)).toEqual(["BootNotification", bootNotification]);
  });

  it("says what is wrong and exits with 1 when the central system refuses the card", async () => {
    const demo = new Program("demo.ts", ["--id-tag", "UNKNOWN"]);

    expect(await demo.exitCode).toBe(1);
    expect(demo.stderr.replaceAll(/\s+/g, " ")).toContain(
      'The demo failed: The status of card UNKNOWN in Authorize.conf is "Invalid"; it should be "Accepted".',
    );
    expect(demo.stdout).not.toContain("StartTransaction");
    expect(demo.stdout).not.toContain("as it should be.\n");
  });

  const currentTime = "2026-01-01T00:00:00Z";
  const accepted = { status: "Accepted" } as const;
  const wrongAnswers: Record<string, [string, (connection: Connection<"CentralSystem">) => void]> = {
    "a rejected boot": [
      'The status in BootNotification.conf is "Rejected"',
      (connection) => connection.handle("BootNotification", () => ({ status: "Rejected", currentTime, interval: 300 })),
    ],
    "no heartbeat interval": [
      "That the interval in BootNotification.conf is positive is false",
      (connection) => connection.handle("BootNotification", () => ({ ...accepted, currentTime, interval: 0 })),
    ],
    "a clock that runs backwards": [
      "the clock of the central system does not run backwards is false",
      (connection) => connection.handle("Heartbeat", () => ({ currentTime })),
    ],
    "a concurrent transaction": [
      'The status of card 04E91C5A in StartTransaction.conf is "ConcurrentTx"',
      (connection) =>
        connection.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "ConcurrentTx" } })),
    ],
    "a transaction that is recorded nowhere": [
      "The energy that the central system has recorded is undefined",
      (connection) => {
        connection.handle("StartTransaction", () => ({ transactionId: 7, idTagInfo: accepted }));
        connection.handle("MeterValues", (_, { answered }) => {
          void answered.then(() => connection.call("RemoteStopTransaction", { transactionId: 7 }));
          return {};
        });
      },
    ],
    "a blocked card at the end": [
      'The status in StopTransaction.conf is "Blocked"',
      (connection) => connection.handle("StopTransaction", () => ({ idTagInfo: { status: "Blocked" } })),
    ],
    "a handler that throws": [
      "[InternalError]",
      (connection) =>
        connection.handle("Heartbeat", () => {
          throw new Error("no clock");
        }),
    ],
    "an answer of the wrong shape": [
      "[InternalError]",
      (connection) => connection.handle("Authorize", () => ({}) as never),
    ],
  };

  it.each(Object.entries(wrongAnswers))("fails after %s", async (_, [sentence, misbehave]) => {
    vi.spyOn(console, "log").mockReturnValue();
    const demo = runDemo({
      prepare: (centralSystem) => centralSystem.on("connected", ({ connection }) => misbehave(connection)),
    });

    await expect(demo).rejects.toThrow(sentence);
  });
});

describe("central-system and charge-point", { timeout: 30_000 }, () => {
  it("hold the same session as two programs, and end with 0", async () => {
    const centralSystem = new Program("central-system.ts", ["--port", "0"]);
    const [url] = await centralSystem.said(/ws:\/\/\S+/);
    const chargePoint = new Program("charge-point.ts", [url]);

    expect(await chargePoint.exitCode).toBe(0);
    expect(exchangesIn(chargePoint.stdout)).toEqual(session);
    expect(chargePoint.stdout).toContain("The session is over: 360 Wh were charged.");

    await centralSystem.said(/CP001 has disconnected \(code 1000\)/);
    expect(exchangesIn(centralSystem.stdout)).toEqual(session);

    centralSystem.signal("SIGINT");
    expect(await centralSystem.exitCode).toBe(0);
    expect([chargePoint.stderr, centralSystem.stderr]).toEqual(["", ""]);
  });

  it("ends with 0 when it is interrupted, and closes what is connected with 1001", async () => {
    const centralSystem = new Program("central-system.ts", ["--port", "0"]);
    const [url] = await centralSystem.said(/ws:\/\/\S+/);
    const connection = await openConnection(url, "CP003");
    const closed = new Promise((resolve) => connection.once("closed", resolve));
    await centralSystem.said(/CP003 has connected/);

    centralSystem.signal("SIGINT");
    expect(await closed).toMatchObject({ code: 1001 });
    expect(await centralSystem.exitCode).toBe(0);
    expect(centralSystem.stdout).toContain("CP003 has disconnected");
  });

  it("ends with 1 and a sentence when nobody listens", async () => {
    const chargePoint = new Program("charge-point.ts", ["ws://127.0.0.1:1/ocpp"]);

    expect(await chargePoint.exitCode).toBe(1);
    expect(chargePoint.stderr).toContain("ws://127.0.0.1:1/ocpp/CP001");
    expect(chargePoint.stderr).not.toContain("    at ");
  });

  it("ends with 1 when the central system refuses the card", async () => {
    const centralSystem = new Program("central-system.ts", ["--port", "0"]);
    const [url] = await centralSystem.said(/ws:\/\/\S+/);
    const chargePoint = new Program("charge-point.ts", [url, "--id-tag", "UNKNOWN"]);

    expect(await chargePoint.exitCode).toBe(1);
    expect(chargePoint.stderr).toContain("The status of card UNKNOWN in Authorize.conf");
  });
});

/** The fields of a BootNotification, each with the value that the demo sends. */
const bootNotification = {
  chargePointVendor: "VENDOR",
  chargePointModel: "CP001",
  chargePointSerialNumber: "CJ-12345ABCD",
  chargeBoxSerialNumber: "CJ-ABCD12345",
  firmwareVersion: "1.1",
  iccid: "1",
  imsi: "1",
  meterType: "dual-socket",
  meterSerialNumber: "CJ-ABC123ABC",
};
