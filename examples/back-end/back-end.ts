import type { AddressInfo } from "node:net";
import { type CentralSystem, KnownCredentials, type ProvisioningOptions, type QuirkSet } from "@ocppj/core";
import {
  type AuthenticationAttempt,
  isChargePointCertificate,
  type Listener,
  listen,
  type SecurityProfile,
  type TlsOptions,
} from "@ocppj/node";
import { createApi } from "./api.ts";
import { Calls } from "./calls.ts";
import { Live, type LiveOptions } from "./live.ts";
import { createCentralSystem, type OcppOptions } from "./ocpp.ts";
import { scryptHash } from "./password-hash.ts";
import { Tables } from "./tables.ts";
import { provision, type WantedFile } from "./wanted.ts";

/** Where to listen. */
interface Address {
  /** Default `127.0.0.1`: this machine only. */
  readonly host?: string;
  /** Default: any that is free. */
  readonly port?: number;
}

/** The security profile of chargers, with what it takes. */
interface Security {
  readonly securityProfile: SecurityProfile;
  readonly tls?: TlsOptions;
  /** Profile 3: whose chargers they are, the organizationName of their certificates. The commonName is the identity. */
  readonly organizationName: string;
}

export interface BackEndOptions {
  /** The SQLite file; it is created if there is none. */
  readonly file: string;
  /** Where chargers connect. */
  readonly chargers?: Address;
  /** How chargers prove who they are, and what TLS is done with. Default: 0, with a key or, if `open`, without. */
  readonly security?: Security | undefined;
  /** Where the API and the page are. */
  readonly api?: Address;
  /** What whoever uses the API or the page must present. Required when `api.host` is not of this machine. Default: none. */
  readonly token?: string | undefined;
  /** Whether chargers without an AuthorizationKey may connect, and unknown ones, too. Default false. */
  readonly open?: boolean;
  /** What is forgiven of opening handshakes and of messages. Default: nothing. */
  readonly tolerate?: QuirkSet;
  /** How chargers are answered. */
  readonly ocpp?: Omit<OcppOptions, "tolerate">;
  /** What chargers should have, see `readWanted`. Default: they may be as they are. */
  readonly wanted?: readonly WantedFile[] | undefined;
  /** Hears what became of that, charger by charger. */
  readonly provisioned?: ProvisioningOptions["told"];
  /** What the page is told, and how fast. */
  readonly live?: LiveOptions;
}

/** A back end that runs. */
export interface BackEnd {
  readonly tables: Tables;
  readonly centralSystem: CentralSystem;
  /** Where chargers connect, for example `ws://127.0.0.1:9000/ocpp`. */
  readonly chargersUrl: string;
  /** The page, and the root of the API, for example `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Asks the chargers to connect anew, a few at a time, answers what is under way, and closes the file. */
  close(): Promise<void>;
}

/**
 * Starts the back end: a database, a Central System on it, and an HTTP server for people and programs.
 *
 * @throws Error The file cannot be opened, a port is taken, or the API would be open to the network without a token.
 */
export async function startBackEnd(options: BackEndOptions): Promise<BackEnd> {
  const { open = false, tolerate = [], security } = options;
  const token = options.token || undefined; // API_TOKEN= sets a variable to nothing: that is no secret.
  const apiAddress = { host: "127.0.0.1", port: 0, ...options.api };
  if (token === undefined && !["127.0.0.1", "::1", "localhost"].includes(apiAddress.host)) {
    throw new Error(`Whoever reaches ${apiAddress.host} could command every charger: give a token.`);
  }
  const tables = new Tables(options.file);
  const { chargers, database } = tables;
  const centralSystem = createCentralSystem(tables, { ...options.ocpp, tolerate });
  const credentials = new KnownCredentials({ centralSystem, store: chargers.credentials, passwordHash: scryptHash });
  if (options.wanted !== undefined) {
    provision(centralSystem, tables, options.wanted, options.provisioned ?? (() => {}));
  }
  const calls = new Calls(centralSystem, credentials, tables);
  const live = new Live(centralSystem, chargers, options.live);
  const api = createApi({ calls, credentials, leaving: () => leaving, live, tables, token });

  let listener: Listener | undefined;
  let leaving = false;
  const close = async (): Promise<void> => {
    leaving = true;
    await centralSystem.drain();
    await listener?.close();
    live.close();
    await api.close();
    database.close();
  };
  try {
    listener = await listen(centralSystem, {
      ...options.chargers,
      path: "/ocpp",
      tolerate,
      securityProfile: security?.securityProfile,
      tls: security?.tls,
      authenticate: async (attempt) => {
        if (security?.securityProfile === 3)
          return showsItself(attempt, security, open || chargers.get(attempt.identity));
        const verdict = await credentials.authenticate({ ...attempt, securityProfile: 0 });
        return verdict === "unknown-identity" && open ? true : verdict;
      },
    });
    await api.listen(apiAddress);
  } catch (error) {
    await close();
    throw error;
  }
  const { port } = api.server.address() as AddressInfo;
  return {
    tables,
    centralSystem,
    chargersUrl: listener.url,
    url: `http://${apiAddress.host.includes(":") ? `[${apiAddress.host}]` : apiAddress.host}:${port}`,
    close,
  };
}

/** Whether a charger that may come has the certificate for its identity. */
function showsItself({ certificate, identity }: AuthenticationAttempt, { organizationName }: Security, known: unknown) {
  return known
    ? isChargePointCertificate(certificate, { organizationName, serialNumber: identity })
    : "unknown-identity";
}
