import type { X509Certificate } from "node:crypto";
import type { Connection } from "@ocppj/core";
import { isRevoked, type ReadRevocationList } from "../tls/revocation-list.ts";
import { Tally } from "./tally.ts";

/** What is known of a connection besides. */
interface Holder {
  readonly certificate: X509Certificate | undefined;
  /** What limits of one address count by. */
  readonly network: string | undefined;
}

/** The connections of one endpoint, by what their handshakes have shown. */
export class OpenConnections {
  readonly #holders = new Map<Connection<"CentralSystem">, Holder>();
  readonly #networks = new Tally();
  #lists: readonly ReadRevocationList[] = [];

  add(connection: Connection<"CentralSystem">, holder: Holder): void {
    this.#holders.set(connection, holder);
    this.#networks.add(holder.network);
  }

  remove(connection: Connection<"CentralSystem">): void {
    const holder = this.#holders.get(connection);
    if (this.#holders.delete(connection)) this.#networks.remove(holder?.network);
  }

  certificateOf(connection: Connection<"CentralSystem">): X509Certificate | undefined {
    return this.#holders.get(connection)?.certificate;
  }

  /** How many there are from one network. */
  countFrom(network: string | undefined): number {
    return this.#networks.of(network);
  }

  /** Whether a certificate has been revoked by now, perhaps since TLS has looked. */
  isRevoked(certificate: X509Certificate | undefined): boolean {
    return certificate !== undefined && isRevoked(certificate, this.#lists);
  }

  /** Takes other lists, and ends the connections whose certificate is revoked. */
  revoke(lists: readonly ReadRevocationList[]): void {
    this.#lists = lists;
    for (const [connection, { certificate }] of this.#holders) {
      if (this.isRevoked(certificate)) connection.close(1008, "The certificate is revoked");
    }
  }

  closeAll(code: number, reason: string): void {
    for (const connection of this.#holders.keys()) connection.close(code, reason);
  }
}
