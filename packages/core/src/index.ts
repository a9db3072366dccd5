export { type Clock, systemClock } from "./clock.ts";
export { connectionUrl, identityFromPath } from "./connection/connection-url.ts";
export {
  type Connect,
  type ConnectTarget,
  subprotocol,
  type Transport,
  type TransportListener,
} from "./connection/transport.ts";
export {
  CallError,
  type CallErrorOptions,
  CallTimeoutError,
  ConnectionClosedError,
  type ErrorCode,
  errorCodes,
  HandshakeError,
  type HandshakeFailure,
  NotAcceptedError,
  OcppError,
  PayloadError,
  type PayloadIssue,
} from "./errors.ts";
export { drive, type Machine } from "./machine.ts";
