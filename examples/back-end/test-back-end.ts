import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection, type Req } from "@ocppj/core";
import { connect } from "@ocppj/node";
import { afterEach, beforeEach, expect } from "vitest";
import { type BackEnd, type BackEndOptions, startBackEnd } from "./back-end.ts";

/** A back end on a file of its own for each test of a file, which can be restarted. */
export class TestBackEnd {
  readonly #options: Partial<BackEndOptions>;
  readonly #connections: Connection<"ChargePoint">[] = [];
  readonly #faults: unknown[] = [];
  #running: BackEnd | undefined;
  #folder = "";

  /** @param options - Besides the file. Default: everybody may connect, and is accepted. */
  constructor(options: Partial<BackEndOptions> = { open: true, ocpp: { newcomers: "Accepted" } }) {
    this.#options = options;
    beforeEach(async () => {
      this.#folder = await mkdtemp(join(tmpdir(), "ocppj-back-end-"));
      await this.start();
    });
    afterEach(async () => {
      await this.stop();
      for (const connection of this.#connections.splice(0)) connection.close();
      await rm(this.#folder, { recursive: true });
      expect(this.#faults.splice(0)).toEqual([]); // Nothing of ours has failed behind the scenes.
    });
  }

  get running(): BackEnd {
    if (this.#running === undefined) throw new Error("The back end does not run.");
    return this.#running;
  }

  get tables() {
    return this.running.tables;
  }

  /** Starts it on the same file, by default on other ports. */
  async start(options: Partial<BackEndOptions> = {}): Promise<void> {
    this.#running = await startBackEnd({ file: join(this.#folder, "test.sqlite"), ...this.#options, ...options });
    this.#running.centralSystem.on("fault", ({ error }) => this.#faults.push(error));
  }

  async stop(): Promise<void> {
    await this.#running?.close();
    this.#running = undefined;
  }

  /** Connects a charger that says exactly what the test wants. */
  async connect(identity = "CP001", options: Parameters<typeof connect>[0] = {}): Promise<Connection<"ChargePoint">> {
    const transport = await connect(options)({ url: this.running.chargersUrl, identity });
    const connection = new Connection(transport, { role: "ChargePoint", identity });
    this.#connections.push(connection);
    return connection;
  }

  /** Connects a charger and has it accepted. */
  async boot(identity = "CP001", options: Parameters<typeof connect>[0] = {}): Promise<Connection<"ChargePoint">> {
    const connection = await this.connect(identity, options);
    await connection.call("BootNotification", boot);
    return connection;
  }

  /** A request to the API; a body makes it a POST, unless `method` says otherwise. */
  async request(path: string, body?: unknown, method = body === undefined ? "GET" : "POST"): Promise<ApiAnswer> {
    const response = await fetch(this.running.url + path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }
}

export interface ApiAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of all shapes.
  readonly body: any;
}

export const boot = { chargePointVendor: "VENDOR", chargePointModel: "CP001" };

/** Everyday payloads, and what the test wants otherwise. */
export const start = (other: Partial<Req<"StartTransaction">> = {}): Req<"StartTransaction"> => ({
  connectorId: 1,
  idTag: "04E91C5A",
  meterStart: 5000,
  timestamp: "2026-01-01T08:00:00Z",
  ...other,
});

export const stop = (transactionId: number, other: Partial<Req<"StopTransaction">> = {}): Req<"StopTransaction"> => ({
  transactionId,
  meterStop: 5360,
  timestamp: "2026-01-01T09:00:00Z",
  ...other,
});

export const reading = (transactionId: number, wh: number, timestamp: string): Req<"MeterValues"> => ({
  connectorId: 1,
  transactionId,
  meterValue: [{ timestamp, sampledValue: [{ value: String(wh) }] }],
});
