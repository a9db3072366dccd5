import type { Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Endpoint } from "./endpoint.ts";
import { refusalOfTls } from "./profile-refusals.ts";

/** Reports TLS handshakes that fail. Returns the function that ends this. */
export function watchTls(server: Server | HttpsServer, endpoint: Endpoint): () => void {
  const failed = (error: Error, socket: TLSSocket & { readonly _parent?: Socket }): void => {
    // Once a TLS socket is closed, only the one that it ran on still knows its peer; no public property leads there.
    const { _parent: tcpSocket = socket } = socket;
    const refusal = refusalOfTls(error, socket, tcpSocket.bytesRead);
    if (refusal !== undefined) endpoint.tlsFailed(refusal, tcpSocket);
  };
  /** A socket remembers its address only if somebody has asked for it in time. */
  const opened = ({ remoteAddress }: Socket): unknown => remoteAddress;
  // First of all: whoever is told next may destroy the socket, which then has forgotten where it came from.
  server.prependListener("tlsClientError", failed);
  server.on("connection", opened);
  return () => server.off("tlsClientError", failed).off("connection", opened);
}
