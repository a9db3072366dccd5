import { type ActionFrom, actions, type KnownCredentials, type Req } from "@ocppj/core";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import * as z from "zod";
import { onlyFromThisMachine, onlyWith } from "./access.ts";
import { type Calls, safeKey } from "./calls.ts";
import type { Live } from "./live.ts";
import { servePage } from "./page/serve.ts";
import { Problem, problemOf } from "./problem.ts";
import { reservationStatuses } from "./reservations.ts";
import type { Tables } from "./tables.ts";

/** What the API gives access to. */
export interface ApiOptions {
  readonly calls: Calls;
  readonly credentials: KnownCredentials;
  readonly live: Live;
  readonly tables: Tables;
  /** What requests must present, as bearer token or as the password of Basic authentication. Default: nothing. */
  readonly token: string | undefined;
  /** Whether the back end is about to end. */
  readonly leaving: () => boolean;
}

/** As OCPP wants them. */
const { connectorId, expiryDate, idTag } = actions.ReserveNow.req.shape;

/** What the bodies and queries of requests must be. */
const ChargerBody = z
  .strictObject({
    /** What the charger is answered when it boots. Absent: stays as it is; `Pending` for one that nobody knows. */
    admission: z.enum(["Accepted", "Pending", "Rejected"]).optional(),
    /** What the charger presents when it connects. Absent: stays as it is. */
    authorizationKey: z.string().regex(safeKey, "32 to 40 hexadecimal digits").optional(),
  })
  .refine(({ admission, authorizationKey }) => admission !== undefined || authorizationKey !== undefined, {
    path: ["admission"],
    message: "is missing, and so is authorizationKey",
  });
const IdTagParams = z.strictObject({ idTag });
const IdTagBody = z.strictObject({
  status: z.enum(["Accepted", "Blocked", "Expired", "Invalid"]),
  expiryDate: z.nullable(expiryDate).default(null),
  parentIdTag: z.nullable(idTag).default(null),
});
const ReservationBody = z.strictObject({ identity: z.string(), connectorId, idTag, expiryDate });
const EndBody = z.strictObject({ meterStop: z.optional(actions.StopTransaction.req.shape.meterStop) });
const limit = z.coerce.number().int().min(1).max(1000).default(100);
const before = z.coerce.number().int().optional();
const KeyQuery = z.strictObject({ after: z.string().optional(), limit });
const ReservationQuery = z.strictObject({
  identity: z.string().optional(),
  status: z.enum(reservationStatuses).optional(),
  before,
  limit,
});
const TransactionQuery = z.strictObject({
  identity: z.string().optional(),
  running: z.stringbool().optional(),
  before,
  limit,
});
const SuspicionQuery = z.strictObject({ identity: z.string().optional(), before, limit });
const OrphanQuery = z.strictObject({ before, limit });

/** The HTTP API: JSON in, JSON out, and what went wrong as JSON, too. */
export function createApi({ calls, credentials, leaving, live, tables, token }: ApiOptions): FastifyInstance {
  const { chargers, idTags, reservations, suspicions, transactions } = tables;
  const refuse = (error: Error, _request: unknown, reply: FastifyReply) => {
    const { status, body } = problemOf(error);
    if (status === 500) console.error(error);
    return reply.status(status).send(body);
  };
  const api = fastify({
    routerOptions: { maxParamLength: 500 },
    forceCloseConnections: true,
    frameworkErrors: refuse,
    exposeHeadRoutes: false, // The head of /live would wait for its end.
  });
  const onlyWhoMay = token === undefined ? onlyFromThisMachine : onlyWith(token);
  api.addHook("onRequest", function (request, reply, done) {
    if (request.routeOptions.url === "/health") done();
    else onlyWhoMay.call(this, request, reply, done);
  });
  // What changes something has a body of JSON, which no form and no link on a stranger's web page can send.
  api.removeContentTypeParser("text/plain");
  api.addHook("preHandler", async ({ body, method }) => {
    if (body === undefined && (method === "POST" || method === "PUT")) {
      throw new Problem(415, "bad-request", "Send JSON; where there is nothing to say, {}.");
    }
  });
  api.setErrorHandler(refuse);
  api.setNotFoundHandler(({ method, url }) => {
    throw new Problem(404, "not-found", `There is no ${method} ${url}.`);
  });

  const chargerOf = (identity: string) => {
    const charger = chargers.get(identity);
    if (charger === undefined) throw new Problem(404, "unknown-charger", `No charger ${identity} is known.`);
    return { ...charger, online: calls.isOnline(identity) };
  };

  // For whoever starts and replaces programs, who has no token and names this machine as it likes: says no more than this.
  api.get("/health", (_request, reply) => {
    chargers.list({ limit: 1 }); // Whether the file can be read.
    return reply.status(leaving() ? 503 : 200).send({ status: leaving() ? "leaving" : "serving" });
  });

  api.get("/chargers", (request, reply) => {
    const query = KeyQuery.parse(request.query);
    const page = chargers.list(query).map((charger) => ({ ...charger, online: calls.isOnline(charger.identity) }));
    return sendPage(request, reply, page, query.limit, { after: page.at(-1)?.identity });
  });
  api.get<ToCharger>("/chargers/:identity", ({ params }) => chargerOf(params.identity));

  api.put<ToCharger>("/chargers/:identity", async ({ body, params: { identity } }) => {
    const known = chargers.get(identity);
    const { admission = known?.admission ?? "Pending", authorizationKey } = ChargerBody.parse(body);
    const before = known?.registration;
    chargers.admit(identity, admission);
    if (authorizationKey !== undefined) await credentials.enroll(identity, { authorizationKey });
    if (before === "Accepted" && admission !== "Accepted") calls.disconnect(identity, "No longer accepted");
    if (before === "Pending" && admission === "Accepted") void calls.inviteToBoot(identity).catch(() => {});
    live.changed(identity);
    return chargerOf(identity);
  });

  api.delete<ToCharger>("/chargers/:identity", ({ params: { identity } }, reply) => {
    chargerOf(identity);
    tables.database.atomic(() => chargers.forget(identity));
    calls.disconnect(identity, "No longer known");
    live.forgotten();
    return reply.status(204).send();
  });

  api.post<ToCharger & ToAction>("/chargers/:identity/calls/:action", ({ body, params: { identity, action } }) => {
    chargerOf(identity);
    if (!isSendable(action)) {
      throw new Problem(404, "unknown-action", `${action} is no action that a charger can be sent.`);
    }
    return calls.send(identity, action, body as Req<typeof action>);
  });

  api.get("/reservations", (request, reply) => {
    const query = ReservationQuery.parse(request.query);
    const page = reservations.list(query);
    return sendPage(request, reply, page, query.limit, { before: page.at(-1)?.position });
  });
  api.post("/reservations", async ({ body }, reply) => {
    const { identity, ...reservation } = ReservationBody.parse(body);
    chargerOf(identity);
    const parentIdTag = idTags.get(reservation.idTag)?.parentIdTag;
    const reservationId = reservations.nextId();
    const req = { ...reservation, reservationId, ...(parentIdTag != null && { parentIdTag }) };
    const { status } = await calls.send(identity, "ReserveNow", req);
    return reply.status(status === "Accepted" ? 201 : 200).send({ identity, ...req, status });
  });

  api.get("/transactions", (request, reply) => {
    const query = TransactionQuery.parse(request.query);
    const page = transactions.list(query);
    return sendPage(request, reply, page, query.limit, { before: page.at(-1)?.transactionId });
  });
  api.get("/transactions/orphaned-stops", (request, reply) => {
    const query = OrphanQuery.parse(request.query);
    const page = transactions.orphanedStops(query);
    return sendPage(request, reply, page, query.limit, { before: page.at(-1)?.position });
  });
  api.get("/transactions/suspicions", (request, reply) => {
    const query = SuspicionQuery.parse(request.query);
    const page = suspicions.list(query);
    return sendPage(request, reply, page, query.limit, { before: page.at(-1)?.suspicionId });
  });
  api.get<ToTransaction>("/transactions/:transactionId", ({ params: { transactionId } }) => {
    const transaction = transactions.get(Number(transactionId));
    if (transaction === undefined) throw new Problem(404, "unknown-transaction", `There is no ${transactionId}.`);
    const { identity } = transaction;
    const meterValues = transactions.meterValues(transaction);
    const suspicious = suspicions.list({ identity, transactionId: transaction.transactionId, limit: 1000 });
    return { ...transaction, meterValues, suspicions: suspicious };
  });
  api.post<ToTransaction>("/transactions/:transactionId/end", ({ body, params: { transactionId } }) => {
    const { meterStop } = EndBody.parse(body);
    const before = transactions.get(Number(transactionId));
    if (before === undefined) throw new Problem(404, "unknown-transaction", `There is no ${transactionId}.`);
    if (before.stoppedAt !== null) throw new Problem(409, "ended", `Transaction ${transactionId} has ended before.`);
    if (meterStop !== undefined && transactions.isTooLow(before, meterStop)) {
      const message = "is lower than what the meter has shown, at the start or since";
      throw new z.ZodError([{ code: "custom", path: ["meterStop"], message, input: meterStop }]);
    }
    const ended = transactions.end(before.transactionId, meterStop) ?? before;
    live.changed(ended.identity);
    return ended;
  });

  api.get("/id-tags", (request, reply) => {
    const query = KeyQuery.parse(request.query);
    const page = idTags.list(query);
    return sendPage(request, reply, page, query.limit, { after: page.at(-1)?.idTag });
  });
  api.get<ToIdTag>("/id-tags/:idTag", ({ params }) => {
    const known = idTags.get(params.idTag);
    if (known === undefined) throw new Problem(404, "unknown-id-tag", `No idTag ${params.idTag} is known.`);
    return known;
  });
  api.put<ToIdTag>("/id-tags/:idTag", ({ body, params }) => {
    const known = { ...IdTagParams.parse(params), ...IdTagBody.parse(body) };
    idTags.put(known);
    return known;
  });
  api.delete<ToIdTag>("/id-tags/:idTag", ({ params }, reply) => {
    if (!idTags.delete(params.idTag)) throw new Problem(404, "unknown-id-tag", `No idTag ${params.idTag} is known.`);
    return reply.status(204).send();
  });

  api.get("/live", (_request, reply) => {
    reply.hijack();
    live.serve(reply.raw);
  });
  servePage(api);
  return api;
}

/** Sends one page of a list; where there may be more, the header `Link` says where. */
function sendPage(
  { url }: FastifyRequest,
  reply: FastifyReply,
  page: readonly unknown[],
  limit: number,
  next: Readonly<Record<string, string | number | undefined>>,
): FastifyReply {
  if (page.length === limit) {
    const { pathname, searchParams } = new URL(url, "http://api");
    for (const [name, value] of Object.entries(next)) searchParams.set(name, `${value}`);
    reply.header("Link", `<${pathname}?${searchParams}>; rel="next"`);
  }
  return reply.send(page);
}

function isSendable(action: string): action is ActionFrom<"CentralSystem"> {
  if (!Object.hasOwn(actions, action)) return false;
  const from: readonly string[] = actions[action as keyof typeof actions].from;
  return from.includes("CentralSystem");
}

interface ToCharger {
  readonly Params: { readonly identity: string };
}
interface ToAction {
  readonly Params: { readonly action: string };
}
interface ToTransaction {
  readonly Params: { readonly transactionId: string };
}
interface ToIdTag {
  readonly Params: { readonly idTag: string };
}
