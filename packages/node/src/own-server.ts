import { createServer, type Server } from "node:http";
import { createServer as createSecureServer, type Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { TlsOptions as NodeTlsOptions, TLSSocket } from "node:tls";
import type { Endpoint } from "./handshake/endpoint.ts";
import { watchTls } from "./handshake/tls-failures.ts";
import { routeUpgrades } from "./handshake/upgrade-routing.ts";
import type { ListenOptions } from "./listen-options.ts";
import { addressOf, type Listener, listener, type TcpAddress } from "./listener.ts";
import { OwnCertificates } from "./tls/own-certificates.ts";
import type { RevocationList } from "./tls/revocation-list.ts";
import { listeningTls, type ServerTls, type TlsOptions, takeTls } from "./tls/security-profile.ts";
import { TlsWatch } from "./tls/tls-watch.ts";

/** Runs a server of its own for the endpoint. */
export async function serve(
  endpoint: Endpoint,
  { health, host = "127.0.0.1", port = 0, securityProfile = 0, tls }: ListenOptions,
): Promise<Listener> {
  const secured = listeningTls(securityProfile, tls);
  let certificates = secured && new OwnCertificates(secured);
  const server = createHttpServer(
    secured && {
      ...secured,
      ...certificates?.usual,
      SNICallback: (name, done) => done(null, certificates?.contextFor(name)),
    },
    endpoint.handshakeTimeoutMs,
  );
  server.on("request", (request, response) => endpoint.request(request, response, health));
  routeUpgrades(server, endpoint);
  server.on("clientError", (error, socket) => endpoint.clientError(error, socket));
  // Before `clientError` is told, as if it were an error of HTTP: there is no channel to answer through.
  server.prependListener("tlsClientError", (_, socket: TLSSocket) => socket.destroy());
  const unwatch = watchTls(server, endpoint);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    endpoint.connected(socket, { plain: secured === undefined });
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await bind(server, port, host);
  server.on("error", (error) => endpoint.failed(error));
  endpoint.opened();
  const address = addressOf(server);
  let given = takeTls(tls ?? {});
  const watch =
    secured &&
    new TlsWatch({
      changed: () => replaceCertificates(given),
      revoked: (lists) => endpoint.connections.revoke(lists),
      fault: (error) => endpoint.failed(error),
      inUse: (certificate, whose) => endpoint.ends.look(certificate, whose),
    });
  watch?.use(secured as ServerTls, given);
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    watch?.stop();
    await endpoint.close();
    unwatch();
    for (const socket of sockets) socket.destroy(); // Those that never got as far as a WebSocket.
    await closed;
  };
  const replaceCertificates = (other: TlsOptions): void => {
    const taken = takeTls(other);
    const secured = listeningTls(securityProfile, taken);
    if (secured === undefined) return;
    certificates = new OwnCertificates(secured);
    (server as HttpsServer).setSecureContext({ ...secured, ...certificates.usual });
    given = taken;
    watch?.use(secured, given);
  };
  const scheme = secured === undefined ? "ws" : "wss";
  const revocationLists = (): readonly RevocationList[] => watch?.lists ?? [];
  const where = (): TcpAddress => address;
  return listener({ scheme, where, path: endpoint.path, close, replaceCertificates, revocationLists, endpoint });
}

/** Makes an HTTP server that waits for requests, and for TLS handshakes, no longer than this. */
function createHttpServer(
  secured: (ServerTls & Pick<NodeTlsOptions, "SNICallback">) | undefined,
  handshakeTimeoutMs: number,
): Server | HttpsServer {
  // Node wants an integer, and no more than its timers can count.
  const timeoutMs = Math.ceil(Math.min(handshakeTimeoutMs, 2 ** 31 - 1));
  const limits = {
    requestTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    connectionsCheckingInterval: Math.ceil(timeoutMs / 2),
  };
  if (secured === undefined) return createServer(limits);
  return createSecureServer({ ...limits, ...secured, handshakeTimeout: timeoutMs });
}

function bind(server: Server | HttpsServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
