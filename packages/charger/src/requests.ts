import { type Conf, profileRefusal, type Req } from "@ocppj/core";
import type { Answering } from "./answering.ts";
import type { ChargerOptions } from "./charger-options.ts";
import type { Connector } from "./connector.ts";
import type { Decided } from "./decided.ts";
import type { Desk } from "./desk.ts";
import type { FileJobs } from "./file-jobs.ts";

/** What the Central System can ask of. */
export interface Asked extends Pick<Desk, "chargePoint" | "reservations" | "situationOf" | "smartCharging"> {
  readonly connectors: readonly Connector[];
  readonly remoteStartChooses: NonNullable<ChargerOptions["remoteStartChooses"]>;
  changeAvailability(req: Req<"ChangeAvailability">): Promise<Decided<Conf<"ChangeAvailability">["status"]>>;
  /** Whether it is about to restart. */
  isResetting(): boolean;
  reset(type: Req<"Reset">["type"]): void;
  /** Sends what the meters show; 0 is the main meter, `undefined` all. Whether there is anything to send. */
  readings(connectorId: number | undefined): (() => void) | undefined;
  /** Absent: the profile FirmwareManagement is not supported. */
  readonly fileJobs: FileJobs | undefined;
}

/**
 * Answers what a ChargePoint does not answer by itself.
 *
 * @spec OCPP 1.6 §5.1, §5.2, §5.9, §5.11, §5.12, §5.13, §5.14, §5.17, §5.18, §5.19
 */
export function answerRequests(asked: Asked, answers: Answering): void {
  const { chargePoint, connectors, fileJobs, reservations } = asked;
  const { afterAnswer, decided, handle, onceAnswered, triggered } = answers;

  const connectorOf = (id: number): Connector | undefined => connectors.find((connector) => connector.id === id);

  handle("RemoteStartTransaction", ({ chargingProfile, connectorId, idTag }, context) => {
    const connector = connectorId === undefined ? chosenFor(asked, idTag) : connectorOf(connectorId);
    if (connector === undefined || asked.isResetting() || !connector.mayStart(idTag)) return { status: "Rejected" };
    if (chargingProfile !== undefined && !isForStart(asked, connector.id, chargingProfile))
      return { status: "Rejected" };
    afterAnswer(context, () => connector.remoteStarted(idTag, chargingProfile));
    return { status: "Accepted" };
  });

  handle("RemoteStopTransaction", ({ transactionId }, context) => {
    const connector = connectors.find(
      ({ transaction }) => transaction?.identified === true && transaction.transactionId === transactionId,
    );
    if (connector === undefined) return { status: "Rejected" }; // CORE-RSP-04
    const { transaction } = connector;
    afterAnswer(context, () => {
      if (connector.transaction === transaction) connector.stopped("Remote");
    });
    return { status: "Accepted" };
  });

  handle("UnlockConnector", async ({ connectorId }, context) => {
    const connector = connectorOf(connectorId);
    if (connector === undefined) return { status: "NotSupported" }; // CORE-UNL-05
    const { status, after } = await connector.unlock();
    onceAnswered(context, after);
    return { status };
  });

  handle("ChangeAvailability", (req, context) => decided(asked.changeAvailability(req), context));

  handle("ReserveNow", (req, context) =>
    decided(reservations.reserveNow(req, chargePoint.now(), asked.situationOf), context),
  );

  handle("CancelReservation", (req, context) => decided(reservations.cancelReservation(req), context));

  handle("Reset", ({ type }, context) => {
    afterAnswer(context, () => asked.reset(type));
    return { status: "Accepted" };
  });

  if (fileJobs !== undefined) {
    const { firmware } = fileJobs;
    handle("UpdateFirmware", (req, context) => firmware.updateFirmware(req, (act) => onceAnswered(context, act)));
    handle("GetDiagnostics", (req, context) => fileJobs.getDiagnostics(req, (act) => onceAnswered(context, act)));
  }

  handle("TriggerMessage", ({ connectorId, requestedMessage }, context) => {
    switch (requestedMessage) {
      case "MeterValues":
        return triggered(context, asked.readings(connectorId));
      case "DiagnosticsStatusNotification":
      case "FirmwareStatusNotification":
        return fileJobs ? triggered(context, fileJobs.triggered(requestedMessage)) : { status: "NotImplemented" };
      default:
        return { status: "NotImplemented" };
    }
  });
}

/** CORE-RST-07 */
function chosenFor({ connectors, remoteStartChooses }: Asked, idTag: string): Connector | undefined {
  if (remoteStartChooses === "refuse") return undefined; // CORE-RST-08
  const possible = connectors.filter((connector) => connector.mayStart(idTag));
  const plugged = possible.find(({ session }) => session.facts.plugged);
  return (remoteStartChooses === "plugged" ? plugged : undefined) ?? possible[0];
}

/** CORE-RST-15: only one of its transaction, which has no id yet. */
function isForStart(
  { smartCharging }: Asked,
  connectorId: number,
  profile: NonNullable<Req<"RemoteStartTransaction">["chargingProfile"]>,
): boolean {
  const { chargingProfilePurpose, transactionId } = profile;
  if (chargingProfilePurpose !== "TxProfile" || transactionId !== undefined) return false;
  return profileRefusal(connectorId, profile, smartCharging.keys) === undefined;
}
