export { type ConnectOptions, connect, type NetworkOptions } from "./connect.ts";
export { isAuthorizationKey } from "./handshake/basic-authorization.ts";
export type {
  Authenticate,
  AuthenticationAttempt,
  AuthenticationDecision,
  EndpointOptions,
} from "./handshake/endpoint-options.ts";
export type { Health } from "./handshake/health.ts";
export type { PeerLimits } from "./handshake/peer-limits.ts";
export { listen } from "./listen.ts";
export type { ListenOptions } from "./listen-options.ts";
export type { Listener } from "./listener.ts";
export { type DurableStoreOptions, durableStore } from "./store/durable-store.ts";
export type { RevocationList } from "./tls/revocation-list.ts";
export {
  type ChargePointCertificateSubject,
  isChargePointCertificate,
  type SecurityProfile,
  type TlsOptions,
} from "./tls/security-profile.ts";
export type { TransportOptions } from "./transport/web-socket-transport.ts";
