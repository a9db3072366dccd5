import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CallError, ChargePoint, type ChargePointEvents } from "@ocppj/core";
import { connect, durableStore } from "@ocppj/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startBackEnd } from "./back-end.ts";
import { boot, start, stop, TestBackEnd } from "./test-back-end.ts";

/** Resolves with the next event of a kind that is as wanted. */
function next<E extends keyof ChargePointEvents>(
  chargePoint: ChargePoint,
  name: E,
  wanted: (event: ChargePointEvents[E][0]) => boolean = () => true,
): Promise<ChargePointEvents[E][0]> {
  return new Promise((resolve) => {
    const listener = (event: ChargePointEvents[E][0]): void => {
      if (!wanted(event)) return;
      chargePoint.off(name, listener as never);
      resolve(event);
    };
    chargePoint.on(name, listener as never);
  });
}

describe("a session with a restart in its middle", () => {
  const backEnd = new TestBackEnd();
  let store: string;
  let chargePoint: ChargePoint;

  beforeEach(async () => {
    await backEnd.request("/id-tags/04E91C5A", { status: "Accepted" }, "PUT");
    store = await mkdtemp(join(tmpdir(), "ocppj-back-end-charger-"));
  });
  afterEach(async () => {
    await chargePoint.stop();
    await rm(store, { recursive: true });
  });

  it("loses nothing, and has one transaction in the end", async () => {
    const port = Number(new URL(backEnd.running.chargersUrl).port);
    const queue = durableStore(store);
    chargePoint = new ChargePoint({
      identity: "CP001",
      url: backEnd.running.chargersUrl,
      connect: connect(),
      boot,
      store: queue,
      retryBackOffWaitMinimum: 0.05,
      retryBackOffRandomRange: 0.05,
    });
    const registered = next(chargePoint, "registration");
    await chargePoint.start();
    await registered;
    const started = next(chargePoint, "delivered", ({ call }) => call.action === "StartTransaction");
    const transaction = chargePoint.startTransaction({ connectorId: 1, idTag: "04E91C5A", meterStart: 1000 });
    await started;

    const offline = next(chargePoint, "disconnected");
    await backEnd.stop();
    expect(await offline).toMatchObject({ code: 1012 });
    const timestamp = new Date(chargePoint.now()).toISOString();
    transaction.meterValues({ meterValue: [{ timestamp, sampledValue: [{ value: "1100" }] }] });
    transaction.stop({ idTag: "04E91C5A", meterStop: 1200 });
    const second = chargePoint.startTransaction({ connectorId: 1, idTag: "04E91C5A", meterStart: 1200 });
    second.stop({ meterStop: 1300, reason: "PowerLoss" });

    const delivered = next(chargePoint, "delivered", ({ call }) => "reason" in call.req);
    await backEnd.start({ chargers: { port } });
    await delivered;
    expect((await backEnd.request("/transactions")).body).toMatchObject([
      { transactionId: 2, meterStart: 1200, meterStop: 1300, stopReason: "PowerLoss", idTagStatus: "Accepted" },
      { transactionId: 1, meterStart: 1000, meterStop: 1200, stopReason: "Local", energyWh: 200 },
    ]);
    expect((await backEnd.request("/transactions/1")).body.meterValues).toEqual([
      { timestamp, sampledValue: [{ value: "1100" }] },
    ]);
    await queue.close();
  });
});

describe("AuthorizationKey", () => {
  const backEnd = new TestBackEnd({});
  const old = "00".repeat(16);
  const fresh = randomBytes(20).toString("hex");
  const admit = (authorizationKey = old) =>
    backEnd.request("/chargers/CP001", { admission: "Accepted", authorizationKey }, "PUT");
  const change = (value: string) =>
    backEnd.request("/chargers/CP001/calls/ChangeConfiguration", { key: "authorizationkey", value });
  const boots = (authorizationKey: string) => backEnd.boot("CP001", { authorizationKey });

  it("lets in who presents it, and nobody else [J-030] [SEC-A00-207]", async () => {
    await admit();

    await boots(old);
    await expect(boots(fresh)).rejects.toMatchObject({ reason: "unauthorized", status: 401 });
    await expect(backEnd.boot("CP001")).rejects.toMatchObject({ reason: "unauthorized" });
    await expect(backEnd.boot("CP002")).rejects.toMatchObject({ reason: "unknown-identity", status: 404 });
  });

  it("is forgotten by nobody in a restart", async () => {
    await admit();
    await backEnd.stop();
    await backEnd.start();

    await boots(old);
    await expect(boots(fresh)).rejects.toMatchObject({ reason: "unauthorized" });
  });

  it("is changed with ChangeConfiguration; when the charger has it, the old one is worth nothing [SEC-A01-03]", async () => {
    await admit();
    const charger = await boots(old);
    charger.handle("ChangeConfiguration", () => ({ status: "Accepted" }));

    expect(await change(fresh)).toEqual({ status: 200, body: { status: "Accepted" } });
    charger.close();
    await expect(boots(old)).rejects.toMatchObject({ reason: "unauthorized" });
    await boots(fresh);
  });

  it("stays as it was when the charger does not take the new one [SEC-A01-04]", async () => {
    await admit();
    const charger = await boots(old);
    charger.handle("ChangeConfiguration", () => ({ status: "Rejected" }));

    expect(await change(fresh)).toEqual({ status: 200, body: { status: "Rejected" } });
    charger.close();
    await expect(boots(fresh)).rejects.toMatchObject({ reason: "unauthorized" });
    await boots(old);
  });

  it("may be the old or the new one while nobody knows which, after a restart, too", async () => {
    await admit();
    const charger = await boots(old);
    charger.handle("ChangeConfiguration", () => {
      charger.close();
      return { status: "Accepted" };
    });

    expect(await change(fresh)).toMatchObject({ status: 502, body: { error: "disconnected", sent: true } });
    await backEnd.stop();
    await backEnd.start();
    await boots(fresh);
    await expect(boots(old)).rejects.toMatchObject({ reason: "unauthorized" });
  });

  it("is nowhere to be read in the file or on the page", async () => {
    await admit();
    const charger = await boots(old);
    let status: "Accepted" | undefined = "Accepted";
    charger.handle("ChangeConfiguration", ({ key, value }) => {
      if (status !== undefined) return { status };
      throw new CallError("GenericError", `${key} ${value} is too weak.`, { details: { key, value } });
    });
    charger.handle("GetConfiguration", () => ({
      configurationKey: [{ key: "AuthorizationKey", readonly: false, value: fresh }],
    }));
    await change(fresh);
    status = undefined;
    await change(fresh);
    await backEnd.request("/chargers/CP001/calls/GetConfiguration", {});
    await backEnd.request("/chargers/CP001/calls/GetDiagnostics", { location: "ftp://user:pass@word@example.com/a" });

    const events = await firstEventOf(`${backEnd.running.url}/live`);
    expect(events).toContain("AuthorizationKey");
    expect(events).toContain("//•••@example.com");
    expect(events).not.toMatch(new RegExp(`${fresh}|${old}|pass|scrypt`));
    expect(JSON.stringify(await backEnd.tables.chargers.credentials.get("CP001"))).not.toMatch(fresh);
  });

  it("of a charger that has one must be presented even where the rest is open", async () => {
    await admit();
    await backEnd.stop();
    await backEnd.start({ open: true });

    await boots(old);
    await expect(backEnd.boot("CP001")).rejects.toMatchObject({ reason: "unauthorized" });
    await backEnd.boot("CP002");
  });

  it("is learned from ChangeConfiguration where a charger had none", async () => {
    await backEnd.stop();
    await backEnd.start({ open: true, ocpp: { newcomers: "Accepted" } });
    const charger = await backEnd.boot();
    charger.handle("ChangeConfiguration", () => ({ status: "Accepted" }));
    await change(fresh);
    charger.close();

    await expect(backEnd.boot()).rejects.toMatchObject({ reason: "unauthorized" });
    await boots(fresh);
  });
});

async function firstEventOf(url: string): Promise<string> {
  const { body } = await fetch(url);
  let text = "";
  const reader = body?.getReader();
  while (!text.includes("\n\n")) text += Buffer.from((await reader?.read())?.value ?? []).toString();
  await reader?.cancel();
  return text;
}

describe("the database", () => {
  const backEnd = new TestBackEnd();

  it("is on the disk before a charger has its answer", async () => {
    const { database } = backEnd.tables;
    const pragma = (name: string) =>
      Object.values(database.prepare<Record<string, unknown>>(`PRAGMA ${name}`).one() ?? {});

    expect(pragma("journal_mode")).toEqual(["wal"]);
    expect(pragma("synchronous")).toEqual([2]); // FULL
  });

  it("writes all or nothing", () => {
    const { database, transactions, chargers } = backEnd.tables;
    chargers.connected("CP001", "Accepted");

    expect(() =>
      database.atomic(() => {
        transactions.start("CP001", start(), "Accepted");
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(transactions.list({ limit: 1 })).toEqual([]);
  });

  it("refuses a file of a later version", async () => {
    backEnd.tables.database.prepare("PRAGMA user_version = 99").run();
    await backEnd.stop();

    await expect(backEnd.start()).rejects.toThrow("version 99");
  });
});

describe("start", () => {
  const backEnd = new TestBackEnd();

  it.each(["chargers", "api"] as const)(
    "says that the port of the %s is taken, and leaves nothing open",
    async (which) => {
      const { port } = new URL(which === "api" ? backEnd.running.url : backEnd.running.chargersUrl);
      await expect(startBackEnd({ file: ":memory:", [which]: { port: Number(port) } })).rejects.toThrow("EADDRINUSE");
    },
  );
});

describe("close", () => {
  const backEnd = new TestBackEnd();

  it("asks the chargers to come back, and those who read the page to go", async () => {
    const charger = await backEnd.boot();
    await charger.call("StopTransaction", stop(1));
    const closed = new Promise((resolve) => charger.once("closed", resolve));
    const { body } = await fetch(`${backEnd.running.url}/live`);
    await backEnd.stop();

    expect(await closed).toMatchObject({ code: 1012 });
    await expect(body?.pipeTo(new WritableStream())).rejects.toThrow("terminated");
  });
});
