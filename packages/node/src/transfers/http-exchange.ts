import { request as httpRequest, type IncomingMessage, STATUS_CODES } from "node:http";
import { request as httpsRequest } from "node:https";
import { finished, pipeline, type Readable } from "node:stream";
import { shortened } from "../peer-text.ts";
import { Failure, type TransferFailureReason } from "./failure.ts";
import { decoded } from "./location.ts";
import type { Transfer } from "./transfer.ts";

/** What is asked for. */
export interface HttpRequest {
  readonly method: "GET" | "PUT";
  readonly headers: Readonly<Record<string, string | number>>;
  /** Made anew when a redirect wants it again. */
  readonly body?: (() => Readable) | undefined;
}

const mostRedirects = 5;

/** What may be asked for elsewhere: a PUT stays one with these only. */
const redirects = { GET: [301, 302, 303, 307, 308], PUT: [307, 308] };

/**
 * Asks, and follows redirects: never from TLS to none, and without the credentials where they lead to another server.
 *
 * @returns The answer, whose body has not been read.
 * @throws Failure A redirect is not followed.
 */
export async function exchange(url: URL, request: HttpRequest, transfer: Transfer): Promise<IncomingMessage> {
  let at = url;
  for (let left = mostRedirects; ; left--) {
    const answer = await ask(at, request, transfer);
    transfer.watch.active();
    const { location } = answer.headers;
    if (location === undefined || !redirects[request.method].includes(answer.statusCode ?? 0)) return answer;
    answer.destroy();
    if (left === 0) throw new Failure(`the server redirected more than ${mostRedirects} times`);
    at = redirected(at, location);
  }
}

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new Failure("the server redirected to what is no URL", "BadMessage");
  const to = new URL(location, from.href);
  if (!["http:", "https:"].includes(to.protocol))
    throw new Failure(`the server redirected to ${shortened(to.protocol)}`);
  if (from.protocol === "https:" && to.protocol === "http:") {
    throw new Failure("the server redirected from https to http, which is not followed");
  }
  if (to.origin === from.origin && to.username === "") {
    to.username = from.username;
    to.password = from.password;
  }
  return to;
}

function ask(url: URL, { body, headers, method }: HttpRequest, { tls, watch }: Transfer): Promise<IncomingMessage> {
  const { href, password, username } = url;
  const bare = new URL(href);
  bare.username = "";
  bare.password = "";
  const basic = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString("base64");
  const authorization = username + password === "" ? {} : { authorization: `Basic ${basic}` };
  const options = { method, headers: { ...headers, ...authorization }, agent: false };
  return new Promise((resolve, reject) => {
    if (watch.isOver) throw new Error("it was stopped");
    const asked = url.protocol === "https:" ? httpsRequest(bare, { ...tls, ...options }) : httpRequest(bare, options);
    watch.closes(() => asked.destroy());
    asked.on("error", reject);
    asked.on("response", (answer) => {
      if (body === undefined || asked.writableFinished || !isSuccess(answer)) return resolve(answer);
      // It is content before it can have everything, which counts once it has.
      asked.on("finish", () => finished(answer.resume(), (error) => (error ? reject(error) : resolve(answer))));
    });
    asked.on("close", () => reject(new Error("the server closed the connection too early")));
    if (body === undefined) asked.end();
    else pipeline(body(), asked, (error) => error && reject(error));
  });
}

export const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode <= 299;

const reasons: Readonly<Record<number, TransferFailureReason>> = {
  400: "BadMessage",
  401: "PermissionDenied",
  403: "PermissionDenied",
  405: "NotSupportedOperation",
  407: "PermissionDenied",
  501: "NotSupportedOperation",
};

/**
 * What an answer other than the one that was hoped for means. The words are those of the standard: those of a server may repeat
 * what it was sent. [SEC-N01-10]
 */
export const refusal = ({ statusCode = 0 }: IncomingMessage): Failure =>
  new Failure(`the server answered with ${statusCode} ${STATUS_CODES[statusCode] ?? ""}`.trim(), reasons[statusCode]);
