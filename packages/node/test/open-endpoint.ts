import { CentralSystem, type CentralSystemEvents, type CentralSystemOptions } from "@ocppj/core";
import { onTestFinished } from "vitest";
import { listen } from "../src/listen.ts";
import type { ListenOptions } from "../src/listen-options.ts";
import { handshake, RawSocket } from "./raw-socket.ts";

/** The Charge Points that need not send a BootNotification first. */
const known = ["CP001", "CP002", "CP003"];

/** A Central System with an endpoint at `/ocpp`, until the test has finished, and what it is told. */
export async function openEndpoint(options: ListenOptions = {}, more: CentralSystemOptions = {}) {
  const registrations = new Map(known.map((identity) => [identity, "Accepted" as const]));
  const central = new CentralSystem({ registrations, ...more });
  const refused: CentralSystemEvents["refused"][0][] = [];
  const faults: CentralSystemEvents["fault"][0][] = [];
  const connected: string[] = [];
  central.handle("BootNotification", () => ({
    status: "Accepted",
    currentTime: "2026-01-01T00:00:00Z",
    interval: 300,
  }));
  central.handle("Heartbeat", () => ({ currentTime: "2026-01-01T00:00:00Z" }));
  central.on("refused", (event) => refused.push(event));
  central.on("fault", (event) => faults.push(event));
  central.on("connected", ({ identity }) => connected.push(identity));
  const listener = await listen(central, { path: "/ocpp", pingIntervalMs: 0, ...options });
  onTestFinished(() => listener.close());
  return { central, listener, refused, faults, connected };
}

/** A bare TCP connection, until the test has finished. */
export async function open(port: number): Promise<RawSocket> {
  const peer = await RawSocket.open(port);
  onTestFinished(() => void peer.socket.destroy());
  return peer;
}

/** Sends an opening handshake for `/ocpp` and an identity over a bare TCP connection. */
export async function shake(port: number, identity: string, ...more: readonly string[]): Promise<RawSocket> {
  const peer = await open(port);
  peer.request(...handshake(`/ocpp/${identity}`, offer, ...more));
  return peer;
}

/** The header that offers the subprotocol. */
export const offer = "Sec-WebSocket-Protocol: ocpp1.6";

/** An `Authorization` header of the scheme Basic. */
export const basic = (credentials: string): string =>
  `Authorization: Basic ${Buffer.from(credentials).toString("base64")}`;

/** The HTTP status of the answer. */
export const statusOf = async (peer: RawSocket): Promise<number> => Number((await peer.head()).split(" ")[1]);
