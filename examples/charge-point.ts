/*
 * A Charge Point with one connector, and one session from boot to the end of a transaction. On its own:
 *
 *   npx pnpm@10.34.8 --filter ./examples charge-point ws://127.0.0.1:9000/ocpp
 */
import { fileURLToPath } from "node:url";
import { Connection, type Req } from "@ocppj/core";
import { connect } from "@ocppj/node";
import { check, messageOf, within } from "./check.ts";
import { commandLine, fail } from "./program.ts";
import { complain, legend, narrate, Timeline } from "./timeline.ts";

export interface SessionOptions {
  /** The card that the driver presents. Default: `04E91C5A`. */
  readonly idTag?: string;
  /** Is told what happens, in words, before it happens. Default: nobody. */
  readonly narrate?: (what: string) => void;
}

/** What a session came to. */
export interface Session {
  readonly transactionId: number;
  readonly energyWh: number;
}

/** Opens the connection of a Charge Point. */
export async function openConnection(url: string, identity: string): Promise<Connection<"ChargePoint">> {
  const transport = await connect({ handshakeTimeoutMs: 5000 })({ url, identity });
  return new Connection(transport, { role: "ChargePoint", identity, timeoutMs: 5000 });
}

/**
 * Boots, charges, and stops when the Central System asks for it.
 *
 * @throws Error The Central System answered something else than the session needs.
 */
export async function runSession(
  connection: Connection<"ChargePoint">,
  options: SessionOptions = {},
): Promise<Session> {
  const { idTag = "04E91C5A", narrate = () => {} } = options;
  const connectorId = 1;
  const meterStart = 5000;
  const whPerMinute = 120;

  const report = async (status: Req<"StatusNotification">["status"], connector = connectorId): Promise<void> => {
    await connection.call("StatusNotification", { connectorId: connector, errorCode: "NoError", status });
  };

  narrate("The charge point boots.");
  const boot = await connection.call("BootNotification", {
    chargePointVendor: "VENDOR",
    chargePointModel: "CP001",
    chargePointSerialNumber: "CJ-12345ABCD",
    chargeBoxSerialNumber: "CJ-ABCD12345",
    firmwareVersion: "1.1",
    iccid: "1",
    imsi: "1",
    meterType: "dual-socket",
    meterSerialNumber: "CJ-ABC123ABC",
  });
  check("The status in BootNotification.conf", boot.status, "Accepted");
  check("That the interval in BootNotification.conf is positive", boot.interval > 0, true);
  await report("Available", 0);
  await report("Available");
  const heartbeat = await connection.call("Heartbeat", {});
  const clockAdvances = Date.parse(heartbeat.currentTime) >= Date.parse(boot.currentTime);
  check("That the clock of the central system does not run backwards", clockAdvances, true);

  narrate("A driver plugs in and presents a card.");
  await report("Preparing");
  const authorized = await connection.call("Authorize", { idTag });
  check(`The status of card ${idTag} in Authorize.conf`, authorized.idTagInfo.status, "Accepted");

  // The clock of this session: a minute passes between two readings, and nobody waits for it. It ends now.
  const readings = 3;
  const startedAt = Date.now() - readings * 60_000;
  const atMinute = (minute: number): string => new Date(startedAt + minute * 60_000).toISOString();
  const meterAt = (minute: number): number => meterStart + minute * whPerMinute;

  const started = await connection.call("StartTransaction", {
    connectorId,
    idTag,
    meterStart: meterAt(0),
    timestamp: atMinute(0),
  });
  const { transactionId } = started;
  check(`The status of card ${idTag} in StartTransaction.conf`, started.idTagInfo.status, "Accepted");

  const stopRequested = new Promise<void>((resolve) => {
    connection.handle("RemoteStopTransaction", (req, { answered }) => {
      if (req.transactionId !== transactionId) return { status: "Rejected" };
      narrate("The central system asks to stop.");
      void answered.then(() => resolve()); // What follows must not overtake the answer.
      return { status: "Accepted" };
    });
  });
  await report("Charging");

  narrate("The car charges; a minute passes between readings, in no time here.");
  for (let minute = 1; minute <= readings; minute++) {
    await connection.call("MeterValues", {
      connectorId,
      transactionId,
      meterValue: [
        {
          timestamp: atMinute(minute),
          sampledValue: [
            { value: String(meterAt(minute)), measurand: "Energy.Active.Import.Register", unit: "Wh" },
            { value: String(whPerMinute * 60), measurand: "Power.Active.Import", unit: "W" },
          ],
        },
      ],
    });
  }

  await within(5000, stopRequested, "No RemoteStopTransaction arrived");
  const stopped = await connection.call("StopTransaction", {
    transactionId,
    meterStop: meterAt(readings),
    timestamp: atMinute(readings),
    reason: "Remote",
  });
  check("The status in StopTransaction.conf", stopped.idTagInfo?.status ?? "Accepted", "Accepted");
  await report("Finishing");

  narrate("The driver unplugs.");
  await report("Available");
  return { transactionId, energyWh: meterAt(readings) - meterStart };
}

async function main(): Promise<void> {
  const { values, positionals } = commandLine({
    about: "A charger with one connector, and one session from boot to the end of a transaction.",
    call: "charge-point [ws://127.0.0.1:9000/ocpp]",
    options: {
      identity: { type: "string", default: "CP001", help: "who it is" },
      "id-tag": { type: "string", default: "04E91C5A", help: "the card that the driver presents" },
      verbose: { type: "boolean", default: false, help: "prints the frames, too" },
    },
  });
  const [url = "ws://127.0.0.1:9000/ocpp"] = positionals;
  const connection = await openConnection(url, values.identity);
  narrate(`${values.identity} has connected to ${url}`);
  legend();
  new Timeline({ verbose: values.verbose }).follow(connection);
  connection.on("violation", ({ message }) => complain(message));
  connection.on("fault", ({ error }) => complain(messageOf(error)));
  try {
    const { energyWh } = await runSession(connection, { idTag: values["id-tag"], narrate });
    narrate(`The session is over: ${energyWh} Wh were charged.`);
  } finally {
    connection.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch(fail);
}
