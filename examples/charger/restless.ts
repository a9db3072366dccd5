/*
 * A charger whose drivers come and go all the time, for whoever wants to kill it: kill.test.ts does. It says which
 * transactions would survive that, and which ones the central system has heard the end of. When its standard input ends,
 * everybody leaves, and it ends once everything is delivered.
 */
import { Charger, simulatedHardware } from "@ocppj/charger";
import type { Transaction } from "@ocppj/core";
import { connect, durableStore } from "@ocppj/node";

const [url = "", folder = ""] = process.argv.slice(2);
const hardware = simulatedHardware({ connectors: 2, meterSeconds: 0.1 });
const charger = new Charger({
  identity: "CP001",
  url,
  boot: { chargePointVendor: "ocppj", chargePointModel: "Restless" },
  connect,
  store: durableStore(folder),
  hardware,
  configuration: { AllowOfflineTxForUnknownId: true, LocalPreAuthorize: true, MeterValueSampleInterval: 1 },
  keepReadingSeconds: 1,
  retryBackOffWaitMinimum: 0.1,
  retryBackOffRepeatTimes: 0,
  retryBackOffRandomRange: 0,
});
charger.on("fault", ({ error }) => console.error(error));
await charger.start();
const { chargePoint } = charger;

/** What tells transactions apart. */
const nameOf = ({ connectorId, startedAt }: Transaction): string =>
  `${connectorId} ${new Date(startedAt).toISOString()}`;

const said = new Set<Transaction>();
charger.on("changed", () => {
  for (const transaction of chargePoint.transactions) {
    if (said.has(transaction)) continue;
    said.add(transaction);
    // Not before it would survive.
    chargePoint.saved().then(() => console.log(`saved ${nameOf(transaction)}`), console.error);
  }
});

let isEnding = false;
const steps: readonly ((id: number) => unknown)[] = [
  (id) => hardware.plug(id),
  (id) => hardware.present(`CARD${id}`, id),
  () => {},
  (id) => hardware.present(`CARD${id}`, id),
  (id) => hardware.unplug(id),
];
let turn = 0;
const life = setInterval(() => {
  for (const id of [1, 2]) if (!isEnding) steps[(turn + 2 * id) % steps.length]?.(id);
  turn += 1;
}, 30);

process.stdin.on("end", async () => {
  isEnding = true;
  for (const { connectorId, status } of charger.state.connectors) {
    if (status === "Charging" || status.startsWith("Suspended")) charger.stopTransaction(connectorId);
  }
  const look = setInterval(async () => {
    if (chargePoint.transactions.length > 0 || chargePoint.undelivered.count > 0) return;
    clearInterval(look);
    clearInterval(life);
    await charger.stop();
    console.log("all delivered");
    process.exit(0);
  }, 20);
});
process.stdin.resume();
