export { type ConnectOptions, connect } from "./connect.ts";
export type { Authenticate, AuthenticationAttempt, EndpointOptions } from "./endpoint.ts";
export { type Listener, type ListenOptions, listen } from "./listen.ts";
export { type QueueStoreOptions, queueStore } from "./queue-store.ts";
export type { TransportOptions } from "./web-socket-transport.ts";
