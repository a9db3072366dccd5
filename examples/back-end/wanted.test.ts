import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provisioned, ProvisioningFailure, Req } from "@ocppj/core";
import { describe, expect, it } from "vitest";
import { boot, start, stop, TestBackEnd } from "./test-back-end.ts";
import { readWanted } from "./wanted.ts";

async function folderOf(files: Record<string, unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ocppj-wanted-"));
  for (const [name, file] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(file));
  return folder;
}

describe("readWanted", () => {
  it("puts the files first that say more about their chargers", async () => {
    const folder = await folderOf({
      "a.json": { for: {} },
      "b.json": { for: { chargePointModel: "M" } },
      "c.json": { for: { identity: "CP001" } },
      "d.json": { for: { chargePointVendor: "V", chargePointModel: "M" } },
      "read.me": "nothing",
    });
    expect(readWanted(folder).map((file) => Object.keys(file.for))).toEqual([
      ["identity"],
      ["chargePointVendor", "chargePointModel"],
      ["chargePointModel"],
      [],
    ]);
    await rm(folder, { recursive: true });
  });

  it("names the file that it cannot use", async () => {
    const folder = await folderOf({ "a.json": { for: { model: "M" } } });
    expect(() => readWanted(folder)).toThrow(/a\.json does not say what chargers should have: for .*"model"/);
    await rm(folder, { recursive: true });
  });

  it("reads the example", () => {
    expect(readWanted(join(import.meta.dirname, "wanted"))).toHaveLength(1);
  });
});

describe("wanted", () => {
  const told: (Provisioned | ProvisioningFailure)[] = [];
  let tell = (): void => {};
  const backEnd = new TestBackEnd({
    open: true,
    ocpp: { newcomers: "Accepted" },
    wanted: [
      {
        for: { chargePointModel: boot.chargePointModel },
        configuration: { keys: { MeterValueSampleInterval: 30 } },
        localAuthList: true,
      },
    ],
    provisioned: (event) => {
      told.push(event);
      tell();
    },
  });

  it("gives a charger of that model its keys and all idTags when it boots, and keeps which", async () => {
    backEnd.tables.idTags.put({ idTag: "04E91C5A", status: "Accepted", expiryDate: null, parentIdTag: "FAMILY" });
    const done = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const charger = await backEnd.connect();
    let interval = "60";
    let listVersion = 0;
    charger.handle("GetConfiguration", ({ key = [] }) => ({
      configurationKey: key
        .filter((name) => name === "MeterValueSampleInterval")
        .map((name) => ({ key: name, readonly: false, value: interval })),
      unknownKey: key.filter((name) => name !== "MeterValueSampleInterval"),
    }));
    charger.handle("ChangeConfiguration", ({ value }) => {
      interval = value;
      return { status: "Accepted" };
    });
    charger.handle("GetLocalListVersion", () => ({ listVersion }));
    const sent: Req<"SendLocalList">[] = [];
    charger.handle("SendLocalList", (req) => {
      sent.push(req);
      listVersion = req.listVersion;
      return { status: "Accepted" };
    });
    await charger.call("BootNotification", boot);
    await done;

    const entries = [{ idTag: "04E91C5A", idTagInfo: { status: "Accepted", parentIdTag: "FAMILY" } }];
    expect(told).toEqual([
      {
        identity: "CP001",
        configuration: [{ key: "MeterValueSampleInterval", status: "Accepted" }],
        localAuthList: { status: "Accepted", list: { listVersion: 1, entries } },
      },
    ]);
    expect(sent).toEqual([{ listVersion: 1, updateType: "Full", localAuthorizationList: entries }]);
    expect(await backEnd.tables.sentLists.get("CP001")).toEqual({ listVersion: 1, entries });
  });
});

describe("suspicions", () => {
  const backEnd = new TestBackEnd();

  it("are kept over a restart, shown with the transaction, and no reason to answer otherwise", async () => {
    const charger = await backEnd.boot();
    const first = await charger.call("StartTransaction", start());
    await backEnd.stop();
    await backEnd.start();
    const again = await backEnd.boot();
    expect(await again.call("StartTransaction", start())).toEqual(first);
    const { transactionId } = await again.call("StartTransaction", start({ timestamp: "2026-01-01T08:30:00Z" }));
    await again.call("StopTransaction", stop(transactionId, { timestamp: "2026-01-01T08:00:00Z" }));

    const { body } = await backEnd.request("/transactions/suspicions?identity=CP001");
    expect(body).toMatchObject([
      { identity: "CP001", connectorId: 1, transactionId, rule: "stop-before-start" },
      { identity: "CP001", connectorId: 1, transactionId, rule: "start-while-running" },
    ]);
    expect((await backEnd.request(`/transactions/${transactionId}`)).body.suspicions).toEqual(body);
    expect((await backEnd.request(`/transactions/${first.transactionId}`)).body.suspicions).toEqual([]);
  });

  it("begin anew where what was remembered is damaged", async () => {
    const charger = await backEnd.boot();
    await charger.call("StartTransaction", start());
    backEnd.tables.database.prepare("UPDATE plausibility SET state = '{'").run();

    expect(await charger.call("StopTransaction", stop(1))).toEqual({});
    expect((await backEnd.request("/transactions/suspicions")).body).toEqual([]);
  });
});
