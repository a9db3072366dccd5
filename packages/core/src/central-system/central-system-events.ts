import type { Connection } from "../connection/connection.ts";
import type { ConnectionEvents } from "../connection/connection-events.ts";
import type { HandshakeRefusal } from "./handshake-refusal.ts";
import type { RegistrationStatus } from "./registrations.ts";

/** What every event about one Charge Point carries. */
interface WithIdentity {
  readonly identity: string;
}

/** What every event about one connection carries. */
export interface WithConnection extends WithIdentity {
  /** Which connection: later ones, of whatever identity, have larger numbers. */
  readonly generation: number;
}

/**
 * The events of a `CentralSystem`; a listener gets one read-only object.
 *
 * For each connection: `connected`, then everything about it, then `disconnected`. The `disconnected` of a connection that
 * is replaced precedes the `connected` of the one that replaces it. What a listener causes, for example by closing a
 * connection, is told when all listeners have been told of what it was called for.
 */
export interface CentralSystemEvents<Context = unknown> {
  /** A Charge Point has connected. Handlers and listeners added now miss none of its frames. */
  connected: [event: WithConnection & { readonly connection: Connection<"CentralSystem", Context> }];
  /** A connection has ended. */
  disconnected: [event: WithConnection & { readonly code: number; readonly reason: string }];
  /** A BootNotification was answered; CALLs made now follow the answer. */
  registration: [event: WithConnection & { readonly status: RegistrationStatus }];
  /** The opening handshake of a Charge Point was refused. */
  refused: [event: HandshakeRefusal];
  /** A certificate ends soon, or has ended. */
  expiring: [event: ExpiringCertificate];
  /** A frame arrived, or was handed to the transport: as it is, with every new AuthorizationKey. For logs: `redacted`. */
  message: [event: WithConnection & ConnectionEvents["message"][0]];
  /** A Charge Point broke the protocol. It has been dealt with as the documents say. */
  violation: [event: WithConnection & ConnectionEvents["violation"][0]];
  /** A quirk was made use of; without a generation where the opening handshake was read, before there was a connection. */
  tolerated: [event: WithIdentity & Partial<WithConnection> & ConnectionEvents["tolerated"][0]];
  /** A CALL is over, in either direction: it was answered, or never will be. */
  finished: [event: WithConnection & ConnectionEvents["finished"][0]];
  /** Something on our side failed; without an identity where it concerned no Charge Point in particular. */
  fault: [event: Partial<WithConnection> & ConnectionEvents["fault"][0]];
}

/** A certificate that ends soon. */
export interface ExpiringCertificate {
  /** Whose it is: ours, that of somebody who issues those of Charge Points, or that of the Charge Point `identity`. */
  readonly whose: "central-system" | "authority" | "charge-point";
  readonly identity?: string;
  /** One line, for example `O=Example CPO, CN=CP001`. */
  readonly subject: string;
  /** In hexadecimal. */
  readonly serialNumber: string;
  readonly validTo: Date;
  /** How many whole days are left; negative when it has ended. */
  readonly daysLeft: number;
}
