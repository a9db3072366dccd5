import type { Provisioned, ProvisioningFailure, Suspect } from "@ocppj/core";
import { messageOf } from "../check.ts";
import { describedRefusal } from "../refusal.ts";
import { complain, plain } from "../timeline.ts";
import type { BackEnd } from "./back-end.ts";

/** What a line is about; what is not known, or does not matter, is left out. */
interface Place {
  readonly identity?: string | undefined;
  readonly remoteAddress?: string | undefined;
  readonly connectorId?: unknown;
  readonly transactionId?: unknown;
}

/** Says what happens, one line each, with the charger, the connector and the transaction. Who charges is nowhere. */
export function log({ centralSystem, tables }: BackEnd): void {
  centralSystem.on("connected", ({ identity, connection }) =>
    say({ identity }, `connected from ${connection.remoteAddress}`),
  );
  centralSystem.on("disconnected", ({ identity, code }) => say({ identity }, `disconnected (code ${code})`));
  centralSystem.on("refused", (refusal) => {
    const tell = refusal.reason === "closing" ? say : warn; // Who is sent away because we leave has done nothing wrong.
    tell(refusal, describedRefusal(refusal));
  });
  centralSystem.on("violation", ({ identity, frame, message }) => {
    warn({ identity, ...(frame.type === "CALL" && placeIn(frame.payload)) }, message);
  });
  centralSystem.on("tolerated", ({ identity, quirk, message }) => say({ identity }, `${quirk}: ${message}`));
  centralSystem.on("fault", ({ identity, action = "something", error }) => {
    warn({ identity }, `${action} has failed here: ${messageOf(error)}`);
  });

  centralSystem.on("finished", ({ identity, direction, call, outcome }) => {
    if (direction === "in" && everyday.has(call.action)) return;
    const conf = outcome.type === "CALLRESULT" ? outcome.payload : undefined;
    const said = { ...placeIn(call.payload), ...placeIn(conf) };
    const connectorId = said.connectorId ?? tables.transactions.get(Number(said.transactionId))?.connectorId;
    const what = [call.action, textIn(call.payload, "status"), statusIn(conf)].filter((text) => text !== undefined);
    say({ identity, ...said, connectorId }, `${what.join(", ")}${conf === undefined ? `: ${outcome.type}` : ""}`);
  });
}

/** Too many to be lines; the page shows them. */
const everyday: ReadonlySet<string> = new Set(["Heartbeat", "MeterValues", "Authorize"]);

/** Says what a charger has got of what it should have. */
export function logProvisioned(event: Provisioned | ProvisioningFailure): void {
  const { identity } = event;
  if ("error" in event) warn({ identity }, `has not got what it should have: ${messageOf(event.error)}`);
  else say({ identity }, `provisioned: ${described(event)}`);
}

function described({ configuration = [], localAuthList, reset }: Provisioned): string {
  const keys = configuration
    .filter(({ status }) => status !== "Unchanged")
    .map(({ key, status }) => `${key} ${status}`);
  const list = localAuthList === undefined ? [] : [`local list ${localAuthList.status}`];
  const restart = reset === undefined ? [] : [`reset ${reset}`];
  return [...keys, ...list, ...restart].join(", ") || "nothing to change";
}

/** Says that a bill cannot be right. */
export function logSuspect(identity: string, { connectorId, transactionId, rule, message }: Suspect): void {
  warn({ identity, connectorId, transactionId }, `suspicious (${rule}): ${message}`);
}

const say = (place: Place, what: string): void => console.log(`  ${plain(`${time()} ${placed(place)}: ${what}`)}`);

const warn = (place: Place, what: string): void => complain(`${time()} ${placed(place)}: ${what}`);

const time = (): string => new Date().toISOString().slice(11, 19);

function placed({ identity, remoteAddress, connectorId, transactionId }: Place): string {
  const who = identity ?? (remoteAddress === undefined ? "nobody in particular" : "somebody");
  const address = remoteAddress === undefined ? "" : ` at ${remoteAddress}`;
  const connector = connectorId === undefined ? [] : [`connector ${connectorId}`];
  const transaction = transactionId === undefined ? [] : [`transaction ${transactionId}`];
  return [who + address, ...connector, ...transaction].join(", ");
}

/** What a payload says of connector and transaction: it comes from a charger, and may be anything. */
const placeIn = (payload: unknown): Place =>
  Object.fromEntries(
    Object.entries(payload ?? {}).filter(
      ([name, value]) => (name === "connectorId" || name === "transactionId") && typeof value === "number",
    ),
  );

const statusIn = (conf: unknown): string | undefined =>
  textIn((conf as { idTagInfo?: unknown } | undefined)?.idTagInfo, "status") ?? textIn(conf, "status");

function textIn(payload: unknown, name: string): string | undefined {
  const value = (payload as Record<string, unknown> | null | undefined)?.[name];
  return typeof value === "string" ? value.slice(0, 50) : undefined;
}
