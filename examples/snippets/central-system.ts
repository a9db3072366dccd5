// #region program
import { CentralSystem, encode, redacted } from "@ocppj/core";
import { listen } from "@ocppj/node";

const centralSystem = new CentralSystem();
const now = () => new Date().toISOString();

centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime: now(), interval: 300 }));
centralSystem.handle("Heartbeat", () => ({ currentTime: now() }));
centralSystem.handle("StatusNotification", () => ({}));
centralSystem.handle("Authorize", ({ idTag }) => ({
  idTagInfo: { status: idTag === "04E91C5A" ? "Accepted" : "Invalid" },
}));
centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Accepted" } }));
centralSystem.handle("MeterValues", () => ({}));
centralSystem.handle("StopTransaction", () => ({}));
centralSystem.on("message", ({ identity, direction, frame }) => {
  console.log(identity, direction, encode(redacted(frame)));
});
centralSystem.on("refused", ({ identity = "Somebody", remoteAddress, reason, message, advice }) => {
  console.warn(`${now()} ${identity} at ${remoteAddress} was refused (${reason}). ${message} ${advice}`);
});
centralSystem.on("violation", ({ identity, message }) => console.warn(`${identity} breaks the protocol: ${message}`));
centralSystem.on("fault", ({ error }) => console.error(`This end failed: ${error}`));

const { url } = await listen(centralSystem, { port: Number(process.env.PORT ?? 9000), path: "/ocpp" });
console.log(`The central system listens at ${url}`);
// #endregion
