// #region program
const { CentralSystem, Connection } = require("@ocppj/core");
const { connect, listen } = require("@ocppj/node");

async function main() {
  const centralSystem = new CentralSystem();
  centralSystem.handle("Heartbeat", () => ({ currentTime: new Date().toISOString() }));
  const listener = await listen(centralSystem);

  const transport = await connect()({ url: listener.url, identity: "CP001" });
  const chargePoint = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
  console.log(await chargePoint.call("Heartbeat", {}));
  await listener.close();
}

main();
// #endregion
