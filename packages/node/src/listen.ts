import { createServer, type Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { type AddressInfo, isIPv6, type Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { CentralSystem } from "@ocppj/core";
import { Endpoint, type EndpointOptions } from "./endpoint.ts";
import { routeUpgrades } from "./upgrade-routing.ts";

/** Settings of {@link listen}. */
export interface ListenOptions extends EndpointOptions {
  /** TCP port to listen on; not together with `server`. Default 0: any that is free, see {@link Listener}. */
  readonly port?: number;
  /**
   * Address to listen on; not together with `server`. Default `127.0.0.1`, this machine only, because what is said here
   * is not encrypted: give another address only inside a VPN, or behind a proxy that speaks TLS. [J-034, J-171]
   */
  readonly host?: string;
  /**
   * A server of the application to attach to. Upgrade requests at `path` and below are answered here, everything else
   * stays the application's. It is never closed here, and it is the application's to bound slow requests. Several
   * listeners may share it, each with a path of its own.
   */
  readonly server?: Server | HttpsServer;
}

/** An open OCPP-J endpoint. */
export interface Listener {
  /**
   * The endpoint URL as seen from this machine, for example `ws://127.0.0.1:9000/ocpp`.
   *
   * @throws Error The attached server does not listen on a TCP port, or not yet.
   */
  readonly url: string;
  /**
   * The TCP port.
   *
   * @throws Error The attached server does not listen on a TCP port, or not yet.
   */
  readonly port: number;
  /**
   * Stops listening and closes every connection with 1001. Resolves when all sockets are gone, at the latest after
   * `closeTimeoutMs`, whatever the peers do. Never rejects; calling it again returns the same promise.
   */
  close(): Promise<void>;
}

/**
 * Opens an OCPP-J endpoint: a Charge Point that passes the opening handshake is handed to `centralSystem.accept`, one
 * that does not is reported there as `refused`.
 *
 * @returns Resolves when connections are accepted; with an attached server, at once.
 * @throws TypeError `path` is no path, or the attached server already has an endpoint there, or it is given a port or a
 * host.
 * @throws Error What Node reports when the port cannot be bound, for example with the code `EADDRINUSE`.
 * @spec OCPP-J 1.6 §3.1, §3.2 [J-003, J-008, J-020 … J-032]
 */
export async function listen(centralSystem: CentralSystem, options: ListenOptions = {}): Promise<Listener> {
  const { host, path = "/", port, server } = options;
  if (!/^\/[^?#]*$/.test(path)) throw new TypeError(`"${path}" is no path. Give one like "/ocpp".`);
  const endpoint = new Endpoint(centralSystem, options);
  if (server === undefined) return serve(endpoint, options);
  if (host !== undefined || port !== undefined) {
    throw new TypeError("An attached server has its own host and port. Leave these out, or the server.");
  }
  return attach(endpoint, server);
}

function attach(endpoint: Endpoint, server: Server | HttpsServer): Listener {
  const release = routeUpgrades(server, endpoint);
  const scheme = server instanceof TlsServer ? "wss" : "ws";
  const close = (): Promise<void> => {
    release();
    return endpoint.close();
  };
  return listener(scheme, () => addressOf(server), endpoint.path, close);
}

/** Runs a server of its own for the endpoint. */
async function serve(
  endpoint: Endpoint,
  { handshakeTimeoutMs = 10_000, host = "127.0.0.1", port = 0 }: ListenOptions,
): Promise<Listener> {
  const server = createServer(
    {
      requestTimeout: handshakeTimeoutMs,
      connectionsCheckingInterval: Math.ceil(handshakeTimeoutMs / 2),
    },
    (request, response) => endpoint.request(request, response),
  );
  routeUpgrades(server, endpoint);
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await bind(server, port, host);
  server.on("error", (error) => endpoint.failed(error));
  const address = addressOf(server);
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    await endpoint.close();
    for (const socket of sockets) socket.destroy(); // Those that never got as far as a WebSocket.
    await closed;
  };
  return listener("ws", () => address, endpoint.path, close);
}

function bind(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Where a server listens. */
type TcpAddress = Pick<AddressInfo, "address" | "port">;

function listener(scheme: string, where: () => TcpAddress, path: string, close: () => Promise<void>): Listener {
  let closed: Promise<void> | undefined;
  return {
    get url() {
      const { address, port } = where();
      return `${scheme}://${hostOf(address)}:${port}${path}`;
    },
    get port() {
      return where().port;
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** An IP address as the host in a URL; for "every address" one that can be dialled. */
function hostOf(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return isIPv6(address) ? `[${address}]` : address;
}

function addressOf(server: Server | HttpsServer): TcpAddress {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("The attached server does not listen on a TCP port. Ask again once it does.");
  }
  return address;
}
