// #region charge-point
import { connect } from "@ocppj/browser";
import { ChargePoint } from "@ocppj/core";

const url = new URLSearchParams(location.search).get("url") ?? "wss://central.example.com/ocpp";

const chargePoint = new ChargePoint({
  identity: "CP001",
  url,
  connect: connect(),
  boot: { chargePointVendor: "VendorX", chargePointModel: "Page" },
});
chargePoint.handle("RemoteStartTransaction", ({ idTag }) => ({
  status: idTag === "04E91C5A" ? "Accepted" : "Rejected",
}));
chargePoint.on("registration", ({ status }) => {
  document.title = `${chargePoint.identity}: ${status}`;
});
chargePoint.on("refused", ({ error }) => {
  document.title = String(error);
});
chargePoint.on("violation", ({ message }) => {
  document.title = `The central system breaks the protocol: ${message}`;
});
chargePoint.on("fault", ({ error }) => {
  document.title = `This end failed: ${error}`;
});
await chargePoint.start();
// #endregion
