import {
  type ActionFrom,
  CallError,
  type CentralSystem,
  type Conf,
  type Connection,
  type KnownCredentials,
  type Req,
} from "@ocppj/core";
import * as z from "zod";
import type { Tables } from "./tables.ts";

type ActionToCharger = ActionFrom<"CentralSystem">;

/** The charger is not connected, so nothing was sent. */
export class OfflineError extends Error {
  override readonly name = "OfflineError";

  constructor(identity: string) {
    super(`Charger ${identity} is not connected. Nothing was sent.`);
  }
}

/** With this AuthorizationKey the charger could not be told from others, so nothing was sent. */
export class UnsafeKeyError extends Error {
  override readonly name = "UnsafeKeyError";

  constructor() {
    super("An AuthorizationKey has 32 to 40 hexadecimal digits. Nothing was sent.");
  }
}

/** An AuthorizationKey of 16 to 20 bytes that can be sent with ChangeConfiguration. */
export const safeKey = /^(?:[\da-f]{2}){16,20}$/i;

/** A ChangeConfiguration that changes the AuthorizationKey. */
const KeyChange = z.strictObject({ key: z.string().regex(/^AuthorizationKey$/i), value: z.string() });

/** The CALLs to chargers: they go out as they are, and the few that change what we know are noted here. */
export class Calls {
  readonly #centralSystem: CentralSystem;
  readonly #credentials: KnownCredentials;
  readonly #tables: Tables;

  constructor(centralSystem: CentralSystem, credentials: KnownCredentials, tables: Tables) {
    this.#centralSystem = centralSystem;
    this.#credentials = credentials;
    this.#tables = tables;
    // A reservation is noted when ReserveNow is handed to the network, so that no StartTransaction can be faster.
    centralSystem.on("message", ({ identity, direction, frame }) => {
      if (direction === "out" && frame.type === "CALL" && frame.action === "ReserveNow") {
        tables.reservations.requested(identity, frame.payload as Req<"ReserveNow">);
      }
    });
  }

  isOnline(identity: string): boolean {
    return this.#centralSystem.get(identity) !== undefined;
  }

  /**
   * Sends a CALL to a charger and resolves with the payload of its answer.
   *
   * @throws OfflineError The charger is not connected.
   * @throws What `Connection.call` throws.
   */
  async send<A extends ActionToCharger>(identity: string, action: A, req: Req<A>): Promise<Conf<A>> {
    const connection = this.#centralSystem.get(identity);
    if (connection === undefined) throw new OfflineError(identity);
    const noted: { readonly [Noted in ActionToCharger]?: (req: never) => Promise<unknown> } = {
      ReserveNow: (req: Req<"ReserveNow">) => this.#reserveNow(connection, req),
      CancelReservation: (req: Req<"CancelReservation">) => this.#cancelReservation(connection, req),
      ChangeConfiguration: (req: Req<"ChangeConfiguration">) => this.#changeConfiguration(connection, req),
    };
    const call = noted[action] as ((req: Req<A>) => Promise<Conf<A>>) | undefined;
    return call === undefined ? connection.call(action, req) : call(req);
  }

  /** Asks a charger that waits for its acceptance to boot now, rather than when its time has come. */
  async inviteToBoot(identity: string): Promise<void> {
    await this.send(identity, "TriggerMessage", { requestedMessage: "BootNotification" });
  }

  /** Makes a charger connect anew, as whatever it is by then. */
  disconnect(identity: string, reason: string): void {
    this.#centralSystem.get(identity)?.close(1008, reason);
  }

  async #reserveNow(connection: Connection<"CentralSystem">, req: Req<"ReserveNow">) {
    const { identity } = connection;
    try {
      const conf = await connection.call("ReserveNow", req);
      this.#tables.reservations.answered(identity, req.reservationId, conf.status);
      return conf;
    } catch (error) {
      // After any other error the charger may hold the reservation: it stays `Requested`, which says so.
      if (error instanceof CallError) this.#tables.reservations.answered(identity, req.reservationId, "Rejected");
      throw error;
    }
  }

  async #cancelReservation(connection: Connection<"CentralSystem">, req: Req<"CancelReservation">) {
    const conf = await connection.call("CancelReservation", req);
    if (conf.status === "Accepted") this.#tables.reservations.cancelled(connection.identity, req.reservationId);
    return conf;
  }

  /** Whoever changes the AuthorizationKey must not lock the charger out, wherever either of us fails on the way. */
  async #changeConfiguration(connection: Connection<"CentralSystem">, req: Req<"ChangeConfiguration">) {
    const { identity } = connection;
    const change = KeyChange.safeParse(req);
    if (!change.success) return connection.call("ChangeConfiguration", req);
    const { value: authorizationKey } = change.data;
    if (!safeKey.test(authorizationKey)) throw new UnsafeKeyError();
    if (this.#tables.chargers.get(identity)?.hasCredentials) {
      return { status: await this.#credentials.changeAuthorizationKey(identity, { authorizationKey }) };
    }
    const conf = await connection.call("ChangeConfiguration", req);
    if (conf.status === "Accepted") await this.#credentials.enroll(identity, { authorizationKey });
    return conf;
  }
}
