/* What an orchestrator asks a Central System: whether to send Charge Points to it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pathOf } from "./request-target.ts";

/** Whether handshakes are taken, and how much there is to do. Nothing in it is secret. */
export interface Health {
  /**
   * `ready`: handshakes are taken. `closing`: the listener or the Central System is closing, or is being drained.
   * `no-descriptors`: the process is out of file descriptors, so newcomers are dropped.
   */
  readonly status: "ready" | "closing" | "no-descriptors";
  /** How many Charge Points are connected here. */
  readonly connections: number;
  /** How many handshakes are being decided on. */
  readonly handshakes: number;
}

/** Whether a request asks for the health at a path. */
export const asksForHealth = (request: IncomingMessage, path: string | undefined): boolean =>
  path !== undefined && /^(GET|HEAD)$/.test(request.method ?? "") && pathOf(request) === path;

export function answerHealth(health: Health, { method }: IncomingMessage, response: ServerResponse): void {
  const body = `${JSON.stringify(health)}\n`;
  response.writeHead(health.status === "ready" ? 200 : 503, {
    "Cache-Control": "no-store",
    Connection: "close",
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(method === "HEAD" ? undefined : body);
}
