/**
 * The npm package ocpp-rpc in its strict mode, which validates what it sends and what it receives against the JSON schemas
 * of OCPP 1.6. Its declarations ask for every option, and for an argument of close; here all have a default.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { RPCClient, RPCServer } from "ocpp-rpc";

type ClientOptions = ConstructorParameters<typeof RPCClient>[0];
type ServerOptions = ConstructorParameters<typeof RPCServer>[0];

/** Settings of a Charge Point of ocpp-rpc. */
export type TheirChargePointOptions = Partial<Omit<ClientOptions, "password" | "backoff">> & {
  readonly password?: string | Uint8Array;
  readonly backoff?: Partial<ClientOptions["backoff"]>;
};

/** A Charge Point of ocpp-rpc; `connect` has yet to be called. It does not reconnect unless told so. */
export function theirChargePoint(url: string, options: TheirChargePointOptions = {}): RPCClient {
  return new RPCClient({
    // It puts a slash and the identity behind the endpoint, whether or not that ends in one.
    endpoint: url.replace(/\/$/, ""),
    identity: "CP001",
    protocols: ["ocpp1.6"],
    strictMode: true,
    reconnect: false,
    ...options,
  } as ClientOptions);
}

/** A Central System of ocpp-rpc that listens. */
export interface TheirCentralSystem {
  readonly server: RPCServer;
  readonly url: string;
  /** Its end of the next connection. */
  client(): Promise<RPCClient>;
  close(): Promise<void>;
}

/** Opens a Central System of ocpp-rpc on a free port of this machine, or on one given. */
export async function theirCentralSystem(options: ServerOptions = {}, port = 0): Promise<TheirCentralSystem> {
  const server = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true, ...options });
  const http = await server.listen(port, "127.0.0.1");
  return {
    server,
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ocpp`,
    client: async () => (await once(server, "client"))[0] as RPCClient,
    async close() {
      if (!http.listening) return;
      // Its own close resolves before anything is closed.
      await Promise.all([once(http, "close"), server.close({})]);
    },
  };
}

/** Collects what an end of ocpp-rpc has to say against its peer, or against what it is told to send. */
export function complaintsOf(client: RPCClient, complaints: string[]): void {
  client.on("strictValidationFailure", ({ method, outbound, isCall, error }) => {
    const whose = outbound ? "its own" : "our";
    complaints.push(`ocpp-rpc: ${whose} ${method}.${isCall ? "req" : "conf"} is invalid: ${(error as Error).message}`);
  });
  client.on("badMessage", ({ error }) => complaints.push(`ocpp-rpc: bad message: ${(error as Error).message}`));
  client.on("socketError", (error: Error) => complaints.push(`ocpp-rpc: socket error: ${error.message}`));
}
