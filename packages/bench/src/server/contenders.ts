import { CentralSystem } from "@ocppj/core";
import { listen } from "@ocppj/node";
import { RPCServer } from "ocpp-rpc";
import { type WebSocket, WebSocketServer } from "ws";

/** A central system that answers what chargers send, and can call them. */
interface Contender {
  /** Where chargers connect, without their identity. */
  readonly url: string;
  call(identity: string, action: string, req: object): Promise<unknown>;
}

const accepted = { status: "Accepted", interval: 86_400 };
const currentTime = (): string => new Date().toISOString();

/** What every contender answers. */
const answers: Readonly<Record<string, () => object>> = {
  BootNotification: () => ({ ...accepted, currentTime: currentTime() }),
  Heartbeat: () => ({ currentTime: currentTime() }),
  StatusNotification: () => ({}),
  MeterValues: () => ({}),
};

/** The least that can be written: it checks nothing, and what goes wrong is lost. */
async function bare(): Promise<Contender> {
  const chargers = new Map<string, WebSocket>();
  const pending = new Map<string, (conf: unknown) => void>();
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "ocpp1.6" });
  server.on("connection", (webSocket, { url = "" }) => {
    chargers.set(url.slice(1), webSocket);
    webSocket.on("message", (data) => {
      const [type, messageId, action] = JSON.parse(String(data));
      if (type === 2) webSocket.send(JSON.stringify([3, messageId, answers[action]?.()]));
      else {
        pending.get(messageId)?.(action);
        pending.delete(messageId);
      }
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  let latest = 0;
  return {
    url: `ws://127.0.0.1:${portOf(server)}`,
    call: (identity, action, req) =>
      new Promise((resolve) => {
        const messageId = String(++latest);
        pending.set(messageId, resolve);
        chargers.get(identity)?.send(JSON.stringify([2, messageId, action, req]));
      }),
  };
}

async function ocppRpc(): Promise<Contender> {
  type Client = {
    identity: string;
    handle(action: string, handler: () => object): void;
    call(action: string, req: object): Promise<unknown>;
  };
  const chargers = new Map<string, Client>();
  const server = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true });
  server.on("client", (client: Client) => {
    chargers.set(client.identity, client);
    for (const [action, answer] of Object.entries(answers)) client.handle(action, answer);
  });
  const url = `ws://127.0.0.1:${portOf(await server.listen(0, "127.0.0.1"))}`;
  return { url, call: async (identity, action, req) => chargers.get(identity)?.call(action, req) };
}

async function ocppj(): Promise<Contender> {
  const centralSystem = new CentralSystem();
  for (const [action, answer] of Object.entries(answers)) centralSystem.handle(action as never, answer as never);
  const { url } = await listen(centralSystem, { path: "/ocpp" });
  return {
    url,
    call: async (identity, action, req) => centralSystem.get(identity)?.call(action as never, req as never),
  };
}

const portOf = (server: { address(): unknown }): number => (server.address() as { port: number }).port;

export const contenders = { bare, "ocpp-rpc": ocppRpc, ocppj } as const;

export type ContenderName = keyof typeof contenders;
