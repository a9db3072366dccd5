// #region program
const { CentralSystem, ChargePoint } = require("@ocppj/core");
const { connect, listen } = require("@ocppj/node");

async function main() {
  const centralSystem = new CentralSystem();
  centralSystem.handle("BootNotification", ({ chargePointModel }) => {
    console.log(`${chargePointModel} boots`);
    return { status: "Accepted", currentTime: new Date().toISOString(), interval: 300 };
  });
  const listener = await listen(centralSystem);

  const boot = { chargePointVendor: "VENDOR", chargePointModel: "CP001" };
  const chargePoint = new ChargePoint({ identity: "CP001", url: listener.url, connect: connect(), boot });
  chargePoint.on("registration", async ({ status }) => {
    console.log(status);
    await chargePoint.stop();
    await listener.close();
  });
  await chargePoint.start();
}

main();
// #endregion
