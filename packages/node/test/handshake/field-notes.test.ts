/*
 * What real firmware was seen to do, where it takes a socket to show it. The numbers are those of the field notes; all
 * others are in packages/core/test/central-system/field-notes.test.ts.
 */
import { CentralSystem, type CentralSystemOptions } from "@ocppj/core";
import { afterEach, describe, expect, test } from "vitest";
import { listen } from "../../src/listen.ts";
import { clientFrame, handshake, RawSocket } from "../raw-socket.ts";

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const currentTime = "2026-01-01T00:00:00Z";
const offer = "Sec-WebSocket-Protocol: ocpp1.6";

/** A Central System that writes down who comes and goes, and chargers that are bare sockets. */
async function site(options: CentralSystemOptions = {}) {
  const centralSystem = new CentralSystem(options);
  const log: string[] = [];
  centralSystem.on("connected", ({ identity }) => log.push(`${identity} connected`));
  centralSystem.on("disconnected", ({ identity, code }) => log.push(`${identity} ${code}`));
  centralSystem.on("refused", ({ identity, reason }) => log.push(`${identity} ${reason}`));
  centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime, interval: 300 }));
  centralSystem.handle("Heartbeat", () => ({ currentTime }));
  const listener = await listen(centralSystem, { pingIntervalMs: 0, path: "/ocpp" });
  opened.push(() => listener.close());
  const connect = async (request = handshake("/ocpp/CP001", offer)): Promise<RawSocket> => {
    const charger = await RawSocket.open(listener.port);
    opened.push(() => charger.socket.destroy());
    charger.request(...request);
    return charger;
  };
  return { centralSystem, log, connect };
}

/** Sends a CALL and takes its answer. */
async function call(charger: RawSocket, text: string): Promise<unknown> {
  charger.write(clientFrame(1, text));
  const { payload } = await charger.frame();
  return JSON.parse(payload.toString());
}

const boot = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]';
const heartbeat = '[2,"1","Heartbeat",{}]';

describe("A charger that loses its connection", () => {
  test.each([
    ["ends without a close frame", (charger: RawSocket) => charger.socket.end()],
    ["is reset", (charger: RawSocket) => charger.socket.resetAndDestroy()],
  ])(
    "which %s, is served on the next one without a BootNotification [field note 6] [J-132] [J-160]",
    async (_, lose) => {
      const { centralSystem, log, connect } = await site();
      const before = await connect();
      expect(await before.head()).toMatch(/^HTTP\/1\.1 101 /);
      expect(await call(before, boot)).toMatchObject([3, "1", { status: "Accepted" }]);
      const gone = new Promise((resolve) => centralSystem.once("disconnected", resolve));
      lose(before);
      await gone;
      const after = await connect();
      expect(await after.head()).toMatch(/^HTTP\/1\.1 101 /);
      expect(await call(after, heartbeat)).toEqual([3, "1", { currentTime }]);
      expect(log).toEqual(["CP001 connected", "CP001 1006", "CP001 connected"]);
    },
  );

  test("unnoticed by this end gets through on the next one once the old one has not answered a ping [field note 6] [Q20]", async () => {
    const { log, connect } = await site({ probeTimeoutMs: 100 });
    const before = await connect();
    await before.head();
    before.socket.pause(); // It is there, and will never answer a ping.
    const newcomer = await connect();
    expect(await newcomer.head()).toMatch(/^HTTP\/1\.1 101 /);
    expect(log).toEqual(["CP001 connected", "CP001 1008", "CP001 connected"]);
  });
});

describe("An upgrade request", () => {
  test("may say Host without a port [field note 13]", async () => {
    const { log, connect } = await site();
    const lines = handshake("/ocpp/CP001", offer).map((line) => line.replace(/^Host: .*/, "Host: central.example.com"));
    expect(lines).toContain("Host: central.example.com");
    const charger = await connect(lines);
    expect(await charger.head()).toMatch(/^HTTP\/1\.1 101 /);
    expect(await call(charger, boot)).toMatchObject([3, "1", { status: "Accepted" }]);
    expect(log).toEqual(["CP001 connected"]);
  });
});
