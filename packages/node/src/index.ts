export { isAuthorizationKey } from "./basic-authorization.ts";
export { type ConnectOptions, connect, type NetworkOptions } from "./connect.ts";
export { type DurableStoreOptions, durableStore } from "./durable-store.ts";
export type {
  Authenticate,
  AuthenticationAttempt,
  AuthenticationDecision,
  EndpointOptions,
} from "./endpoint-options.ts";
export type { Health } from "./health.ts";
export { type ListenOptions, listen } from "./listen.ts";
export type { Listener } from "./listener.ts";
export type { PeerLimits } from "./peer-limits.ts";
export type { RevocationList } from "./revocation-list.ts";
export {
  type ChargePointCertificateSubject,
  isChargePointCertificate,
  type SecurityProfile,
  type TlsOptions,
} from "./security-profile.ts";
export type { TransportOptions } from "./web-socket-transport.ts";
