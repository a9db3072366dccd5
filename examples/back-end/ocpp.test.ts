import type { Connection } from "@ocppj/core";
import { beforeEach, describe, expect, it } from "vitest";
import { boot, reading, start, stop, TestBackEnd } from "./test-back-end.ts";

const backEnd = new TestBackEnd();

beforeEach(() => {
  const { idTags } = backEnd.tables;
  const forEver = { expiryDate: null, parentIdTag: null };
  idTags.put({ idTag: "04E91C5A", status: "Accepted", ...forEver });
  idTags.put({ idTag: "FAMILY-1", status: "Accepted", expiryDate: "2099-01-01T00:00:00Z", parentIdTag: "FAMILY" });
  idTags.put({ idTag: "OLD", status: "Accepted", expiryDate: "2020-01-01T00:00:00Z", parentIdTag: null });
  idTags.put({ idTag: "STOLEN", status: "Blocked", ...forEver });
});

/** What the API lists, without what the test does not care about. */
const transactions = () => backEnd.tables.transactions.list({ limit: 100 });
const orphans = () => backEnd.tables.transactions.orphanedStops({ limit: 100 });

describe("Authorize", () => {
  it.each([
    ["04E91C5A", { status: "Accepted" }],
    ["04e91c5a", { status: "Accepted" }],
    ["FAMILY-1", { status: "Accepted", expiryDate: "2099-01-01T00:00:00Z", parentIdTag: "FAMILY" }],
    ["OLD", { status: "Expired", expiryDate: "2020-01-01T00:00:00Z" }],
    ["STOLEN", { status: "Blocked" }],
    ["UNKNOWN", { status: "Invalid" }],
    ["04E91C5A\u0000X", { status: "Invalid" }],
  ])("answers %j with %j [CORE-AUTH-10] [CORE-AUTH-11] [CORE-IDT-06]", async (idTag, idTagInfo) => {
    const charger = await backEnd.boot();

    expect(await charger.call("Authorize", { idTag })).toEqual({ idTagInfo });
  });

  it("does not mention a transaction that runs already [CORE-AUTH-13]", async () => {
    const charger = await backEnd.boot();
    await charger.call("StartTransaction", start());

    expect(await charger.call("Authorize", { idTag: "04E91C5A" })).toEqual({ idTagInfo: { status: "Accepted" } });
  });
});

describe("StartTransaction", () => {
  let charger: Connection<"ChargePoint">;
  beforeEach(async () => {
    charger = await backEnd.boot();
  });

  it("gets a positive transactionId of 32 bits, another one for each transaction [CORE-START-14] [CORE-START-16]", async () => {
    const first = await charger.call("StartTransaction", start());
    await charger.call("StopTransaction", stop(first.transactionId));
    const second = await charger.call("StartTransaction", start({ timestamp: "2026-01-01T10:00:00Z" }));

    expect(first).toEqual({ transactionId: 1, idTagInfo: { status: "Accepted" } });
    expect(second).toEqual({ transactionId: 2, idTagInfo: { status: "Accepted" } });
  });

  it("gets the same answer when it is repeated, over another connection and with another message id, too", async () => {
    const answer = await charger.call("StartTransaction", start());
    charger.close();
    const again = await backEnd.connect();

    expect(await again.call("StartTransaction", start())).toEqual(answer);
    expect(transactions()).toHaveLength(1);
  });

  it.each([
    ["connector", { connectorId: 2 }],
    ["idTag", { idTag: "FAMILY-1" }],
    ["meter", { meterStart: 5001 }],
    ["time", { timestamp: "2026-01-01T08:00:01Z" }],
  ])("is another transaction with another %s", async (_, difference) => {
    await charger.call("StartTransaction", start());
    const { transactionId } = await charger.call("StartTransaction", start(difference));

    expect(transactionId).toBe(2);
  });

  it("is another transaction from another charger", async () => {
    const other = await backEnd.boot("CP002");
    await charger.call("StartTransaction", start());

    expect((await other.call("StartTransaction", start())).transactionId).toBe(2);
  });

  it.each([
    ["OLD", "Expired"],
    ["STOLEN", "Blocked"],
    ["UNKNOWN", "Invalid"],
  ])(
    "is stored although %s is %s, and says so [CORE-START-10] [CORE-START-11] [CORE-START-12]",
    async (idTag, status) => {
      const conf = await charger.call("StartTransaction", start({ idTag }));

      expect(conf).toMatchObject({ transactionId: 1, idTagInfo: { status } });
      expect(transactions()).toMatchObject([{ transactionId: 1, idTag, idTagStatus: status, stoppedAt: null }]);
    },
  );

  it("says ConcurrentTx while the idTag charges elsewhere, however it is spelled [CORE-START-13]", async () => {
    const other = await backEnd.boot("CP002");
    const { transactionId } = await charger.call("StartTransaction", start());
    const concurrent = await other.call("StartTransaction", start({ idTag: "04e91c5a" }));
    await charger.call("StopTransaction", stop(transactionId));
    const later = await other.call("StartTransaction", start({ connectorId: 2 }));

    expect(concurrent).toEqual({ transactionId: 2, idTagInfo: { status: "ConcurrentTx" } });
    expect(later).toEqual({ transactionId: 3, idTagInfo: { status: "Accepted" } });
  });

  it("is not concurrent with a transaction of its own connector, whose end must have got lost", async () => {
    await charger.call("StartTransaction", start());
    const conf = await charger.call("StartTransaction", start({ timestamp: "2026-01-02T08:00:00Z" }));

    expect(conf.idTagInfo).toEqual({ status: "Accepted" });
    expect(backEnd.tables.transactions.list({ running: true, limit: 9 })).toMatchObject([{ transactionId: 2 }]);
  });

  it("is stored with all of its text, whatever is in it", async () => {
    await charger.call("StartTransaction", start({ idTag: "A\u0000B\ud83d'\"" }));

    expect(transactions()).toMatchObject([{ idTag: "A\ufffdB\ufffd'\"" }]);
  });

  it("may name a connector and a reservation that nobody has heard of [CORE-START-10]", async () => {
    const conf = await charger.call("StartTransaction", start({ connectorId: 4711, reservationId: -5 }));

    expect(conf).toEqual({ transactionId: 1, idTagInfo: { status: "Accepted" } });
  });
});

describe("MeterValues", () => {
  let charger: Connection<"ChargePoint">;
  beforeEach(async () => {
    charger = await backEnd.boot();
    await charger.call("StartTransaction", start());
  });

  it("are stored as they came, and tell what has flowed [CORE-MV-11] [CORE-MV-20]", async () => {
    const meterValue = [
      {
        timestamp: "2026-01-01T08:30:00+01:00",
        sampledValue: [
          { value: "7200", measurand: "Power.Active.Import", unit: "W" },
          { value: "1.9", phase: "L1", unit: "kWh" },
          { value: "5.7", unit: "kWh" },
        ],
      },
    ] as const;
    await charger.call("MeterValues", { connectorId: 1, transactionId: 1, meterValue: meterValue as never });

    const { body } = await backEnd.request("/transactions/1");
    expect(body).toMatchObject({ transactionId: 1, energyWh: 700, meterValues: meterValue });
  });

  it("are stored once when they are repeated", async () => {
    await charger.call("MeterValues", reading(1, 5100, "2026-01-01T08:10:00Z"));
    charger.close();
    const again = await backEnd.connect();
    await again.call("MeterValues", reading(1, 5200, "2026-01-01T08:20:00Z"));
    await again.call("MeterValues", reading(1, 5100, "2026-01-01T08:10:00Z"));

    const { body } = await backEnd.request("/transactions/1");
    expect(body.meterValues).toHaveLength(2);
    expect(body.energyWh).toBe(200);
  });

  it("that fall break nothing; what has flowed is unknown then", async () => {
    for (const [wh, minute] of [
      [5005, 10],
      [5012, 20],
      [5, 30],
    ] as const) {
      await charger.call("MeterValues", reading(1, wh, `2026-01-01T08:${minute}:00Z`));
    }
    await charger.call("StopTransaction", stop(1, { meterStop: 9 }));

    expect(transactions()).toMatchObject([{ meterStart: 5000, meterStop: 9, energyWh: null }]);
  });

  it("that were rounded do not count as fallen", async () => {
    await charger.call("MeterValues", reading(1, 4999.6, "2026-01-01T08:10:00Z"));
    await charger.call("MeterValues", reading(1, 5360.4, "2026-01-01T08:20:00Z"));
    await charger.call("StopTransaction", stop(1, { meterStop: 5360 }));

    expect(transactions()).toMatchObject([{ energyWh: 360 }]);
  });

  it.each([
    ["of no transaction", { transactionId: undefined as never }],
    ["of an unknown transaction", { transactionId: 4711 }],
    ["of the main meter", { connectorId: 0 }],
    ["that are no number", { meterValue: [{ timestamp: "2026-01-01T08:00:00Z", sampledValue: [{ value: "" }] }] }],
  ])("%s are acknowledged, and change no transaction [CORE-MV-20]", async (_, difference) => {
    const { transactionId, ...req } = { ...reading(1, 9000, "2026-01-01T08:00:00Z"), ...difference };
    const conf = await charger.call("MeterValues", {
      ...req,
      ...(transactionId !== undefined && { transactionId }),
    });

    expect(conf).toEqual({});
    if (transactionId !== 1) expect(transactions()).toMatchObject([{ energyWh: 0 }]);
  });

  it("of another charger's transaction do not count for it", async () => {
    const other = await backEnd.boot("CP002");
    await other.call("MeterValues", reading(1, 9000, "2026-01-01T08:10:00Z"));

    expect(transactions()).toMatchObject([{ energyWh: 0 }]);
  });
});

describe("StopTransaction", () => {
  let charger: Connection<"ChargePoint">;
  beforeEach(async () => {
    charger = await backEnd.boot();
    await charger.call("StartTransaction", start());
  });

  it("ends a transaction; without a reason it is Local [CORE-STOP-05] [CORE-STOP-14]", async () => {
    expect(await charger.call("StopTransaction", stop(1))).toEqual({});
    expect(transactions()).toEqual([
      {
        transactionId: 1,
        identity: "CP001",
        connectorId: 1,
        idTag: "04E91C5A",
        idTagStatus: "Accepted",
        reservationId: null,
        startedAt: "2026-01-01T08:00:00Z",
        meterStart: 5000,
        stoppedAt: "2026-01-01T09:00:00Z",
        meterStop: 5360,
        stopIdTag: null,
        stopReason: "Local",
        energyWh: 360,
      },
    ]);
  });

  it("tells about the idTag that stopped it, and stores what was measured [CORE-STOP-15]", async () => {
    const { meterValue: transactionData } = reading(1, 5300, "2026-01-01T08:50:00Z");
    const conf = await charger.call("StopTransaction", stop(1, { idTag: "STOLEN", transactionData }));

    expect(conf).toEqual({ idTagInfo: { status: "Blocked" } });
    expect((await backEnd.request("/transactions/1")).body.meterValues).toEqual(transactionData);
  });

  it("changes nothing when it is repeated [CORE-STOP-16]", async () => {
    await charger.call("StopTransaction", stop(1));
    charger.close();
    const again = await backEnd.connect();

    expect(await again.call("StopTransaction", stop(1))).toEqual({});
    expect(orphans()).toEqual([]);
    expect(transactions()).toMatchObject([{ meterStop: 5360 }]);
  });

  it.each([-1, 0, 4711, 2 ** 53 - 1])(
    "of transaction %d, which is unknown, is kept apart [CORE-STOP-16]",
    async (id) => {
      expect(await charger.call("StopTransaction", stop(id, { reason: "PowerLoss" }))).toEqual({});
      charger.close();
      await (await backEnd.connect()).call("StopTransaction", stop(id, { reason: "PowerLoss" }));

      expect(orphans()).toEqual([
        {
          position: 1,
          identity: "CP001",
          transactionId: id,
          stoppedAt: "2026-01-01T09:00:00Z",
          meterStop: 5360,
          stopIdTag: null,
          stopReason: "PowerLoss",
        },
      ]);
      expect(transactions()).toMatchObject([{ stoppedAt: null }]);
    },
  );

  it("does not overwrite an earlier one that said something else", async () => {
    await charger.call("StopTransaction", stop(1));
    await charger.call("StopTransaction", stop(1, { meterStop: 99_999 }));

    expect(transactions()).toMatchObject([{ meterStop: 5360 }]);
    expect(orphans()).toMatchObject([{ transactionId: 1, meterStop: 99_999 }]);
  });

  it("does not end another charger's transaction", async () => {
    const other = await backEnd.boot("CP002");

    expect(await other.call("StopTransaction", stop(1))).toEqual({});
    expect(transactions()).toMatchObject([{ transactionId: 1, stoppedAt: null }]);
    expect(orphans()).toMatchObject([{ identity: "CP002", transactionId: 1 }]);
  });
});

describe("StatusNotification", () => {
  it("is shown as it was last said, for connector 0, too [CORE-STAT-30] [CORE-STAT-31]", async () => {
    const charger = await backEnd.boot();
    const timestamp = "2020-01-01T00:00:00Z";
    await charger.call("StatusNotification", { connectorId: 0, status: "Available", errorCode: "NoError", timestamp });
    await charger.call("StatusNotification", { connectorId: 1, status: "Charging", errorCode: "NoError", timestamp });
    await charger.call("StatusNotification", {
      ...{ connectorId: 1, status: "Faulted", errorCode: "OtherError", info: "wet", timestamp },
    });

    const { body } = await backEnd.request("/chargers/CP001");
    expect(body.connectors).toEqual([
      { connectorId: 0, status: "Available", errorCode: "NoError", info: null, timestamp, transaction: null },
      { connectorId: 1, status: "Faulted", errorCode: "OtherError", info: "wet", timestamp, transaction: null },
    ]);
  });

  it("of more connectors than a charger can have is answered, not stored", async () => {
    const charger = await backEnd.boot();
    const conf = await charger.call("StatusNotification", {
      connectorId: 256,
      status: "Available",
      errorCode: "NoError",
    });

    expect(conf).toEqual({});
    expect((await backEnd.request("/chargers/CP001")).body.connectors).toEqual([]);
  });
});

describe("BootNotification", () => {
  it("is answered as the operator has decided [CORE-BOOT-20] [CORE-BOOT-28]", async () => {
    for (const admission of ["Pending", "Rejected", "Accepted"] as const) {
      backEnd.tables.chargers.admit("CP001", admission);
      const charger = await backEnd.connect("CP001");
      const { currentTime, ...conf } = await charger.call("BootNotification", boot);
      expect(conf).toEqual({ status: admission, interval: admission === "Accepted" ? 300 : 60 });
      expect(Math.abs(Date.parse(currentTime) - Date.now())).toBeLessThan(60_000);
      charger.close();
    }
  });

  it("is remembered: who was accepted goes on after a restart without booting [J-132]", async () => {
    const charger = await backEnd.boot();
    await charger.call("StartTransaction", start());
    await backEnd.stop();
    await backEnd.start();
    const again = await backEnd.connect();

    expect(await again.call("StopTransaction", stop(1))).toEqual({});
    expect(transactions()).toMatchObject([{ transactionId: 1, meterStop: 5360 }]);
  });
});

it("remembers when a charger was last seen alive", async () => {
  const charger = await backEnd.boot();
  backEnd.tables.database.prepare("UPDATE chargers SET lastSeenAt = '2020-01-01T00:00:00Z'").run();
  const { currentTime } = await charger.call("Heartbeat", {});

  const { lastSeenAt } = (await backEnd.request("/chargers/CP001")).body;
  expect(Math.abs(Date.parse(lastSeenAt) - Date.parse(currentTime))).toBeLessThan(60_000);
});

it("answers everything else that a charger may send", async () => {
  const charger = await backEnd.boot();
  const timestamp = "2026-01-01T08:00:00Z";

  expect(await charger.call("Heartbeat", {})).toHaveProperty("currentTime");
  expect(await charger.call("DataTransfer", { vendorId: "com.example" })).toEqual({ status: "UnknownVendorId" });
  expect(await charger.call("DiagnosticsStatusNotification", { status: "Uploaded" })).toEqual({});
  expect(await charger.call("FirmwareStatusNotification", { status: "Installed" })).toEqual({});
  expect(await charger.call("LogStatusNotification", { status: "Idle" })).toEqual({});
  expect(await charger.call("SecurityEventNotification", { type: "StartupOfTheDevice", timestamp })).toEqual({});
  expect(await charger.call("SignedFirmwareStatusNotification", { status: "Idle" })).toEqual({});
  expect(await charger.call("SignCertificate", { csr: "CSR" })).toEqual({ status: "Rejected" });
});
