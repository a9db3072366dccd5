import { connect, durableStore } from "@ocppj/browser";
import { type ChargerRun, runCharger } from "../../../node/test/crash/charger.ts";
import type { LogLine } from "../../../node/test/crash/hardware-log.ts";

declare global {
  /** Runs a charger; each line of its hardware log is posted to the URL of the page. */
  function charge(run: ChargerRun): Promise<void>;
  /** Names the records in the store of a charger. */
  function keysIn(identity: string): Promise<readonly string[]>;
}

globalThis.charge = (run) => {
  const log = (line: LogLine): void => {
    const request = new XMLHttpRequest();
    request.open("POST", "", false); // It is written when `send` returns, whatever becomes of the page.
    request.send(JSON.stringify(line));
  };
  return runCharger(run, { connect: connect(), store: durableStore(run.identity), log });
};

globalThis.keysIn = async (identity) => {
  const store = durableStore(identity);
  const records = await store.load("");
  await store.close();
  return records.map(({ key }) => key);
};
