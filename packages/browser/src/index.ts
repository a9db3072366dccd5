export { type ConnectOptions, connect } from "./connect.ts";
export { durableStore } from "./durable-store.ts";
export type { TransportOptions } from "./web-socket-transport.ts";
