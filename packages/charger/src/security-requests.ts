import type { Answering } from "./answering.ts";
import type { Desk } from "./desk.ts";
import type { FileJobs } from "./file-jobs.ts";
import type { Asked } from "./requests.ts";

/** What the Central System can ask of. */
export interface AskedOfSecurity extends Pick<Desk, "certificates" | "fault" | "security">, Pick<Asked, "readings"> {
  readonly fileJobs: FileJobs | undefined;
}

/**
 * Answers the requests of the security white paper, as far as the charger has what they are about; the others are
 * answered as everything is that it does not know.
 *
 * @spec security white paper §5
 */
export function answerSecurityRequests(asked: AskedOfSecurity, answers: Answering): void {
  const { certificates, fault, fileJobs, readings, security } = asked;
  const { decided, handle, onceAnswered, triggered } = answers;

  if (certificates !== undefined) {
    handle("InstallCertificate", (req, context) => decided(certificates.install(req), context));
    handle("DeleteCertificate", (req, context) => decided(certificates.delete(req), context));
    handle("CertificateSigned", (req, context) => decided(certificates.signed(req), context));
    handle("GetInstalledCertificateIds", (req) => certificates.ids(req));
  }

  if (fileJobs?.firmware.isSigned) {
    handle("SignedUpdateFirmware", (req, context) =>
      fileJobs.signedUpdateFirmware(req, (act) => onceAnswered(context, act)),
    );
  }

  if (fileJobs !== undefined && security !== undefined) {
    handle("GetLog", (req, context) => fileJobs.getLog(req, (act) => onceAnswered(context, act)));
  }

  if (certificates === undefined && security === undefined) return;
  handle("ExtendedTriggerMessage", ({ connectorId, requestedMessage }, context) => {
    switch (requestedMessage) {
      case "MeterValues":
        return triggered(context, readings(connectorId));
      case "LogStatusNotification":
      case "FirmwareStatusNotification":
        if (fileJobs === undefined) return { status: "NotImplemented" };
        return triggered(context, () => fileJobs.extendedTrigger(requestedMessage));
      case "SignChargePointCertificate": {
        if (certificates === undefined) return { status: "NotImplemented" };
        return triggered(context, certificates.mayAsk ? () => void certificates.ask().catch(fault) : undefined);
      }
      default:
        return { status: "NotImplemented" };
    }
  });
}
