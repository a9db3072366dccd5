/*
 * A small back end for chargers:
 *
 *   npx pnpm@10.34.8 --filter ./examples --silent back-end --open
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import type { Provisioned } from "@ocppj/core";
import { messageOf } from "../check.ts";
import { complain, narrate, note } from "../timeline.ts";
import { startBackEnd } from "./back-end.ts";
import { readWanted } from "./wanted.ts";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      /** The SQLite file; its folder is made, too. */
      file: { type: "string", default: "back-end-store/back-end.sqlite" },
      /** Where chargers connect. */
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "9000" },
      /** Where the API and the page are; on another host they want the token in the environment variable API_TOKEN. */
      "api-host": { type: "string", default: "127.0.0.1" },
      "api-port": { type: "string", default: "8080" },
      /** A folder with files that say what chargers should have. */
      wanted: { type: "string" },
      /** Lets in chargers without an AuthorizationKey, and accepts those that nobody knows. */
      open: { type: "boolean", default: false },
    },
  });
  const { API_TOKEN: token } = process.env;
  mkdirSync(dirname(values.file), { recursive: true });
  const backEnd = await startBackEnd({
    file: values.file,
    chargers: { host: values.host, port: Number(values.port) },
    api: { host: values["api-host"], port: Number(values["api-port"]) },
    ...(token !== undefined && { token }),
    open: values.open,
    ...(values.wanted !== undefined && { wanted: readWanted(values.wanted) }),
    provisioned: (event) => {
      if ("error" in event) complain(`${event.identity} has not got what it should have: ${messageOf(event.error)}`);
      else note(describe(event));
    },
    ocpp: { newcomers: values.open ? "Accepted" : "Pending" },
  });
  narrate(`The page is at ${backEnd.url}/`);
  note(`Chargers connect to ${backEnd.chargersUrl}. Ctrl-C or SIGTERM ends it.`);

  const { centralSystem } = backEnd;
  centralSystem.on("refused", ({ advice, message }) => complain(`${message} ${advice}`));
  centralSystem.on("violation", ({ identity, message }) => complain(`${identity}: ${message}`));
  centralSystem.on("fault", ({ identity, error }) => complain(`Failed to serve ${identity}: ${messageOf(error)}`));

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      narrate("The chargers are asked to connect again; then the back end ends.");
      backEnd.close().catch(fail);
    });
  }
}

/** What a charger has got, in one line. */
function describe({ identity, configuration = [], localAuthList, reset }: Provisioned): string {
  const keys = configuration
    .filter(({ status }) => status !== "Unchanged")
    .map(({ key, status }) => `${key} ${status}`);
  const list = localAuthList === undefined ? [] : [`local list ${localAuthList.status}`];
  const restart = reset === undefined ? [] : [`reset ${reset}`];
  return `${identity} was provisioned: ${[...keys, ...list, ...restart].join(", ") || "nothing to change"}.`;
}

function fail(error: unknown): void {
  complain(messageOf(error));
  process.exitCode = 1;
}

main().catch(fail);
