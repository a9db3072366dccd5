/*
 * The back end with something to see, started by `npx pnpm@10.34.8 demo --back-end`: the session of the demo, and three
 * chargers that never come to rest.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durableStore } from "@ocppj/node";
import { openConnection, runSession } from "../charge-point.ts";
import { ExampleCharger } from "../charger/charger.ts";
import { fail, whenAskedToEnd } from "../program.ts";
import { legend, narrate, note, Timeline } from "../timeline.ts";
import { type BackEnd, startBackEnd } from "./back-end.ts";

export interface BackEndDemoOptions {
  /** Whether the frames of the session are printed, too. Default false. */
  readonly verbose?: boolean;
  /** The card that the driver presents. Default: one that the back end knows. */
  readonly idTag?: string;
}

const knownCard = "04E91C5A";
const fleet = ["CP002", "CP003", "CP004"];

/** How much energy the driver wants, in Wh. */
const wanted = 360;

/**
 * Starts the back end on a file of its own, holds a session with it, and lets chargers come and go until Ctrl-C.
 *
 * @throws Error The session is not as it should be.
 */
export async function runBackEndDemo({ verbose = false, idTag = knownCard }: BackEndDemoOptions = {}): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ocppj-back-end-demo-"));
  const backEnd = await startBackEnd({
    file: join(folder, "back-end.sqlite"),
    open: true,
    ocpp: { newcomers: "Accepted" },
  });
  const stops: (() => Promise<void>)[] = [];
  const end = async (): Promise<void> => {
    for (const stop of stops) await stop();
    await backEnd.close();
    await rm(folder, { recursive: true });
  };
  narrate(`The page is at ${backEnd.url}/`);
  note(`Its file is in ${folder} while it runs; chargers connect to ${backEnd.chargersUrl}.`);
  for (const card of [knownCard, ...fleet.map(cardOf)]) {
    await request(backEnd, "PUT", `/id-tags/${card}`, { status: "Accepted" });
  }

  try {
    await holdSession(backEnd, idTag, verbose);
  } catch (error) {
    await end();
    throw error;
  }
  stops.push(...(await Promise.all(fleet.map((identity) => startCharger(backEnd, folder, identity)))));
  narrate(`Three more chargers come and go at ${backEnd.url}/ until Ctrl-C.`);
  whenAskedToEnd(async () => {
    narrate("The chargers are sent home, and the file is removed.");
    await end();
    narrate("Goodbye.");
  });
}

/** The session of the demo. Somebody's app watches it, and stops it through the API. */
async function holdSession(backEnd: BackEnd, idTag: string, verbose: boolean): Promise<void> {
  const watch = ({ identity, frame }: { identity: string; frame: { type: string } }): void => {
    if (frame.type !== "CALLRESULT") return;
    const [running] = backEnd.tables.transactions.list({ identity, running: true, limit: 1 });
    if (running === undefined || (running.energyWh ?? 0) < wanted) return;
    backEnd.centralSystem.off("message", watch);
    const { transactionId } = running;
    void request(backEnd, "POST", `/chargers/${identity}/calls/RemoteStopTransaction`, { transactionId });
  };
  backEnd.centralSystem.on("message", watch);

  const connection = await openConnection(backEnd.chargersUrl, "CP001");
  legend();
  new Timeline({ verbose }).follow(connection);
  await runSession(connection, { idTag, narrate });
  connection.close();
}

/** A charger whose drivers plug in, charge and leave, with its store in a folder; returns what stops it. */
async function startCharger(backEnd: BackEnd, folder: string, identity: string): Promise<() => Promise<void>> {
  const registered = new Promise<void>((resolve) => {
    backEnd.centralSystem.on("registration", (event) => event.identity === identity && resolve());
  });
  const charger = await ExampleCharger.start({
    identity,
    url: backEnd.chargersUrl,
    openStore: () => durableStore(join(folder, identity)),
    downloads: join(folder, `${identity}-downloads`),
    changed: () => {},
    failed: fail,
  });
  await registered;
  const steps: readonly ((charger: ExampleCharger) => unknown)[] = [
    (charger) => charger.plug(1),
    (charger) => charger.present(1, cardOf(identity)),
    (charger) => charger.plug(2),
    (charger) => charger.present(2, "UNKNOWN"),
    (charger) => charger.present(1, cardOf(identity)),
    (charger) => charger.unplug(1),
    (charger) => charger.unplug(2),
    (charger) => charger.network(false),
    (charger) => charger.network(true),
    (charger) => charger.fault(2),
    (charger) => charger.fault(2),
  ];
  let second = Number(identity.at(-1)) * 7; // Each somewhere else in its day.
  const life = setInterval(() => {
    charger.elapse(30);
    if (second % 4 === 0)
      charger
        .ready()
        .then(steps[(second / 4) % steps.length])
        .catch(fail);
    second += 1;
  }, 1000);
  return () => {
    clearInterval(life);
    return charger.stop();
  };
}

const cardOf = (identity: string): string => `CARD-${identity}`;

function request({ url }: BackEnd, method: string, path: string, body: unknown): Promise<Response> {
  return fetch(url + path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}
