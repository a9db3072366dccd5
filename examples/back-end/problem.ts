import { CallError, CallTimeoutError, ConnectionClosedError, NotAcceptedError, PayloadError } from "@ocppj/core";
import * as z from "zod";
import { OfflineError, UnsafeKeyError } from "./calls.ts";

/** Why a request cannot be answered as hoped: the JSON of every answer that is no success. */
export interface ProblemBody {
  /** For programs. */
  readonly error: string;
  /** For people. */
  readonly message: string;
  /** What else there is to know, by the kind of error. */
  readonly [more: string]: unknown;
}

/** Thrown by a route: the request is wrong. */
export class Problem extends Error {
  readonly status: number;
  readonly error: string;

  constructor(status: number, error: string, message: string) {
    super(message);
    this.status = status;
    this.error = error;
  }
}

/**
 * The answer to a request that failed. 4xx: the request was wrong, and nothing was sent. 502, 504: a charger was asked, and
 * `sent` says whether it may have done it.
 */
export function problemOf(error: unknown): { readonly status: number; readonly body: ProblemBody } {
  const problem = (status: number, code: string, more: object = {}) => ({
    status,
    body: { error: code, message: error instanceof Error ? error.message : "", ...more },
  });

  if (error instanceof Problem) return problem(error.status, error.error);
  if (isClientError(error)) return problem(error.statusCode, "bad-request");
  if (error instanceof OfflineError) return problem(503, "offline");
  if (error instanceof UnsafeKeyError)
    return problem(422, "invalid", { issues: [{ path: "value", message: "is too weak" }] });
  if (error instanceof NotAcceptedError) return problem(409, "not-accepted", { registration: error.status });
  if (error instanceof PayloadError) {
    const { issues, origin } = error;
    return origin === "local" ? problem(422, "invalid", { issues }) : problem(502, "invalid-answer", { issues });
  }
  if (error instanceof CallError) {
    const { description, details, receivedCode: code } = error;
    return problem(502, "call-error", { code, description, details });
  }
  if (error instanceof CallTimeoutError) return problem(504, "timeout", { sent: true });
  if (error instanceof ConnectionClosedError) {
    return error.sent ? problem(502, "disconnected", { sent: true }) : problem(503, "offline", { sent: false });
  }
  if (error instanceof RangeError) return problem(429, "busy");
  if (error instanceof z.ZodError) {
    const issues = error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
    return { status: 422, body: { error: "invalid", message: "The request is not as it should be.", issues } };
  }
  return { status: 500, body: { error: "internal", message: "Something failed here. It has been logged." } };
}

/** What Fastify throws about a request, for example one that is not JSON. */
const isClientError = (error: unknown): error is Error & { readonly statusCode: number } =>
  error instanceof Error && "statusCode" in error && Number(error.statusCode) >= 400 && Number(error.statusCode) < 500;
