/* A Central System that an orchestrator looks after. */
import { CentralSystem } from "@ocppj/core";
import { listen } from "@ocppj/node";

const port = 0;
const centralSystem = new CentralSystem();
const log = (line: string): void => void lines.push(line);
const lines: string[] = [];

// #region operating
centralSystem.on("expiring", ({ whose, identity = "", subject, daysLeft }) => {
  log(`The certificate of the ${whose} ${identity} ends in ${daysLeft} days: ${subject}`);
});
const listener = await listen(centralSystem, {
  port,
  path: "/ocpp",
  health: "/health",
  limits: { connectionsPerAddress: 500 },
  expiryWarningDays: 30,
});
// #endregion

const url = `http://127.0.0.1:${listener.port}/health`;
const ready = await fetch(url);
if (ready.status !== 200) throw new Error(`It is not ready: ${await ready.text()}`);
await centralSystem.drain();
if ((await fetch(url)).status !== 503) throw new Error("It is drained, and says that it is ready.");
await listener.close();
