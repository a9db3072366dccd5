export { type AbortSignalLike, OwnSignal } from "./abort.ts";
export {
  AuthorizationCache,
  type AuthorizationCacheOptions,
} from "./authorization/authorization-cache.ts";
export {
  type AskCentralSystem,
  type Authorization,
  type AuthorizationKeys,
  type AuthorizationSituation,
  authorizationOf,
  authorize,
  authorizeStop,
  sameGroup,
  type TransactionStarter,
} from "./authorization/authorize.ts";
export { type IdTagInfo, type IdTagLookUp, type KnownIdTag, sameIdTag } from "./authorization/id-tag.ts";
export { LocalAuthList, type LocalAuthListOptions } from "./authorization/local-auth-list.ts";
export { type AnyCall, type CatchAllHandler, CentralSystem } from "./central-system/central-system.ts";
export type { CentralSystemEvents, ExpiringCertificate } from "./central-system/central-system-events.ts";
export type { CentralSystemOptions, DrainOptions, DuplicatePolicy } from "./central-system/central-system-options.ts";
export type { HandshakeRefusal } from "./central-system/handshake-refusal.ts";
export type {
  Registration,
  RegistrationStatus,
  Registrations,
  UnknownTransactions,
} from "./central-system/registrations.ts";
export { transactionMessageKey } from "./central-system/transaction-message-key.ts";
export type { AuthorizeOptions } from "./charge-point/authorizer.ts";
export { ChargePoint, type ChargePointCall } from "./charge-point/charge-point.ts";
export type { ChargePointEvents } from "./charge-point/charge-point-events.ts";
export type { ChargePointOptions, ReconnectOptions } from "./charge-point/charge-point-options.ts";
export type { RetryBackOff } from "./charge-point/reconnection.ts";
export { type Clock, systemClock } from "./clock.ts";
export {
  Configuration,
  type ConfigurationChange,
  type ConfigurationKeyOptions,
  type ConfigurationOptions,
  type ConfigurationVerdict,
  type StandardKeys,
  type VendorKey,
  type VendorKeys,
} from "./configuration/configuration.ts";
export {
  type ConfigurationKey,
  type ConfigurationValue,
  configurationKeys,
} from "./configuration/configuration-keys.ts";
export type { CallOptions } from "./connection/call-options.ts";
export { Connection, type Handler, type HandlerContext } from "./connection/connection.ts";
export type { ConnectionEvents, FinishedCall, Violation } from "./connection/connection-events.ts";
export type { ConnectionOptions } from "./connection/connection-options.ts";
export { connectionUrl, identityFromPath } from "./connection/connection-url.ts";
export { Emitter } from "./connection/emitter.ts";
export type { ExactAnswer, NoSuchField } from "./connection/exact-answer.ts";
export { redacted } from "./connection/redacted.ts";
export {
  type Channel,
  type Connect,
  type ConnectTarget,
  subprotocol,
  type Transport,
  type TransportListener,
} from "./connection/transport.ts";
export type { CandidateKey, CredentialRecord } from "./credentials/credential-record.ts";
export type { CredentialStore } from "./credentials/credential-store.ts";
export {
  type CredentialChange,
  type EnrolledCredentials,
  KnownCredentials,
  type KnownCredentialsOptions,
  type PresentedCredentials,
} from "./credentials/known-credentials.ts";
export { type Credential, OwnCredentials, type OwnCredentialsOptions } from "./credentials/own-credentials.ts";
export { type PasswordHash, type PasswordHashOptions, passwordHash } from "./credentials/password-hash.ts";
export type { DeadLetter } from "./delivery/dead-letter.ts";
export type { Undelivered } from "./delivery/deliveries.ts";
export type { DeliveredAction, DeliveryEvent, OutboxCall, TransactionCall } from "./delivery/delivery-event.ts";
export type { DiscardReason } from "./delivery/delivery-queue.ts";
export type { DeliveredReq } from "./delivery/outbox.ts";
export type {
  MeterReading,
  Transaction,
  TransactionMeterValues,
  TransactionStart,
  TransactionStop,
} from "./delivery/transaction.ts";
export {
  CallError,
  type CallErrorOptions,
  CallTimeoutError,
  ConnectionClosedError,
  type ErrorCode,
  errorCodes,
  HandshakeError,
  type HandshakeErrorOptions,
  type HandshakeFailure,
  NotAcceptedError,
  OcppError,
  PayloadError,
  type PayloadIssue,
} from "./errors.ts";
export { inTime } from "./in-time.ts";
export { drive, type Machine } from "./machine.ts";
export {
  type Action,
  type ActionFrom,
  type ActionTo,
  actions,
  type Conf,
  type FeatureProfile,
  type Req,
  type Role,
} from "./messages/actions.ts";
export { quirks, vendorQuirks } from "./messages/quirks.ts";
export {
  type ChargePointDescription,
  defineQuirks,
  type Flaw,
  type FrameRepair,
  type HandshakeRepair,
  type Mending,
  type PayloadRepair,
  type Quirk,
  type QuirkChoice,
  type QuirkRow,
  type QuirkSet,
  type Tolerated,
} from "./messages/tolerance.ts";
export { check } from "./messages/validate.ts";
export { type OptionRule, type OptionRules, optionRules, takeOptions } from "./options.ts";
export { Plausibility, type PlausibilityOptions } from "./plausibility/plausibility.ts";
export type { MeterExchange, PlausibilityState, RememberedTransaction } from "./plausibility/plausibility-state.ts";
export { type PlausibilityRule, plausibilityRules, type Suspect } from "./plausibility/suspect.ts";
export {
  type AppliedKey,
  type AppliedStatus,
  applyConfiguration,
  type ConfigurationApplying,
} from "./provisioning/apply-configuration.ts";
export {
  applyLocalAuthList,
  type LocalAuthListOutcome,
  type LocalAuthListSending,
  type SentLocalAuthList,
} from "./provisioning/apply-local-auth-list.ts";
export type { ChargerCaller } from "./provisioning/configured-charger.ts";
export { Provisioning } from "./provisioning/provisioning.ts";
export type {
  Provisioned,
  ProvisioningFailure,
  ProvisioningOptions,
  RequiredResets,
  ResetOutcome,
  SentLocalAuthLists,
  WantedProvisions,
} from "./provisioning/provisioning-options.ts";
export type { WantableKey, WantedConfiguration } from "./provisioning/wanted-configuration.ts";
export {
  type CallErrorFrame,
  type CallFrame,
  type CallResultFrame,
  decode,
  encode,
  type Frame,
  type Malformed,
} from "./rpc/frame.ts";
export {
  type DailyLimit,
  dailySchedule,
  limitUntil,
  type ProfileBasics,
  pauseFrom,
  type ScheduledLimit,
  scheduledLimits,
} from "./smart-charging/builders.ts";
export type {
  ChargingProfile,
  ChargingRateUnit,
  ChargingSchedule,
  ChargingSchedulePeriod,
  FrozenChargingProfile,
  InstalledProfile,
  Limit,
} from "./smart-charging/charging-profile.ts";
export {
  ChargingProfiles,
  type ChargingProfilesOptions,
  type ProfileFilter,
  type ProfileVerdict,
} from "./smart-charging/charging-profiles.ts";
export {
  type CompositeScheduleQuery,
  compositeSchedule,
  type LimitNow,
  type LimitQuery,
  limitAt,
} from "./smart-charging/composite-schedule.ts";
export { type ExplainedProfile, type Explanation, explain, type Standing } from "./smart-charging/explain.ts";
export {
  type ChargingProfileKeys,
  type ChargingTransaction,
  type KnownCharger,
  type ProfileRefusal,
  type ProfileRule,
  profileRefusal,
} from "./smart-charging/installation.ts";
export {
  type LimitChange,
  type RefusedProfile,
  SmartCharging,
  type SmartChargingOptions,
} from "./smart-charging/smart-charging.ts";
export { type ClockListener, soundClock } from "./sound-clock.ts";
export { namespace } from "./store/namespace.ts";
export { memoryStore, type RecordStore, type StoredRecord } from "./store/record-store.ts";
export { callVendorMessage, type VendorConf, type VendorMessageCaller } from "./vendor-messages/call-vendor-message.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./vendor-messages/standard-schema.ts";
export {
  type VendorInput,
  type VendorMessage,
  type VendorOutput,
  vendorMessage,
} from "./vendor-messages/vendor-message.ts";
export { type VendorAnswer, type VendorHandler, VendorMessages } from "./vendor-messages/vendor-messages.ts";
