import { createHash, timingSafeEqual } from "node:crypto";
import type { onRequestHookHandler } from "fastify";
import { Problem } from "./problem.ts";

/**
 * Lets in what was meant for this machine.
 *
 * That only this machine can connect is not enough: a browser on it runs scripts of strangers, whose host names may lead
 * here. Such requests name the stranger's host. [DNS rebinding]
 */
export const onlyFromThisMachine: onRequestHookHandler = (request, _reply, done) => {
  if (["127.0.0.1", "[::1]", "localhost"].includes(request.hostname)) done();
  else done(new Problem(403, "forbidden", `This is not ${request.hostname}.`));
};

/**
 * Lets in who presents the token: programs as bearer token; browsers, which ask their user for it, as the password of
 * Basic authentication.
 */
export function onlyWith(token: string): onRequestHookHandler {
  const expected = sha256(token);
  return (request, reply, done) => {
    const presented = tokenIn(request.headers.authorization ?? "");
    // Of equal length and salted by nobody's choice, so that the time it takes tells nothing about the token.
    if (presented !== undefined && timingSafeEqual(sha256(presented), expected)) return done();
    reply.header("WWW-Authenticate", 'Basic realm="Back end", charset="UTF-8"');
    return done(new Problem(401, "unauthorized", "Present the token, as bearer token or as password."));
  };
}

function tokenIn(authorization: string): string | undefined {
  const [, scheme = "", credentials = ""] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === "bearer") return credentials;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const text = Buffer.from(credentials, "base64").toString();
  return text.slice(text.indexOf(":") + 1);
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
