import type { X509Certificate } from "node:crypto";
import type { Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { type AddressInfo, isIPv6 } from "node:net";
import type { Connection } from "@ocppj/core";
import type { Endpoint } from "./handshake/endpoint.ts";
import type { Health } from "./handshake/health.ts";
import type { RevocationList } from "./tls/revocation-list.ts";
import type { TlsOptions } from "./tls/security-profile.ts";

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
  /** The lists of revoked certificates that are in use; none on an attached server. */
  readonly revocationLists: readonly RevocationList[];
  /** Whether handshakes are taken, and how many Charge Points are connected. */
  health(): Health;
  /** The certificate that a Charge Point has shown, verified; `undefined` without one, or of another listener's connection. */
  certificateOf(connection: Connection<"CentralSystem">): X509Certificate | undefined;
  /**
   * Uses other certificates and keys from the next TLS handshake on. Connections that are open stay, but for those whose
   * certificate is revoked: they are closed with 1008. [SEC-A00-701]
   *
   * @param tls - All of them, as for {@link listen}.
   * @throws TypeError They cannot be used, and nothing has changed; or there is no TLS here, or the attached server's:
   * it has `setSecureContext`.
   */
  replaceCertificates(tls: TlsOptions): void;
  /**
   * Stops listening and closes every connection with 1001. Resolves when all sockets are gone, at the latest after
   * `closeTimeoutMs`, whatever the peers do. Never rejects; calling it again returns the same promise.
   */
  close(): Promise<void>;
}

/** Where a server listens. */
export type TcpAddress = Pick<AddressInfo, "address" | "port">;

/** What a {@link Listener} is made of. */
export interface ListenerParts extends Pick<Listener, "close" | "replaceCertificates"> {
  readonly scheme: "ws" | "wss";
  readonly where: () => TcpAddress;
  readonly path: string;
  readonly revocationLists: () => readonly RevocationList[];
  readonly endpoint: Endpoint;
}

/** Makes one of its parts. */
export function listener(parts: ListenerParts): Listener {
  const { scheme, where, path, close, replaceCertificates, revocationLists, endpoint } = parts;
  let closed: Promise<void> | undefined;
  return {
    get url() {
      const { address, port } = where();
      return `${scheme}://${hostOf(address)}:${port}${path}`;
    },
    get port() {
      return where().port;
    },
    get revocationLists() {
      return revocationLists();
    },
    health: () => endpoint.health(),
    certificateOf: (connection) => endpoint.connections.certificateOf(connection),
    replaceCertificates,
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

/** @throws Error The server does not listen on a TCP port, or not yet. */
export function addressOf(server: Server | HttpsServer): TcpAddress {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("The attached server does not listen on a TCP port. Ask again once it does.");
  }
  return address;
}
