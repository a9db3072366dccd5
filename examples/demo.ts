/*
 * A Central System and a Charge Point hold a session over a real WebSocket:
 *
 *   npx pnpm@10.34.8 demo [--verbose] [--back-end]
 */
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { type CallFrame, type CentralSystem, type Connection, decode, encode, PayloadError } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";
import { createCentralSystem, type Transaction } from "./central-system.ts";
import { openConnection, runSession } from "./charge-point.ts";
import { check, messageOf, within } from "./check.ts";
import { commandLine, fail } from "./program.ts";
import { type Exchange, legend, narrate, note, Timeline } from "./timeline.ts";

export interface DemoOptions {
  /** Whether the frames are printed, too. Default false. */
  readonly verbose?: boolean;
  /** The card that the driver presents. Default: one that the Central System knows. */
  readonly idTag?: string;
  /** Is given the Central System before anybody connects. Default: does nothing. */
  readonly prepare?: (centralSystem: CentralSystem) => void;
}

/**
 * Runs a session and two mistakes, and prints every exchange.
 *
 * @throws Error Something is not as it should be.
 */
export async function runDemo({ verbose = false, idTag, prepare }: DemoOptions = {}): Promise<void> {
  const startedAt = performance.now();
  const timeline = new Timeline({ verbose });
  const transactions = new Map<number, Transaction>();
  const problems: string[] = [];

  const centralSystem = createCentralSystem({
    transactions,
    registrations: new Map([["CP002", "Accepted"]]), // It has booted before.
  });
  centralSystem.on("connected", ({ connection }) => timeline.follow(connection, "own"));
  centralSystem.on("fault", ({ error }) => problems.push(messageOf(error)));
  prepare?.(centralSystem);
  const listener = await listen(centralSystem, { path: "/ocpp" });
  try {
    narrate(`CP001 connects to a central system at ${listener.url}`);
    legend();
    const connection = await openConnection(listener.url, "CP001");
    timeline.follow(connection, "own");
    connection.on("violation", ({ message }) => problems.push(message));
    connection.on("fault", ({ error }) => problems.push(messageOf(error)));

    const { transactionId, energyWh } = await runSession(connection, {
      narrate,
      ...(idTag !== undefined && { idTag }),
    });
    const recorded = transactions.get(transactionId);
    check("The energy that the central system has recorded", recorded && energyOf(recorded), energyWh);
    check("The reason that the central system has recorded", recorded?.reason, "Remote");

    await makeMistakes(connection, listener.url, timeline);
    connection.close();

    const actions = timeline.exchanges.map(({ call }) => call.action);
    check("The order of the exchanges", actions.join(), expectedActions.join());
    check("What went wrong behind the scenes", problems.join(" "), "");
    narrate("All of this is as it should be.");
    for (const line of summary(timeline.exchanges, energyWh, performance.now() - startedAt)) note(line);
  } finally {
    await listener.close();
  }
}

const expectedActions = [
  ...["BootNotification", "StatusNotification", "StatusNotification", "Heartbeat"],
  ...["StatusNotification", "Authorize", "StartTransaction", "StatusNotification"],
  ...["MeterValues", "MeterValues", "MeterValues"],
  ...["RemoteStopTransaction", "StopTransaction", "StatusNotification", "StatusNotification"],
  "Authorize",
];

/** The same mistake at an end that checks what it sends, and at one that does not. */
async function makeMistakes(connection: Connection<"ChargePoint">, url: string, timeline: Timeline): Promise<void> {
  const idTag = "AN-IDTAG-OF-22-LETTERS";

  narrate("CP001 makes a mistake: an idTag has at most 20 characters.");
  const refusal: unknown = await connection.call("Authorize", { idTag }).catch((error: unknown) => error);
  if (!(refusal instanceof PayloadError)) throw new Error("CP001 did not refuse an idTag of 22 characters.");
  check("The origin of the invalid payload", refusal.origin, "local");
  check("The code of the invalid payload", refusal.code, "PropertyConstraintViolation");
  timeline.refused("CP001", "Authorize", refusal);

  narrate("CP002, which does not check what it sends, makes the same mistake.");
  const call: CallFrame = { type: "CALL", messageId: "mistake-1", action: "Authorize", payload: { idTag } };
  const exchange = await within(5000, callUnchecked(url, "CP002", call), "CP002 got no answer");
  timeline.add(exchange);
  const { answer } = exchange;
  check("The answer to CP002", answer.type, "CALLERROR");
  check("The error code", answer.type === "CALLERROR" && answer.errorCode, "PropertyConstraintViolation");
}

/** Sends a CALL over a transport without a connection, which would have checked it, and waits for the answer. */
async function callUnchecked(url: string, identity: string, call: CallFrame): Promise<Exchange> {
  const transport = await connect()({ url, identity });
  const sentAt = performance.now();
  const answer = await new Promise<ReturnType<typeof decode>>((resolve, reject) => {
    transport.listen({
      message: (text) => resolve(decode(text)),
      close: (code) => reject(new Error(`${identity} was disconnected (code ${code}) instead of answered.`)),
    });
    transport.send(encode(call));
  });
  const elapsedMs = performance.now() - sentAt;
  transport.close();
  if (answer.type === "CALL" || answer.type === "MALFORMED") {
    throw new Error(`${identity} got a ${answer.type} for an answer.`);
  }
  return { caller: "ChargePoint", identity, call, answer, elapsedMs };
}

const energyOf = ({ meterStart, meterStop = meterStart }: Transaction): number => meterStop - meterStart;

function summary(exchanges: readonly Exchange[], energyWh: number, elapsedMs: number): string[] {
  const roundTrips = exchanges.map(({ elapsedMs }) => elapsedMs).sort((a, b) => a - b);
  const median = roundTrips[Math.floor(roundTrips.length / 2)] ?? 0;
  const slowest = roundTrips.at(-1) ?? 0;
  return [
    `${exchanges.length} exchanges in ${elapsedMs.toFixed(0)} ms, round trips ${median.toFixed(1)} ms in the median, ${slowest.toFixed(1)} ms at most`,
    `${energyWh} Wh charged, 2 mistakes caught, 1 of them before it was sent`,
  ];
}

async function main(): Promise<void> {
  const { values } = commandLine({
    about: "A central system and a charger hold a session over a WebSocket.",
    call: "demo",
    options: {
      verbose: { type: "boolean", default: false, help: "prints the frames, too" },
      "id-tag": { type: "string", help: "the card that the driver presents" },
      "back-end": { type: "boolean", default: false, help: "with a back end, more chargers and a page, until Ctrl-C" },
    },
  });
  const { verbose, "id-tag": idTag, "back-end": backEnd } = values;
  const options = { verbose, ...(idTag !== undefined && { idTag }) };
  try {
    const run = backEnd ? (await import("./back-end/demo.ts")).runBackEndDemo : runDemo;
    await run(options);
  } catch (error) {
    throw new Error(`The demo failed: ${messageOf(error)}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch(fail);
}
