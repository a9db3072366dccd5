import * as z from "zod/mini";
import { action, ConnectorIdOrZero } from "./types.ts";

/**
 * Asks the charge point to send a message now.
 *
 * @spec OCPP 1.6 §5.17, §6.51, §6.52
 */
export const TriggerMessage = action({
  from: ["CentralSystem"],
  profile: "RemoteTrigger",
  req: z.strictObject({
    requestedMessage: z.enum([
      "BootNotification",
      "DiagnosticsStatusNotification",
      "FirmwareStatusNotification",
      "Heartbeat",
      "MeterValues",
      "StatusNotification",
    ]),
    // The field table of §6.51 demands > 0, but §5.17 uses 0 to ask for the status of the charge point itself, and
    // central systems in the field rely on that. [RT-04, Q26]
    /** Absent: all that the message allows. 0: the charge point itself. */
    connectorId: z.optional(ConnectorIdOrZero),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected", "NotImplemented"]),
  }),
});
