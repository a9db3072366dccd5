import assert from "node:assert/strict";
// #region choose
import { CentralSystem, quirks, vendorQuirks } from "@ocppj/core";
import { listen } from "@ocppj/node";

const tolerate = [quirks.longTexts, quirks.nullFields, quirks.missingSubprotocol];

const everybody = new CentralSystem({ tolerate });
const listening = await listen(everybody, { tolerate });
// #endregion
await listening.close();

// #region boot
const centralSystem = new CentralSystem({
  tolerate: ({ chargePointVendor, chargePointModel }) => {
    if (chargePointVendor === "Growatt") return [...tolerate, ...vendorQuirks.growatt];
    if (chargePointModel === "ACChargePoint") return [...tolerate, ...vendorQuirks.huawei];
    return tolerate;
  },
});
// #endregion

const listener = await listen(centralSystem, { tolerate });
centralSystem.handle("BootNotification", () => ({
  status: "Accepted",
  interval: 300,
  currentTime: new Date().toISOString(),
}));

// #region watch
centralSystem.on("tolerated", ({ identity, quirk, action, message }) => {
  console.log(identity, quirk, action, message);
});

// #endregion

// #region guesses
centralSystem.handle("StartTransaction", ({ timestamp }, { tolerated }) => {
  const isGuess = tolerated.some(({ path, guessed }) => path === "timestamp" && guessed);
  if (isGuess) console.log(`${timestamp} is only when the message came.`);
  return { idTagInfo: { status: "Accepted" }, transactionId: 1 };
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
