/*
 * A Central System for the session of charge-point.ts. On its own:
 *
 *   npx pnpm@10.34.8 --filter ./examples central-system --port 9000
 */
import { fileURLToPath } from "node:url";
import { CentralSystem, type Conf, type Connection, type Registrations, type Req } from "@ocppj/core";
import { listen } from "@ocppj/node";
import { messageOf } from "./check.ts";
import { commandLine, fail, whenAskedToEnd, wholeNumber } from "./program.ts";
import { describedRefusal } from "./refusal.ts";
import { complain, legend, narrate, Timeline } from "./timeline.ts";

/** What the Central System knows of a transaction. */
export interface Transaction {
  readonly identity: string;
  readonly idTag: string;
  /** Wh. */
  readonly meterStart: number;
  /** Wh; absent while energy flows. */
  meterStop?: number;
  reason?: string;
  /** Whether the Charge Point was asked to stop. */
  stopRequested?: boolean;
}

export interface ExampleOptions {
  /** The cards that may charge. Default: `04E91C5A`. */
  readonly idTags?: readonly string[];
  /** How much energy a driver wants, in Wh: with more delivered, the Charge Point is asked to stop. Default 360. */
  readonly energyWh?: number;
  /** Where transactions are kept, by `transactionId`. Default: in a new map. */
  readonly transactions?: Map<number, Transaction>;
  /** Which Charge Points are accepted already. Default: none. */
  readonly registrations?: Registrations;
}

/** Makes a Central System that accepts every Charge Point and lets known cards charge. */
export function createCentralSystem(options: ExampleOptions = {}): CentralSystem {
  const { idTags = ["04E91C5A"], energyWh = 360, transactions = new Map<number, Transaction>() } = options;
  const { registrations = new Map() } = options;
  const centralSystem = new CentralSystem({ timeoutMs: 5000, registrations });

  /** An idTag is case-insensitive. */
  const known = new Set(idTags.map((idTag) => idTag.toLowerCase()));
  const idTagInfo = (idTag: string): Conf<"Authorize">["idTagInfo"] => ({
    status: known.has(idTag.toLowerCase()) ? "Accepted" : "Invalid",
  });

  centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime: now(), interval: 300 }));
  centralSystem.handle("Heartbeat", () => ({ currentTime: now() }));
  centralSystem.handle("StatusNotification", () => ({}));
  centralSystem.handle("Authorize", ({ idTag }) => ({ idTagInfo: idTagInfo(idTag) }));

  // The card is checked anew: the Charge Point may have accepted it by itself, from what it once knew.
  centralSystem.handle("StartTransaction", ({ idTag, meterStart }, { connection: { identity } }) => {
    const transactionId = transactions.size + 1;
    transactions.set(transactionId, { identity, idTag, meterStart });
    return { transactionId, idTagInfo: idTagInfo(idTag) };
  });

  centralSystem.handle("MeterValues", ({ transactionId = 0, meterValue }, { connection, answered }) => {
    const transaction = transactions.get(transactionId);
    if (transaction === undefined || transaction.stopRequested) return {};
    if (energyIn(meterValue) - transaction.meterStart >= energyWh) {
      transaction.stopRequested = true;
      void answered.then(() => stop(connection, transactionId));
    }
    return {};
  });

  // A transaction that has stopped cannot be refused, not even an unknown one.
  centralSystem.handle("StopTransaction", ({ transactionId, meterStop, reason = "Local" }) => {
    const transaction = transactions.get(transactionId);
    if (transaction !== undefined) Object.assign(transaction, { meterStop, reason });
    return {};
  });

  return centralSystem;
}

/** What a driver's app would do. */
async function stop(connection: Connection<"CentralSystem">, transactionId: number): Promise<void> {
  try {
    const { status } = await connection.call("RemoteStopTransaction", { transactionId });
    if (status === "Rejected") complain(`${connection.identity} does not stop transaction ${transactionId}.`);
  } catch (error) {
    complain(`${connection.identity} was asked to stop transaction ${transactionId}: ${messageOf(error)}`);
  }
}

/** The highest reading of the energy register, in Wh. What a value leaves out has a default: this register, in Wh. */
function energyIn(meterValue: Req<"MeterValues">["meterValue"]): number {
  const energies = meterValue
    .flatMap(({ sampledValue }) => sampledValue)
    .filter(({ measurand = "Energy.Active.Import.Register" }) => measurand === "Energy.Active.Import.Register")
    .map(({ value, unit = "Wh" }) => Number(value) * (unit === "kWh" ? 1000 : 1));
  return Math.max(...energies);
}

const now = (): string => new Date().toISOString();

const time = (): string => now().slice(11, 19);

async function main(): Promise<void> {
  const { values } = commandLine({
    about: "A central system that accepts every charger, and lets the card 04E91C5A charge.",
    call: "central-system",
    options: {
      port: { type: "string", default: "9000", help: "where chargers connect" },
      verbose: { type: "boolean", default: false, help: "prints the frames, too" },
    },
  });
  const port = wholeNumber("port", values.port);
  const centralSystem = createCentralSystem();
  const timeline = new Timeline({ verbose: values.verbose, identities: true });
  centralSystem.on("connected", ({ connection }) => {
    narrate(`${connection.identity} has connected.`);
    timeline.follow(connection);
  });
  centralSystem.on("disconnected", ({ identity, code }) => narrate(`${identity} has disconnected (code ${code}).`));
  centralSystem.on("refused", (refusal) => {
    const { identity = "Somebody", remoteAddress } = refusal;
    complain(`${time()} ${identity} at ${remoteAddress}: ${describedRefusal(refusal)}`);
  });
  centralSystem.on("violation", ({ identity, message }) => complain(`${identity}: ${message}`));
  centralSystem.on("fault", ({ identity, error }) => complain(`Failed to serve ${identity}: ${messageOf(error)}`));

  const listener = await listen(centralSystem, { port, path: "/ocpp" });
  narrate(`The central system listens at ${listener.url} until Ctrl-C.`);
  legend();
  whenAskedToEnd(() => {
    narrate("The central system closes.");
    return listener.close();
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch(fail);
}
