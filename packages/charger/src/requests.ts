import { type ActionTo, type Conf, type ExactAnswer, type HandlerContext, profileRefusal, type Req } from "@ocppj/core";
import type { ChargerOptions } from "./charger-options.ts";
import type { Connector } from "./connector.ts";
import type { Decided } from "./decided.ts";
import type { Desk } from "./desk.ts";
import type { FileJobs } from "./file-jobs.ts";

/** What the Central System can ask of. */
export interface Asked extends Pick<Desk, "chargePoint" | "fault" | "reservations" | "situationOf" | "smartCharging"> {
  readonly connectors: readonly Connector[];
  readonly remoteStartChooses: NonNullable<ChargerOptions["remoteStartChooses"]>;
  changeAvailability(req: Req<"ChangeAvailability">): Promise<Decided<Conf<"ChangeAvailability">["status"]>>;
  /** Whether it is about to restart. */
  isResetting(): boolean;
  reset(type: Req<"Reset">["type"]): void;
  /** Sends what the meters show; 0 is the main meter, `undefined` all. Whether there is anything to send. */
  readings(connectorId: number | undefined): (() => void) | undefined;
  /** Draws the consequences of something that concerns all connectors. */
  follow(): void;
  /** Absent: the profile FirmwareManagement is not supported. */
  readonly fileJobs: FileJobs | undefined;
}

type Context = HandlerContext<"ChargePoint">;

/**
 * Answers what a ChargePoint does not answer by itself. A handler decides and answers; what the answer promises is done
 * once that is on its way, so that nothing which follows from it arrives before it.
 *
 * @spec OCPP 1.6 §5.1, §5.2, §5.11, §5.12, §5.13, §5.14, §5.17, §5.18 [J-111]
 */
export function answerRequests(asked: Asked): void {
  const { chargePoint, connectors, fileJobs, reservations } = asked;

  /** Does what was written down, once the answer is on its way, or will never be: after a power cut it would be so, too. */
  function onceAnswered({ answered }: Context, act: (wasSent: boolean) => void): void {
    answered
      .then((wasSent) => {
        act(wasSent);
        asked.follow();
      })
      .catch((error: unknown) => asked.fault(error));
  }

  /** Does what an answer has promised. Where it never leaves, the Central System does not count on it. */
  const afterAnswer = (context: Context, act: () => void): void => onceAnswered(context, (wasSent) => wasSent && act());

  function handle<A extends ActionTo<"ChargePoint">>(
    action: A,
    handler: (req: Req<A>, context: Context) => Conf<A> | Promise<Conf<A>>,
  ): void {
    chargePoint.handle(action, handler as typeof handler & ExactAnswer<typeof handler, Conf<A>>);
  }

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

  handle("ChangeAvailability", async (req, context) => {
    const { status, takeEffect } = await asked.changeAvailability(req);
    onceAnswered(context, takeEffect);
    return { status };
  });

  handle("ReserveNow", async (req, context) => {
    const { status, takeEffect } = await reservations.reserveNow(req, chargePoint.now(), asked.situationOf);
    onceAnswered(context, takeEffect);
    return { status };
  });

  handle("CancelReservation", async (req, context) => {
    const { status, takeEffect } = await reservations.cancelReservation(req);
    onceAnswered(context, takeEffect);
    return { status };
  });

  handle("Reset", ({ type }, context) => {
    afterAnswer(context, () => asked.reset(type));
    return { status: "Accepted" };
  });

  if (fileJobs !== undefined) {
    const { firmware } = fileJobs;
    handle("UpdateFirmware", (req, context) => firmware.updateFirmware(req, (act) => onceAnswered(context, act)));
    handle("GetDiagnostics", (req, context) => fileJobs.getDiagnostics(req, (act) => onceAnswered(context, act)));
    handle("GetLog", (req, context) => fileJobs.getLog(req, (act) => onceAnswered(context, act)));
    if (fileJobs.takesSigned) {
      handle("SignedUpdateFirmware", (req, context) =>
        firmware.signedUpdateFirmware(req, (act) => onceAnswered(context, act)),
      );
    }
  }

  type Triggered = Conf<"TriggerMessage"> & Conf<"ExtendedTriggerMessage">;

  /** @param send - `undefined`: there is nothing to send. */
  function triggered(context: Context, send: (() => void) | undefined): Triggered {
    if (send === undefined) return { status: "Rejected" };
    afterAnswer(context, send);
    return { status: "Accepted" };
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

  // SEC-MSG-21
  handle("ExtendedTriggerMessage", ({ connectorId, requestedMessage }, context) => {
    switch (requestedMessage) {
      case "MeterValues":
        return triggered(context, asked.readings(connectorId));
      case "LogStatusNotification":
        return fileJobs ? triggered(context, fileJobs.triggered(requestedMessage)) : { status: "NotImplemented" };
      case "FirmwareStatusNotification":
        return fileJobs?.takesSigned
          ? triggered(context, fileJobs.triggered("SignedFirmwareStatusNotification"))
          : { status: "NotImplemented" };
      // SignChargePointCertificate has its place here.
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
