import {
  CentralSystem,
  type CentralSystemOptions,
  type Conf,
  type Plausibility,
  type RegistrationStatus,
  type Suspect,
} from "@ocppj/core";
import type { Tables } from "./tables.ts";

/** How chargers are answered. */
export interface OcppOptions extends Pick<CentralSystemOptions, "timeoutMs" | "tolerate"> {
  /** What a charger is answered that nobody knows yet. Default `Pending`: the operator decides. */
  readonly newcomers?: RegistrationStatus;
  /** Seconds between Heartbeats, which set the chargers' clocks. Default 300. */
  readonly heartbeatIntervalS?: number;
  /** Seconds until a charger that is not accepted asks again. Default 60. */
  readonly retryIntervalS?: number;
  /** Hears of bills that cannot be right. Default: nobody does, but they are kept. */
  readonly suspected?: (identity: string, suspect: Suspect) => void;
}

/**
 * The business on top of OCPP: what each message of a charger means here, and what it is answered.
 *
 * Every handler writes before it returns, so what a charger has an answer to is on the disk. None refuses what has
 * happened already: a charger that started or stopped a transaction is right about that, whatever we think of it. What we
 * think of it is kept as a suspicion.
 */
export function createCentralSystem(
  { chargers, database, idTags, reservations, suspicions, transactions }: Tables,
  options: OcppOptions = {},
): CentralSystem {
  const { newcomers = "Pending", heartbeatIntervalS = 300, retryIntervalS = 60, suspected, ...settings } = options;
  const centralSystem = new CentralSystem({ ...settings, registrations: chargers.registrations });
  const look = (identity: string, at: (plausibility: Plausibility, now: number) => readonly Suspect[]): void => {
    for (const suspect of suspicions.look(identity, at)) suspected?.(identity, suspect);
  };

  centralSystem.on("connected", ({ identity }) => chargers.connected(identity, newcomers));
  centralSystem.on("disconnected", ({ identity }) => chargers.seen(identity));

  centralSystem.handle("BootNotification", (req, { connection: { identity } }) => {
    const status = database.atomic(() => {
      look(identity, (plausibility, now) => {
        plausibility.booted(req, now);
        return [];
      });
      return chargers.booted(identity, req);
    });
    return { status, currentTime: now(), interval: status === "Accepted" ? heartbeatIntervalS : retryIntervalS };
  });
  centralSystem.handle("Heartbeat", (_, { connection: { identity } }) => {
    chargers.seen(identity); // So that little is unknown when the program, or its computer, is no more.
    return { currentTime: now() };
  });

  centralSystem.handle("StatusNotification", (req, { connection: { identity } }) => {
    database.atomic(() => {
      chargers.reported(identity, req);
      const { connectorId, status } = req;
      if (status === "Faulted" || status === "Unavailable") reservations.outOfUse(identity, connectorId, status);
    });
    return {};
  });

  centralSystem.handle("Authorize", ({ idTag }) => ({ idTagInfo: idTags.info(idTag) }));

  // The idTag is checked anew: the charger may have accepted it by itself, from what it once knew. A transaction gets an
  // id in any case; if the idTag is not accepted, it is the charger that stops, and says so with StopTransaction.
  centralSystem.handle("StartTransaction", (req, { connection: { identity } }) =>
    database.atomic(() => {
      const idTagInfo = idTags.info(req.idTag);
      const looked = (conf: Conf<"StartTransaction">) => {
        look(identity, (plausibility, now) => plausibility.started(req, withGroup(conf), now));
        return conf;
      };
      const repeated = transactions.startedBy(identity, req);
      if (repeated !== undefined) return looked(answer(repeated.transactionId, idTagInfo, repeated.idTagStatus));

      const concurrent = idTagInfo.status === "Accepted" && transactions.isConcurrent(identity, req);
      const status = concurrent ? "ConcurrentTx" : idTagInfo.status;
      const { transactionId } = transactions.start(identity, req, status);
      if (req.reservationId !== undefined) reservations.used(identity, req.reservationId, transactionId);
      return looked(answer(transactionId, idTagInfo, status));
    }),
  );

  centralSystem.handle("MeterValues", (req, { connection: { identity } }) => {
    database.atomic(() => {
      transactions.measured(identity, req);
      look(identity, (plausibility, now) => plausibility.measured(req, now));
    });
    return {};
  });

  centralSystem.handle("StopTransaction", (req, { connection: { identity } }) => {
    const conf = req.idTag === undefined ? {} : { idTagInfo: idTags.info(req.idTag) };
    database.atomic(() => {
      transactions.stop(identity, req);
      look(identity, (plausibility, now) => plausibility.stopped(req, withGroup(conf), now));
    });
    return conf;
  });

  // What this back end only acknowledges; the page shows the frames.
  centralSystem.handle("DataTransfer", () => ({ status: "UnknownVendorId" }));
  centralSystem.handle("DiagnosticsStatusNotification", () => ({}));
  centralSystem.handle("FirmwareStatusNotification", () => ({}));
  centralSystem.handle("LogStatusNotification", () => ({}));
  centralSystem.handle("SecurityEventNotification", () => ({}));
  centralSystem.handle("SignedFirmwareStatusNotification", () => ({}));
  centralSystem.handle("SignCertificate", () => ({ status: "Rejected" }));

  return centralSystem;
}

function answer(
  transactionId: number,
  idTagInfo: Conf<"StartTransaction">["idTagInfo"],
  status: Conf<"StartTransaction">["idTagInfo"]["status"],
): Conf<"StartTransaction"> {
  return { transactionId, idTagInfo: { ...idTagInfo, status } };
}

/** An answer for Plausibility: every idTag is known here, so one without a group is in none. */
const withGroup = <C extends Conf<"StopTransaction">>(conf: C): C =>
  conf.idTagInfo === undefined ? conf : { ...conf, idTagInfo: { parentIdTag: "", ...conf.idTagInfo } };

const now = (): string => new Date().toISOString();
