/*
 * A small back end for chargers:
 *
 *   npx pnpm@10.34.8 --filter ./examples --silent back-end --open
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Quirk, quirks } from "@ocppj/core";
import { messageOf } from "../check.ts";
import {
  commandLine,
  fail,
  securityProfileIn,
  tlsIn,
  typedPath,
  UsageError,
  whenAskedToEnd,
  wholeNumber,
} from "../program.ts";
import { narrate, note } from "../timeline.ts";
import { startBackEnd } from "./back-end.ts";
import { log, logProvisioned, logSuspect } from "./log.ts";
import { readWanted } from "./wanted.ts";

async function main(): Promise<void> {
  const { values } = commandLine({
    about: "A small back end for chargers, with an HTTP API and a page.",
    call: "back-end",
    options: {
      file: { type: "string", help: "the SQLite file; it is made, too (default: in examples/back-end-store)" },
      host: { type: "string", default: "127.0.0.1", help: "where chargers connect" },
      port: { type: "string", default: "9000", help: "where chargers connect" },
      "api-host": { type: "string", default: "127.0.0.1", help: "where the API and the page are; see API_TOKEN" },
      "api-port": { type: "string", default: "8080", help: "where the API and the page are" },
      open: { type: "boolean", default: false, help: "lets in and accepts chargers that nobody knows" },
      "security-profile": { type: "string", default: "0", help: "1: password; 2: and TLS; 3: TLS and certificate" },
      "tls-cert": { type: "string", help: "a PEM file: the certificate, for security profile 2 and 3" },
      "tls-key": { type: "string", help: "a PEM file: the private key of the certificate" },
      "tls-ca": { type: "string", help: "a PEM file: who issues certificates of chargers, for security profile 3" },
      organization: { type: "string", default: "Example CPO", help: "O of the certificates of chargers" },
      "heartbeat-interval": { type: "string", default: "300", help: "seconds between two Heartbeats of a charger" },
      tolerate: { type: "string", default: "none", help: "quirks that are forgiven: all, or names with commas" },
      wanted: { type: "string", help: "a folder with files that say what chargers should have" },
    },
    more: "API_TOKEN: what the API and the page want to be shown; needed with another --api-host than this machine's.",
  });
  const file = values.file === undefined ? "back-end-store/back-end.sqlite" : typedPath(values.file);
  const tolerate = quirksNamed(values.tolerate);
  const options = {
    file,
    chargers: { host: values.host, port: wholeNumber("port", values.port) },
    api: { host: values["api-host"], port: wholeNumber("api-port", values["api-port"]) },
    token: process.env.API_TOKEN,
    open: values.open,
    security: {
      securityProfile: securityProfileIn(values["security-profile"]),
      organizationName: values.organization,
      ...tlsIn({ cert: "tls-cert", key: "tls-key", ca: "tls-ca" }, values),
    },
    wanted: values.wanted === undefined ? undefined : wantedIn(values.wanted),
    provisioned: logProvisioned,
    tolerate,
    ocpp: {
      newcomers: values.open ? "Accepted" : "Pending",
      suspected: logSuspect,
      heartbeatIntervalS: wholeNumber("heartbeat-interval", values["heartbeat-interval"], 1, 2_147_483),
    },
  } as const;
  mkdirSync(dirname(file), { recursive: true });
  const backEnd = await startBackEnd(options);
  narrate(`The page is at ${backEnd.url}/`);
  note(`Chargers connect to ${backEnd.chargersUrl}. Ctrl-C or SIGTERM ends it.`);
  log(backEnd);
  whenAskedToEnd(() => {
    narrate("The chargers are asked to connect again; then the back end ends.");
    return backEnd.close();
  });
}

/** @throws UsageError There is no such folder, or one of its files does not say what chargers should have. */
function wantedIn(folder: string) {
  try {
    return readWanted(typedPath(folder));
  } catch (error) {
    throw new UsageError(`--wanted: ${messageOf(error)}`);
  }
}

/** @throws UsageError One of the names is none. */
function quirksNamed(names: string): readonly Quirk[] {
  const byName: Readonly<Record<string, Quirk>> = quirks;
  if (names === "all") return Object.values(byName);
  if (names === "none") return [];
  return names.split(",").map((name) => {
    const quirk = Object.hasOwn(byName, name) ? byName[name] : undefined;
    if (quirk === undefined) throw new UsageError(`There is no quirk "${name}"; docs/quirks.md lists them.`);
    return quirk;
  });
}

main().catch(fail);
