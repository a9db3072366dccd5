import type * as z from "zod/mini";
import {
  Authorize,
  BootNotification,
  ChangeAvailability,
  ChangeConfiguration,
  ClearCache,
  DataTransfer,
  GetConfiguration,
  Heartbeat,
  MeterValues,
  RemoteStartTransaction,
  RemoteStopTransaction,
  Reset,
  StartTransaction,
  StatusNotification,
  StopTransaction,
  UnlockConnector,
} from "./core.ts";
import {
  DiagnosticsStatusNotification,
  FirmwareStatusNotification,
  GetDiagnostics,
  UpdateFirmware,
} from "./firmware-management.ts";
import { GetLocalListVersion, SendLocalList } from "./local-auth-list-management.ts";
import { TriggerMessage } from "./remote-trigger.ts";
import { CancelReservation, ReserveNow } from "./reservation.ts";
import {
  CertificateSigned,
  DeleteCertificate,
  ExtendedTriggerMessage,
  GetInstalledCertificateIds,
  GetLog,
  InstallCertificate,
  LogStatusNotification,
  SecurityEventNotification,
  SignCertificate,
  SignedFirmwareStatusNotification,
  SignedUpdateFirmware,
} from "./security.ts";
import { ClearChargingProfile, GetCompositeSchedule, SetChargingProfile } from "./smart-charging.ts";
import type { Role } from "./types.ts";

export type { FeatureProfile, Role } from "./types.ts";

/**
 * All 39 actions, by feature profile: who may send each, and the schemas of its two payloads. Every type, check and
 * rule about messages is computed from this table.
 *
 * @spec OCPP 1.6 §3.3, §6; security white paper §5
 */
export const actions = {
  // Core
  Authorize,
  BootNotification,
  ChangeAvailability,
  ChangeConfiguration,
  ClearCache,
  DataTransfer,
  GetConfiguration,
  Heartbeat,
  MeterValues,
  RemoteStartTransaction,
  RemoteStopTransaction,
  Reset,
  StartTransaction,
  StatusNotification,
  StopTransaction,
  UnlockConnector,
  // FirmwareManagement
  DiagnosticsStatusNotification,
  FirmwareStatusNotification,
  GetDiagnostics,
  UpdateFirmware,
  // LocalAuthListManagement
  GetLocalListVersion,
  SendLocalList,
  // RemoteTrigger
  TriggerMessage,
  // Reservation
  CancelReservation,
  ReserveNow,
  // SmartCharging
  ClearChargingProfile,
  GetCompositeSchedule,
  SetChargingProfile,
  // Security white paper
  CertificateSigned,
  DeleteCertificate,
  ExtendedTriggerMessage,
  GetInstalledCertificateIds,
  GetLog,
  InstallCertificate,
  LogStatusNotification,
  SecurityEventNotification,
  SignCertificate,
  SignedFirmwareStatusNotification,
  SignedUpdateFirmware,
} as const;

/** The name of one of the 39 actions, as it is on the wire. */
export type Action = keyof typeof actions;

/** The payload of an action's CALL: what the documents call `<action>.req`. */
export type Req<A extends Action> = z.output<(typeof actions)[A]["req"]>;

/** The payload of an action's CALLRESULT: what the documents call `<action>.conf`. */
export type Conf<A extends Action> = z.output<(typeof actions)[A]["conf"]>;

/** The actions that a role may send. */
export type ActionFrom<R extends Role> = {
  [A in Action]: R extends (typeof actions)[A]["from"][number] ? A : never;
}[Action];

/** The actions that a role may receive: those that the other role may send. */
export type ActionTo<R extends Role> = R extends Role ? ActionFrom<Exclude<Role, R>> : never;

/**
 * Whether a name is that of an action. Case matters, and names that every object has, like `toString`, are none.
 *
 * @spec OCPP-J 1.6 §4.2.1 [J-060]
 */
export function isAction(name: string): name is Action {
  return Object.hasOwn(actions, name);
}

/**
 * Whether a role may send the CALL of an action.
 *
 * @spec OCPP 1.6 §4, §5; security white paper §5 [J-D14]
 */
export function maySend<R extends Role>(role: R, action: Action): action is ActionFrom<R> {
  const from: readonly Role[] = actions[action].from;
  return from.includes(role);
}

/** What ExtendedTriggerMessage requests under another name than that of the action. */
const extendedRequests: Partial<Record<string, Action>> = {
  FirmwareStatusNotification: "SignedFirmwareStatusNotification",
  SignChargePointCertificate: "SignCertificate",
};

/**
 * The action with which a Charge Point sends what it was asked for.
 *
 * @param requestedMessage - That of the trigger's payload, checked.
 * @spec OCPP 1.6 §5.17; security white paper §6.14 [SEC-MSG-21]
 */
export function requestedAction(
  trigger: "TriggerMessage" | "ExtendedTriggerMessage",
  requestedMessage: Req<"TriggerMessage" | "ExtendedTriggerMessage">["requestedMessage"],
): Action {
  const extended = trigger === "ExtendedTriggerMessage" ? extendedRequests[requestedMessage] : undefined;
  return extended ?? (requestedMessage as Action);
}
