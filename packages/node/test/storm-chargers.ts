/*
 * Many chargers in a process of their own: argv[2] is the endpoint URL, argv[3] how many. Each connects with `ws` and
 * sends a BootNotification; when its connection is lost, or refused, it comes back at once. It tells its parent how many
 * have had the answer on their first connection, on their second, and so on, whenever all have.
 */
import { WebSocket } from "ws";

const [, , url = "", count = ""] = process.argv;
const chargers = Number(count);
/** How many chargers have had as many accepted BootNotifications as the index says. */
const accepted: number[] = [];
const boot = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]';

function charge(identity: string, connections: number): void {
  let answered = false;
  const webSocket = new WebSocket(`${url}/${identity}`, ["ocpp1.6"], { perMessageDeflate: false });
  webSocket.on("open", () => webSocket.send(boot));
  webSocket.on("error", () => {}); // `close` follows.
  webSocket.on("message", () => {
    if (answered) return;
    answered = true;
    accepted[connections] = (accepted[connections] ?? 0) + 1;
    if (accepted[connections] === chargers) process.send?.(connections);
  });
  webSocket.on("close", () => charge(identity, answered ? connections + 1 : connections));
}

process.on("disconnect", () => process.exit());
for (let index = 0; index < chargers; index++) charge(`CP${index}`, 1);
