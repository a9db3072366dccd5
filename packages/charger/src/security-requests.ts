import type { Answering } from "./answering.ts";
import type { Desk } from "./desk.ts";
import type { FileJobs } from "./file-jobs.ts";
import type { Asked } from "./requests.ts";

/** What the Central System can ask of. */
export interface AskedOfSecurity extends Pick<Desk, "certificates" | "fault">, Pick<Asked, "readings"> {
  readonly fileJobs: FileJobs | undefined;
}

/**
 * Answers the requests of the security white paper, as far as the charger has what they are about; the others are
 * answered as everything is that it does not know.
 *
 * @spec security white paper §5
 */
export function answerSecurityRequests(asked: AskedOfSecurity, answers: Answering): void {
  const { certificates, fault, fileJobs, readings } = asked;
  const { decided, handle, onceAnswered, triggered } = answers;

  if (certificates !== undefined) {
    handle("InstallCertificate", (req, context) => decided(certificates.install(req), context));
    handle("DeleteCertificate", (req, context) => decided(certificates.delete(req), context));
    handle("CertificateSigned", (req, context) => decided(certificates.signed(req), context));
    handle("GetInstalledCertificateIds", (req) => certificates.ids(req));
  }

  if (fileJobs?.takesSigned) {
    handle("SignedUpdateFirmware", (req, context) =>
      fileJobs.firmware.signedUpdateFirmware(req, (act) => onceAnswered(context, act)),
    );
  }

  if (fileJobs !== undefined) {
    handle("GetLog", (req, context) => fileJobs.getLog(req, (act) => onceAnswered(context, act)));
  }

  // SEC-MSG-21
  handle("ExtendedTriggerMessage", ({ connectorId, requestedMessage }, context) => {
    switch (requestedMessage) {
      case "MeterValues":
        return triggered(context, readings(connectorId));
      case "LogStatusNotification":
        return fileJobs ? triggered(context, fileJobs.triggered(requestedMessage)) : { status: "NotImplemented" };
      case "FirmwareStatusNotification":
        return fileJobs?.takesSigned
          ? triggered(context, fileJobs.triggered("SignedFirmwareStatusNotification"))
          : { status: "NotImplemented" };
      case "SignChargePointCertificate": {
        if (certificates === undefined) return { status: "NotImplemented" };
        return triggered(context, certificates.mayAsk ? () => void certificates.ask().catch(fault) : undefined);
      }
      default:
        return { status: "NotImplemented" };
    }
  });
}
