import { request as httpRequest } from "node:http";
import { Connection } from "@ocppj/core";
import { connect } from "@ocppj/node";
import { describe, expect, it } from "vitest";
import { reading, start, stop, TestBackEnd } from "./test-back-end.ts";

const backEnd = new TestBackEnd();
const expiryDate = "2099-12-31T00:00:00Z";

/** All of a list, page by page, by following the header `Link`. */
async function pages(path: string): Promise<unknown[][]> {
  const found: unknown[][] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const response: Response = await fetch(backEnd.running.url + next);
    found.push((await response.json()) as unknown[]);
    [, next] = /^<(.+)>; rel="next"$/.exec(response.headers.get("Link") ?? "") ?? [];
  }
  return found;
}

describe("pages", () => {
  it.each<[path: string, key: string, prepare: () => Promise<void>]>([
    [
      "/chargers",
      "identity",
      async () => {
        for (const identity of ["CP 1/ü", "CP3", "CP2", "CP5", "CP4"]) await backEnd.boot(identity);
      },
    ],
    [
      "/id-tags",
      "idTag",
      async () => {
        for (const idTag of ["b", "A", "c&d", "E", "f"]) {
          backEnd.tables.idTags.put({ idTag, status: "Accepted", expiryDate: null, parentIdTag: null });
        }
      },
    ],
    [
      "/reservations",
      "identity",
      async () => {
        for (const identity of ["CP5", "CP3", "CP4", "CP1", "CP2"]) {
          const charger = await backEnd.boot(identity);
          charger.handle("ReserveNow", () => ({ status: "Accepted" }));
          const req = { reservationId: 7, connectorId: 1, idTag: "A", expiryDate }; // The same id, by the raw CALL.
          await backEnd.request(`/chargers/${identity}/calls/ReserveNow`, req);
        }
      },
    ],
    [
      "/transactions?identity=CP1",
      "transactionId",
      async () => {
        const charger = await backEnd.boot("CP1");
        for (let day = 1; day <= 5; day++) {
          await charger.call("StartTransaction", start({ timestamp: `2026-01-0${day}T08:00:00Z` }));
        }
      },
    ],
    [
      "/transactions/orphaned-stops",
      "transactionId",
      async () => {
        const charger = await backEnd.boot("CP1");
        for (const id of [9, 8, 7, 5, 6]) await charger.call("StopTransaction", stop(id, { meterStop: id }));
      },
    ],
    [
      "/transactions/suspicions",
      "suspicionId",
      async () => {
        const charger = await backEnd.boot("CP1");
        for (let day = 1; day <= 6; day++) {
          await charger.call("StartTransaction", start({ timestamp: `2026-01-0${day}T08:00:00Z` })); // While one runs.
        }
      },
    ],
  ])("of %s come one after the other, each row once", async (path, key, prepare) => {
    await prepare();
    const all = (await backEnd.request(path)).body as Record<string, unknown>[];
    expect(new Set(all.map((row) => row[key])).size).toBe(all.length);
    expect(all.length).toBeGreaterThanOrEqual(5);

    const found = await pages(`${path}${path.includes("?") ? "&" : "?"}limit=2`);
    expect(found.flat()).toEqual(all);
    expect(found.slice(0, 2).map((page) => page.length)).toEqual([2, 2]);
  });
});

describe("POST /transactions/:id/end", () => {
  const end = (id: number, body: object = {}) => backEnd.request(`/transactions/${id}/end`, body);

  it("ends one at its last reading, and its card may charge elsewhere", async () => {
    await backEnd.request("/id-tags/04E91C5A", { status: "Accepted" }, "PUT");
    const burned = await backEnd.boot("CP1");
    await burned.call("StartTransaction", start());
    await burned.call("MeterValues", reading(1, 5200.4, "2026-01-01T08:10:00Z"));
    const other = await backEnd.boot("CP2");
    const elsewhere = (timestamp: string) => other.call("StartTransaction", start({ timestamp }));
    expect((await elsewhere("2026-01-01T08:20:00Z")).idTagInfo.status).toBe("ConcurrentTx");

    expect(await end(1)).toMatchObject({
      status: 200,
      body: { meterStop: 5200, energyWh: 200, stopReason: "Operator" },
    });
    expect((await backEnd.request("/transactions?running=true&identity=CP1")).body).toEqual([]);
    expect((await elsewhere("2026-01-01T08:30:00Z")).idTagInfo.status).toBe("Accepted");
  });

  it("ends one at the meter that the operator has read; a stop that comes after all counts instead", async () => {
    const charger = await backEnd.boot();
    await charger.call("StartTransaction", start());
    expect((await end(1, { meterStop: 5100 })).body).toMatchObject({ meterStop: 5100, energyWh: 100 });

    await charger.call("StopTransaction", stop(1, { reason: "PowerLoss" }));
    const { body } = await backEnd.request("/transactions/1");
    expect(body).toMatchObject({ meterStop: 5360, energyWh: 360, stopReason: "PowerLoss" });
    expect((await backEnd.request("/transactions/orphaned-stops")).body).toEqual([]);
  });

  it.each([
    ["the start", 4999, []],
    ["the last reading", 5199, [5200.4]],
    ["the last reading of a meter that began anew", 99, [5200.4, 100]],
  ] as const)("refuses a meter below %s, and the stop that comes counts", async (_, meterStop, readings) => {
    const charger = await backEnd.boot();
    await charger.call("StartTransaction", start());
    for (const [minute, wh] of readings.entries()) {
      await charger.call("MeterValues", reading(1, wh, `2026-01-01T08:1${minute}:00Z`));
    }
    const refused = await end(1, { meterStop });
    expect(refused).toMatchObject({ status: 422, body: { error: "invalid", issues: [{ path: "meterStop" }] } });
    expect((await backEnd.request("/transactions/1")).body).toMatchObject({ stoppedAt: null, meterStop: null });

    await charger.call("StopTransaction", stop(1));
    const energyWh = readings.length > 1 ? null : 360;
    expect((await backEnd.request("/transactions/1")).body).toMatchObject({ meterStop: 5360, energyWh });
  });

  it("ends at the start one whose last reading is a little lower, by rounding", async () => {
    const charger = await backEnd.boot();
    await charger.call("StartTransaction", start());
    await charger.call("MeterValues", reading(1, 4999.4, "2026-01-01T08:10:00Z"));

    expect((await end(1)).body).toMatchObject({ meterStop: 5000, energyWh: 0 });
  });

  it("a figure of the operator's that proves too high leaves no trace in the bill", async () => {
    const charger = await backEnd.boot();
    await charger.call("StartTransaction", start());
    expect((await end(1, { meterStop: 99_000 })).body).toMatchObject({ energyWh: 94_000 });

    await charger.call("StopTransaction", stop(1));
    expect((await backEnd.request("/transactions/1")).body).toMatchObject({ meterStop: 5360, energyWh: 360 });
  });

  it("refuses what has ended, what there is not, and nonsense", async () => {
    const charger = await backEnd.boot();
    await charger.call("StartTransaction", start());
    expect(await end(1, { meterStop: 1.5 })).toMatchObject({ status: 422, body: { error: "invalid" } });
    await charger.call("StopTransaction", stop(1));

    expect(await end(1)).toMatchObject({ status: 409, body: { error: "ended" } });
    expect(await end(2)).toMatchObject({ status: 404, body: { error: "unknown-transaction" } });
  });
});

describe("GET /health", () => {
  it("answers whoever asks, without a token and under any name, and tells nothing more", async () => {
    await backEnd.stop();
    await backEnd.start({ token: "a long secret" });
    const url = new URL("/health", backEnd.running.url);
    const status = await new Promise((resolve) => {
      httpRequest(url, { headers: { host: "10.0.0.7" } }, (response) => resolve(response.resume().statusCode)).end();
    });

    expect(status).toBe(200);
    expect(await backEnd.request("/health")).toEqual({ status: 200, body: { status: "serving" } });
  });

  it("says that the back end leaves, while its chargers are moved", async () => {
    const { chargersUrl } = backEnd.running;
    const charger = new Connection(await connect()({ url: chargersUrl, identity: "CP1" }), {
      role: "ChargePoint",
      identity: "CP1",
    });
    await charger.call("BootNotification", { chargePointVendor: "VENDOR", chargePointModel: "CP001" });
    const asked = new Promise((resolve) => {
      backEnd.running.centralSystem.once("disconnected", () => resolve(backEnd.request("/health")));
    });
    await backEnd.stop();

    expect(await asked).toEqual({ status: 503, body: { status: "leaving" } });
  });
});
