export { type ConnectOptions, connect } from "./connect.ts";
export { queueStore } from "./queue-store.ts";
export type { TransportOptions } from "./web-socket-transport.ts";
