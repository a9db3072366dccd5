import type { CredentialStore, RegistrationStatus, Registrations, Req } from "@ocppj/core";
import type { Database } from "./database.ts";
import { energyWh } from "./transactions.ts";

/** A connector, or with `connectorId` 0 the charger itself, as it last said. */
interface Connector extends Pick<Req<"StatusNotification">, "connectorId" | "status" | "errorCode"> {
  readonly info: string | null;
  readonly timestamp: string;
  readonly transaction: { transactionId: number; idTag: string; energyWh: number | null } | null;
}

/** A charger as the API and the page show it: without its key, which nobody can read any more. */
export interface Charger {
  readonly identity: string;
  /** What the operator has decided: the answer to its next BootNotification. */
  readonly admission: RegistrationStatus;
  /** The answer to its last BootNotification; `null` before the first. */
  readonly registration: RegistrationStatus | null;
  /** Whether it has to present an AuthorizationKey when it connects. */
  readonly hasCredentials: boolean;
  readonly chargePointVendor: string | null;
  readonly chargePointModel: string | null;
  readonly chargePointSerialNumber: string | null;
  readonly firmwareVersion: string | null;
  readonly lastBootAt: string | null;
  readonly lastSeenAt: string | null;
  readonly connectors: readonly Connector[];
}

/** A row of the query below: lists as JSON, booleans as 0 and 1. */
interface ChargerRow extends Omit<Charger, "hasCredentials" | "connectors"> {
  readonly hasCredentials: number;
  readonly connectors: string;
}

const chargers = `
  SELECT identity, admission, registration, credentials IS NOT NULL AS hasCredentials, chargePointVendor,
    chargePointModel, chargePointSerialNumber, firmwareVersion, lastBootAt, lastSeenAt,
    (SELECT json_group_array(json_object(
        'connectorId', connectorId, 'status', status, 'errorCode', errorCode, 'info', info, 'timestamp', timestamp,
        'transaction', (SELECT json_object('transactionId', transactionId, 'idTag', idTag, 'energyWh', energyWh)
          FROM (SELECT *, ${energyWh} FROM runningTransactions) AS running
          WHERE running.identity = connectors.identity AND running.connectorId = connectors.connectorId)
      ) ORDER BY connectorId)
      FROM connectors WHERE connectors.identity = chargers.identity) AS connectors
  FROM chargers`;

/** No charger has more connectors than this; one that says so does not fill the disk with them. */
const highestConnectorId = 255;

/** The chargers that are known: who may connect, who is accepted, and what state they are in. */
export class Chargers {
  readonly #list;
  readonly #get;
  readonly #meet;
  readonly #admit;
  readonly #forget;
  readonly #boot;
  readonly #seen;
  readonly #report;
  /** Who is accepted, for CentralSystem: a restart forgets nobody. */
  readonly registrations: Registrations;
  /** Hashes of AuthorizationKeys, for KnownCredentials. */
  readonly credentials: CredentialStore;

  constructor(database: Database) {
    this.#list = database.prepare<ChargerRow>(
      `${chargers} WHERE forgottenAt IS NULL AND identity > @after ORDER BY identity LIMIT @limit`,
    );
    this.#get = database.prepare<ChargerRow>(`${chargers} WHERE forgottenAt IS NULL AND identity = @identity`);
    this.#meet = database.prepare(`
      INSERT INTO chargers (identity, admission, lastSeenAt) VALUES (@identity, @admission, @now)
      ON CONFLICT DO UPDATE SET lastSeenAt = @now, forgottenAt = NULL,
        admission = CASE WHEN forgottenAt IS NULL THEN admission ELSE @admission END`);
    // Acceptance is told to the charger when it boots; that it is withdrawn holds at once.
    this.#admit = database.prepare(`
      INSERT INTO chargers (identity, admission) VALUES (@identity, @admission)
      ON CONFLICT DO UPDATE SET admission = @admission, forgottenAt = NULL,
        registration = CASE WHEN registration = 'Accepted' THEN @admission ELSE registration END`);
    this.#forget = [
      "DELETE FROM connectors WHERE identity = @identity",
      "DELETE FROM reservations WHERE identity = @identity",
      "DELETE FROM sentLists WHERE identity = @identity",
      `UPDATE chargers SET forgottenAt = @now, registration = NULL, credentials = NULL, chargePointVendor = NULL,
        chargePointModel = NULL, chargePointSerialNumber = NULL, firmwareVersion = NULL, lastBootAt = NULL,
        lastSeenAt = NULL WHERE identity = @identity`,
    ].map((sql) => database.prepare(sql));
    this.#boot = database.prepare(`
      UPDATE chargers SET chargePointVendor = @chargePointVendor, chargePointModel = @chargePointModel,
        chargePointSerialNumber = @chargePointSerialNumber, firmwareVersion = @firmwareVersion, lastBootAt = @now
      WHERE identity = @identity`);
    this.#seen = database.prepare("UPDATE chargers SET lastSeenAt = @now WHERE identity = @identity");
    this.#report = database.prepare(`
      INSERT OR REPLACE INTO connectors (identity, connectorId, status, errorCode, info, timestamp)
      VALUES (@identity, @connectorId, @status, @errorCode, @info, @timestamp)`);

    const columns = database.prepare<{ registration: RegistrationStatus | null; credentials: string | null }>(
      "SELECT registration, credentials FROM chargers WHERE identity = @identity",
    );
    const register = database.prepare("UPDATE chargers SET registration = @status WHERE identity = @identity");
    this.registrations = {
      get: (identity) => columns.one({ identity })?.registration ?? undefined,
      set: (identity, status) => register.run({ identity, status }),
    };
    const enroll = database.prepare("UPDATE chargers SET credentials = @credentials WHERE identity = @identity");
    this.credentials = {
      get: (identity) => JSON.parse(columns.one({ identity })?.credentials ?? "null") ?? undefined,
      set: (identity, record) => enroll.run({ identity, credentials: JSON.stringify(record) }),
    };
  }

  /** By identity, those behind `after`. Default: all. */
  list({ after = "", limit = -1 }: { after?: string | undefined; limit?: number } = {}): Charger[] {
    return this.#list.all({ after, limit }).map(charger);
  }

  get(identity: string): Charger | undefined {
    const row = this.#get.one({ identity });
    return row && charger(row);
  }

  /** A charger has connected; if it is unknown, it is known from now on. */
  connected(identity: string, newcomers: RegistrationStatus): void {
    this.#meet.run({ identity, admission: newcomers, now: now() });
  }

  /** A charger is there, or was until now. */
  seen(identity: string): void {
    this.#seen.run({ identity, now: now() });
  }

  /** The operator decides on a charger, whether or not it ever connected. */
  admit(identity: string, admission: RegistrationStatus): void {
    this.#admit.run({ identity, admission });
  }

  /** Forgets all but the bills of a charger: it has no key, no admission and no reservation any more. */
  forget(identity: string): void {
    for (const statement of this.#forget) statement.run({ identity, now: now() });
  }

  /** Notes what a charger says about itself; returns what it is told. */
  booted(identity: string, req: Req<"BootNotification">): RegistrationStatus {
    const { chargePointVendor, chargePointModel, chargePointSerialNumber, firmwareVersion } = req;
    const texts = { chargePointVendor, chargePointModel, chargePointSerialNumber, firmwareVersion };
    this.#boot.run({ identity, ...texts, now: now() });
    return this.get(identity)?.admission ?? "Rejected";
  }

  /** Notes the status of a connector. */
  reported(identity: string, req: Req<"StatusNotification">): void {
    const { connectorId, errorCode, info, status, timestamp = now() } = req;
    if (connectorId > highestConnectorId) return;
    this.#report.run({ identity, connectorId, errorCode, info, status, timestamp });
  }
}

function charger({ connectors, hasCredentials, ...row }: ChargerRow): Charger {
  return { ...row, hasCredentials: hasCredentials === 1, connectors: JSON.parse(connectors) };
}

const now = (): string => new Date().toISOString();
