// #region program
import { Connection } from "@ocppj/core";
import { connect } from "@ocppj/node";

const url = process.argv[2] ?? "ws://127.0.0.1:9000/ocpp";
const transport = await connect()({ url, identity: "CP001" });
const chargePoint = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
const now = () => new Date().toISOString();

const boot = await chargePoint.call("BootNotification", { chargePointVendor: "VENDOR", chargePointModel: "CP001" });
console.log(`${boot.status}, heartbeat every ${boot.interval} s`);
await chargePoint.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Available" });

const idTag = "04E91C5A";
const { idTagInfo } = await chargePoint.call("Authorize", { idTag });
if (idTagInfo.status !== "Accepted") throw new Error(`Card ${idTag} is ${idTagInfo.status}.`);

const started = await chargePoint.call("StartTransaction", { connectorId: 1, idTag, meterStart: 0, timestamp: now() });
const { transactionId } = started;
const meterValue = [{ timestamp: now(), sampledValue: [{ value: "120" }] }]; // Wh, unless it says otherwise
await chargePoint.call("MeterValues", { connectorId: 1, transactionId, meterValue });
await chargePoint.call("StopTransaction", { transactionId, idTag, meterStop: 120, timestamp: now() });
chargePoint.close();
// #endregion
