import assert from "node:assert/strict";
import { CentralSystem, Connection } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";

const centralSystem = new CentralSystem();
const models = new Map<string, string>();
const charging = new Set<string>();
const cards: KnownIdTag[] = [{ idTag: "04E91C5A", idTagInfo: { status: "Accepted" } }];
const log: string[] = [];
let finished = (): void => {};
const done = new Promise<void>((resolve) => {
  finished = resolve;
});

// #region provisioning
import { type KnownIdTag, Provisioning, type WantedConfiguration } from "@ocppj/core";

const byModel: Record<string, WantedConfiguration> = {
  SingleSocketCharger: {
    keys: { MeterValueSampleInterval: 60, MeterValuesSampledData: ["Energy.Active.Import.Register", "SoC"] },
    vendorKeys: { Lamp: false },
  },
};

new Provisioning({
  centralSystem,
  wanted: (identity) => ({ configuration: byModel[models.get(identity) ?? ""], localAuthList: cards }),
  mayReset: (identity) => !charging.has(identity),
  told: (event) => {
    if ("error" in event) log.push(`${event.identity}: ${event.error}`);
    else for (const { key, status } of event.configuration ?? []) log.push(`${event.identity}: ${key} ${status}`);
    finished();
  },
});

centralSystem.handle("BootNotification", (req, { connection }) => {
  models.set(connection.identity, req.chargePointModel);
  return { status: "Accepted", currentTime: new Date().toISOString(), interval: 300 };
});

// #endregion

// #region once
import { applyConfiguration } from "@ocppj/core";

/** Has a charger report every ten seconds, for as long as somebody looks for what is wrong with it. */
async function reportOften(connection: Connection<"CentralSystem">): Promise<boolean> {
  const [interval] = await applyConfiguration(connection, { keys: { MeterValueSampleInterval: 10 } });
  return interval?.status === "Accepted" || interval?.status === "Unchanged";
}
// #endregion

const listener = await listen(centralSystem);
const transport = await connect()({ url: listener.url, identity: "CP001" });
const charger = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
const values = new Map([
  ["MeterValueSampleInterval", "300"],
  ["MeterValuesSampledData", "SoC, Energy.Active.Import.Register"],
  ["Lamp", "true"],
]);
charger.handle("GetConfiguration", ({ key = [] }) => ({
  configurationKey: key.flatMap((name) => {
    const value = values.get(name);
    return value === undefined ? [] : [{ key: name, readonly: name === "Lamp", value }];
  }),
  unknownKey: key.filter((name) => !values.has(name)),
}));
charger.handle("ChangeConfiguration", ({ key, value }) => {
  values.set(key, value);
  return { status: "Accepted" };
});
await charger.call("BootNotification", { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" });
await done;
assert.deepEqual(log, [
  "CP001: MeterValueSampleInterval Accepted",
  "CP001: MeterValuesSampledData Unchanged",
  "CP001: Lamp ReadOnly",
]);
const connection = centralSystem.get("CP001");
assert(connection !== undefined && (await reportOften(connection)));
charger.close();
await listener.close();
