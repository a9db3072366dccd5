/* Chargers in a process of their own: as little as can send CALLs at given times, whoever answers. */
import { WebSocket } from "ws";
import { serveOrders } from "./child.ts";

/** A charger: its socket, and when each CALL was due that is not answered yet. */
interface Charger {
  readonly webSocket: WebSocket;
  readonly due: Map<string, number>;
}

const chargers: Charger[] = [];
let latencies: number[] = [];
let refused = 0;
let latest = 0;

const boot = { chargePointVendor: "V", chargePointModel: "M" };
const status = { connectorId: 1, errorCode: "NoError", status: "Available" };
const configured = { configurationKey: [{ key: "HeartbeatInterval", readonly: false, value: "300" }] };

function connected(url: string): Promise<Charger> {
  const webSocket = new WebSocket(url, "ocpp1.6", { perMessageDeflate: false });
  const charger = { webSocket, due: new Map<string, number>() };
  webSocket.on("message", (data) => {
    const [type, messageId] = JSON.parse(String(data));
    if (type === 2) webSocket.send(JSON.stringify([3, messageId, configured]));
    else {
      if (type === 4) refused++;
      latencies.push(performance.now() - (charger.due.get(messageId) ?? 0));
      charger.due.delete(messageId);
    }
  });
  webSocket.on("close", (code, reason) => {
    if (chargers.includes(charger)) throw new Error(`A charger was closed with ${code}: ${reason}`);
  });
  return new Promise((resolve, reject) => webSocket.on("open", () => resolve(charger)).on("error", reject));
}

function call({ webSocket, due }: Charger, action: string, payload: string, time = performance.now()): void {
  const messageId = `8b0b3d1c-5a0e-4f6e-9d0c-${String(++latest).padStart(12, "0")}`;
  due.set(messageId, time);
  webSocket.send(`[2,"${messageId}","${action}",${payload}]`);
}

async function answeredAll(those: readonly Charger[]): Promise<void> {
  while (those.some(({ due }) => due.size > 0)) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Connects, boots, and sends a status. */
async function started(url: string): Promise<Charger> {
  const charger = await connected(url);
  call(charger, "BootNotification", JSON.stringify(boot));
  await answeredAll([charger]);
  call(charger, "StatusNotification", JSON.stringify(status));
  await answeredAll([charger]);
  return charger;
}

export const orders = {
  /** Lets so many chargers connect, boot and send a status, a hundred at a time. */
  connect: async ({ url, count }: { url: string; count: number }) => {
    let next = 0;
    const line = async (): Promise<void> => {
      while (next < count) chargers.push(await started(`${url}/CP${next++}`));
    };
    await Promise.all(Array.from({ length: Math.min(count, 100) }, line));
    latencies = [];
  },

  /** Sends CALLs in turns, so many per second whether or not earlier ones were answered. Latencies count from when each was due. */
  send: async ({
    action,
    payload,
    perSecond,
    seconds,
  }: {
    action: string;
    payload: string;
    perSecond: number;
    seconds: number;
  }) => {
    latencies = [];
    refused = 0;
    const begin = performance.now();
    for (let sent = 0; sent < perSecond * seconds; ) {
      const now = performance.now();
      for (; sent < perSecond * seconds; sent++) {
        const time = begin + (sent / perSecond) * 1000;
        const charger = chargers[sent % chargers.length];
        if (time > now || charger === undefined) break;
        call(charger, action, payload, time);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await answeredAll(chargers);
    const sorted = latencies.sort((a, b) => a - b);
    const percentile = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
    return { answered: sorted.length, refused, p50: percentile(0.5), p99: percentile(0.99), most: percentile(1) };
  },
};

serveOrders(orders);
