/*
 * Requests that ask for an upgrade to something else. By RFC 9110 §7.8 they may be answered as if they did not, and Node does so
 * as long as nobody listens to `upgrade`: the HTTP client of Java, for one, offers HTTP/2 with all that it asks.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { Server as TlsServer } from "node:tls";

/** Whether a request asks for an upgrade, but is no opening handshake, not even a broken one. */
export const asksForOther = ({ headers }: IncomingMessage): boolean =>
  !/\bwebsocket\b/i.test(headers.upgrade ?? "") && headers["sec-websocket-key"] === undefined;

/**
 * Has the server read a request once more, without its header `Upgrade`. By now Node has given the socket away, and would
 * not read the body either.
 *
 * @param head - What has arrived behind the request.
 */
export function readWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== "upgrade") lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit(server instanceof TlsServer ? "secureConnection" : "connection", socket);
}
