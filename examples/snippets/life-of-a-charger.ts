import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
// #region imports
import { AuthorizationCache, CentralSystem, ChargePoint, Configuration, LocalAuthList } from "@ocppj/core";
import { connect, durableStore, type Listener, listen } from "@ocppj/node";

// #endregion

const folder = await mkdtemp(join(tmpdir(), "ocppj-life-"));
const happened: string[] = [];
const log = (line: string): void => void happened.push(line);

/** Resolves when things have happened whose lines contain `part`: so many since the start. */
async function until(part: string, times = 1): Promise<void> {
  for (let waited = 0; happened.filter((line) => line.includes(part)).length < times; waited += 10) {
    assert(waited < 20_000, `It was not said ${times} times "${part}":\n${happened.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const received: string[] = [];
let transactions = 0;
const centralSystem = new CentralSystem();
centralSystem.handle("BootNotification", () => ({
  status: "Accepted",
  currentTime: new Date().toISOString(),
  interval: 300,
}));
centralSystem.handle("StatusNotification", () => ({}));
centralSystem.handle("Authorize", () => ({ idTagInfo: { status: "Accepted" } }));
centralSystem.handle("StartTransaction", ({ idTag }) => ({
  transactionId: ++transactions,
  idTagInfo: { status: idTag === "BLOCKED" ? "Blocked" : "Accepted" },
}));
centralSystem.handle("MeterValues", () => ({}));
centralSystem.handle("StopTransaction", () => ({}));
centralSystem.on("message", ({ direction, frame }) => {
  if (direction === "in" && frame.type === "CALL") received.push(frame.action);
});
let listener: Listener = await listen(centralSystem, { path: "/ocpp" });
const { port, url } = listener;

/** What a real charger would measure and switch. */
const meter = { readWh: () => 1000 };
const contactor = { open: (_connectorId: number) => {}, close: (_connectorId: number) => {} };
const sampleEvery = (seconds: number): void => log(`a sample every ${seconds} s`);
const restart = (): void => log("restart");

async function powerOn() {
  // #region parts
  const store = durableStore(folder, { damaged: (damage) => log(damage.message) });
  const report = (error: Error) => log(error.message);
  const configuration = await Configuration.load({
    store,
    report,
    keys: {
      NumberOfConnectors: { value: 2 },
      SupportedFeatureProfiles: { value: ["Core", "LocalAuthListManagement", "RemoteTrigger"] },
      AuthorizationCacheEnabled: { value: true },
      LocalAuthListMaxLength: { value: 500 },
      SendLocalListMaxLength: { value: 100 },
      WebSocketPingInterval: { value: 20 },
    },
  });
  const lengths = { localAuthListMaxLength: 500, sendLocalListMaxLength: 100 };
  const localAuthList = await LocalAuthList.load(store, { report, ...lengths });
  const authorizationCache = await AuthorizationCache.load(store, { report, list: localAuthList });

  const chargePoint = new ChargePoint({
    identity: "CP001",
    url,
    connect: connect(() => ({ pingIntervalMs: 1000 * (configuration.get("WebSocketPingInterval") ?? 20) })),
    boot: { chargePointVendor: "VENDOR", chargePointModel: "CP001" },
    store,
    configuration,
    localAuthList,
    authorizationCache,
  });
  // #endregion

  // #region obey
  sampleEvery(configuration.get("MeterValueSampleInterval"));
  configuration.listen("MeterValueSampleInterval", sampleEvery);
  // #endregion

  // #region handlers
  const afterwards = (answered: Promise<boolean>, act: () => unknown): void => {
    answered.then((sent) => (sent ? act() : undefined)).catch((error: unknown) => log(String(error)));
  };
  chargePoint.handle("RemoteStartTransaction", ({ connectorId = 1, idTag }, { answered }) => {
    afterwards(answered, () => {
      chargePoint.startTransaction({ connectorId, idTag, meterStart: meter.readWh() });
      contactor.close(connectorId);
    });
    return { status: "Accepted" };
  });
  chargePoint.handle("RemoteStopTransaction", ({ transactionId }, { answered }) => {
    const running = chargePoint.transactions.find((transaction) => transaction.transactionId === transactionId);
    if (running === undefined) return { status: "Rejected" };
    afterwards(answered, () => {
      contactor.open(running.connectorId);
      running.stop({ meterStop: meter.readWh(), reason: "Remote" });
    });
    return { status: "Accepted" };
  });
  chargePoint.handle("Reset", ({ type }, { answered }) => {
    afterwards(answered, async () => {
      const reason = type === "Hard" ? "HardReset" : "SoftReset";
      for (const transaction of chargePoint.transactions) transaction.stop({ meterStop: meter.readWh(), reason });
      await chargePoint.stop();
      await store.close();
      restart();
    });
    return { status: "Accepted" };
  });
  // #endregion

  // #region events
  chargePoint.on("connecting", ({ attempt, url }) => log(`attempt ${attempt} to reach ${url}`));
  chargePoint.on("refused", ({ error, retryInMs }) => log(`${error} Again in ${retryInMs} ms.`));
  chargePoint.on("registration", ({ status, intervalMs }) => log(`${status}, interval ${intervalMs} ms`));
  chargePoint.on("disconnected", ({ code, retryInMs }) => log(`disconnected (${code}), again in ${retryInMs} ms`));
  chargePoint.on("delivered", ({ call, conf }) => log(`delivered ${call.action}: ${JSON.stringify(conf)}`));
  chargePoint.on("discarded", ({ call, reason }) => log(`lost (${reason}): ${JSON.stringify(call)}`));
  chargePoint.on("violation", ({ message }) => log(`the central system breaks the protocol: ${message}`));
  chargePoint.on("fault", ({ error, action }) => log(`fault ${action ?? ""}: ${error}`));
  // #endregion

  // #region invalidated
  chargePoint.on("invalidated", ({ transaction, idTagInfo }) => {
    log(`card ${transaction.idTag} is ${idTagInfo.status}`);
    contactor.open(transaction.connectorId);
    if (configuration.get("StopTransactionOnInvalidId")) {
      transaction.stop({ meterStop: meter.readWh(), reason: "DeAuthorized" });
    } else {
      chargePoint.report({ connectorId: transaction.connectorId, status: "SuspendedEVSE" });
    }
  });
  // #endregion
  return { chargePoint, store };
}

const { chargePoint, store } = await powerOn();

// #region statuses
chargePoint.report({ connectorId: 0, status: "Available" });
chargePoint.report({ connectorId: 1, status: "Available" });
chargePoint.report({ connectorId: 2, status: "Faulted", errorCode: "GroundFailure" });
// #endregion

// #region start
const interrupted = await chargePoint.start();
for (const transaction of interrupted) {
  transaction.stop({ meterStop: meter.readWh(), reason: "PowerLoss" });
}
// #endregion
assert.deepEqual(interrupted, []);
await until("Accepted, interval 300000 ms");

// #region authorize
const idTag = "04E91C5A";
const { decision, grounds } = await chargePoint.authorize(idTag);
console.log(decision, grounds); // accept central-system
// #endregion
assert.deepEqual([decision, grounds], ["accept", "central-system"]);

// #region transaction
const transaction = chargePoint.startTransaction({ connectorId: 1, idTag, meterStart: meter.readWh() });
chargePoint.report({ connectorId: 1, status: "Charging" });

transaction.meterValues({
  meterValue: [{ sampledValue: [{ value: "1000", unit: "Wh", context: "Sample.Periodic" }] }],
});
// #endregion

// #region transaction-stop
const stopping = await chargePoint.authorizeStop(idTag, transaction);
if (stopping.decision === "accept") {
  transaction.stop({ idTag, meterStop: meter.readWh() }); // reason: Local, which need not be said
}
// #endregion
assert.deepEqual(stopping, { decision: "accept", grounds: "same-id-tag" });
await until("delivered StopTransaction");
assert.equal(transaction.transactionId, 1);

chargePoint.startTransaction({ connectorId: 1, idTag: "BLOCKED", meterStart: 0 });
await until("card BLOCKED is Blocked");
await until("delivered StopTransaction", 2);

// #region deliver
chargePoint.deliver("SecurityEventNotification", { type: "TamperDetectionActivated" });
// #endregion
await until("lost (refused)");
centralSystem.handle("SecurityEventNotification", () => ({}));

// #region dead-letters
for (const letter of chargePoint.deadLetters) {
  log(`${letter.call.action} was given up (${letter.reason}), and is sent again`);
  letter.retry();
}
// #endregion
await until("SecurityEventNotification was given up (refused)");
await until("delivered SecurityEventNotification");

await listener.close();
await until("disconnected");
const before = received.length;

// #region offline
const offline = await chargePoint.authorize(idTag);
console.log(offline.decision, offline.grounds); // accept cache

const unnoticed = chargePoint.startTransaction({ connectorId: 1, idTag, meterStart: meter.readWh() });
await chargePoint.saved(); // From here on even a power cut loses nothing of it.
// #endregion
assert.deepEqual([offline.decision, offline.grounds], ["accept", "cache"]);
assert.equal(unnoticed.transactionId, undefined);
assert.equal((await chargePoint.authorize("NEVER SEEN")).decision, "refuse");

// #region stop
await chargePoint.stop();
await store.close();
// #endregion

listener = await listen(centralSystem, { path: "/ocpp", port });
const again = await powerOn();
const kept = await again.chargePoint.start();
assert.deepEqual(
  kept.map(({ connectorId, idTag }) => [connectorId, idTag]),
  [[1, idTag]],
);
for (const transaction of kept) transaction.stop({ meterStop: meter.readWh(), reason: "PowerLoss" });
await until("delivered StopTransaction", 3);
assert.deepEqual(received.slice(before), ["BootNotification", "StartTransaction", "StopTransaction"]);

const connection = centralSystem.get("CP001");
assert.deepEqual(await connection?.call("RemoteStartTransaction", { idTag }), { status: "Accepted" });
await until("delivered StartTransaction", 4);
const stop = { transactionId: transactions };
assert.deepEqual(await connection?.call("RemoteStopTransaction", stop), { status: "Accepted" });
assert.deepEqual(await connection?.call("RemoteStopTransaction", { transactionId: 0 }), { status: "Rejected" });
await until("delivered StopTransaction", 4);
assert.deepEqual(await connection?.call("ChangeConfiguration", { key: "MeterValueSampleInterval", value: "15" }), {
  status: "Accepted",
});
await until("a sample every 15 s");
assert.deepEqual(await connection?.call("Reset", { type: "Soft" }), { status: "Accepted" });
await until("restart");
await listener.close();
await rm(folder, { recursive: true });
