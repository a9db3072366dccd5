// #region program
import { ChargePoint } from "@ocppj/core";
import { connect, durableStore } from "@ocppj/node";

const chargePoint = new ChargePoint({
  identity: "CP001",
  url: process.argv[2] ?? "ws://127.0.0.1:9000/ocpp",
  connect: connect(),
  boot: { chargePointVendor: "VENDOR", chargePointModel: "CP001" },
  store: durableStore(process.env.STORE ?? "CP001-store"), // a folder: what is undelivered survives a power cut
});
chargePoint.on("registration", ({ status }) => console.log(`The central system says ${status}`));
chargePoint.on("delivered", ({ call }) => console.log(`${call.action} delivered`));
chargePoint.on("refused", ({ error }) => console.warn(String(error)));
chargePoint.on("violation", ({ message }) => console.warn(`The central system breaks the protocol: ${message}`));
chargePoint.on("fault", ({ error }) => console.error(`This end failed: ${error}`));
chargePoint.report({ connectorId: 1, status: "Available" });

const interrupted = await chargePoint.start();
for (const transaction of interrupted) transaction.stop({ meterStop: 120, reason: "PowerLoss" });
await new Promise((resolve) => chargePoint.once("registration", resolve));

const idTag = "04E91C5A";
const { decision, grounds } = await chargePoint.authorize(idTag);
if (decision === "refuse") throw new Error(`Card ${idTag} is refused: ${grounds}`);

const transaction = chargePoint.startTransaction({ connectorId: 1, idTag, meterStart: 0 });
const timestamp = new Date(chargePoint.now()).toISOString();
transaction.meterValues({ meterValue: [{ timestamp, sampledValue: [{ value: "120" }] }] }); // Wh
transaction.stop({ idTag, meterStop: 120 });
// #endregion
