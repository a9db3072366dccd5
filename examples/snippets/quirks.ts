import assert from "node:assert/strict";
// #region choose
import { CentralSystem, type Quirk, quirks, vendorQuirks } from "@ocppj/core";
import { listen } from "@ocppj/node";

/** For everybody, from the start: what BootNotification itself needs, and the handshake before it. */
const tolerate = [quirks.longTexts, quirks.nullFields, quirks.missingSubprotocol];

const centralSystem = new CentralSystem({ tolerate });
const listener = await listen(centralSystem, { tolerate });
// #endregion

// #region boot
function quirksOf(vendor: string, model: string): readonly Quirk[] {
  if (vendor === "Growatt") return [...tolerate, ...vendorQuirks.growatt];
  if (vendor === "" && model === "ACChargePoint") return [...tolerate, ...vendorQuirks.huawei];
  return tolerate;
}

const known = new Map<string, readonly Quirk[]>();

centralSystem.handle("BootNotification", ({ chargePointVendor, chargePointModel }, { connection }) => {
  known.set(connection.identity, quirksOf(chargePointVendor, chargePointModel));
  connection.tolerate(quirksOf(chargePointVendor, chargePointModel));
  return { status: "Accepted", interval: 300, currentTime: new Date().toISOString() };
});

centralSystem.on("connected", ({ identity, connection }) => {
  connection.tolerate(known.get(identity) ?? tolerate);
});
// #endregion

// #region watch
centralSystem.on("tolerated", ({ identity, quirk, action, message }) => {
  console.log(identity, quirk, action, message);
});

// #endregion

import { connect } from "@ocppj/node";

const seen: unknown[] = [];
centralSystem.handle("MeterValues", ({ meterValue }) => {
  seen.push(meterValue.length);
  return {};
});
centralSystem.on("tolerated", ({ identity, quirk, path }) => seen.push([identity, quirk, path]));
centralSystem.handle("StatusNotification", ({ timestamp }) => {
  seen.push(timestamp);
  return {};
});

/** Sends CALLs, one after the other, as a charger would that checks nothing; resolves with the answers. */
async function callAs(identity: string, ...calls: readonly (readonly [action: string, payload: unknown])[]) {
  const transport = await connect()({ url: listener.url, identity });
  let answered = (_answer: unknown[]): void => {};
  transport.listen({ message: (text) => answered(JSON.parse(text)), close: () => answered(["closed"]) });
  const answers: unknown[][] = [];
  for (const [action, payload] of calls) {
    const answer = new Promise<unknown[]>((resolve) => {
      answered = resolve;
    });
    transport.send(JSON.stringify([2, String(answers.length), action, payload]));
    answers.push(await answer);
  }
  transport.close(1000, "");
  return answers;
}

const boot = { chargePointVendor: "Growatt", chargePointModel: "THOR", meterType: null };
const status = { connectorId: 1, errorCode: "NoError", status: "Available", timestamp: "2023-10-19T15:28:07" };
const answers = [
  ...(await callAs("CP001", ["BootNotification", boot], ["StatusNotification", status])),
  ...(await callAs("CP001", ["StatusNotification", status])),
];
const meterValue = { timestamp: "2024-04-16T17:28:55Z", sampledValue: [{ value: "0.00", unit: "kWh" }] };
answers.push(
  ...(await callAs(
    "CP002",
    ["BootNotification", { chargePointVendor: "", chargePointModel: "ACChargePoint" }],
    ["MeterValues", { connectorId: 1, meterValue }],
    ["StatusNotification", status],
  )),
);
assert.deepEqual(
  answers.map(([type]) => type),
  [3, 3, 3, 3, 3, 4],
);
assert.deepEqual(seen, [
  ["CP001", "nullFields", "meterType"],
  ["CP001", "localTimes", "timestamp"],
  "2023-10-19T15:28:07Z",
  ["CP001", "localTimes", "timestamp"],
  "2023-10-19T15:28:07Z",
  ["CP002", "singleMeterValue", "meterValue"],
  1,
]);
await listener.close();
