import assert from "node:assert/strict";
import { MessageChannel, type MessagePort } from "node:worker_threads";
// #region transport
import type { Transport } from "@ocppj/core";

/** A message port, for a charge point in a worker, as a transport. */
function portTransport(port: MessagePort): Transport {
  return {
    listen(listener) {
      port.on("message", (text: string) => listener.message(text));
      port.once("close", () => listener.close(1006, ""));
    },
    send: (text) => port.postMessage(text),
    close: () => port.close(),
  };
}

// #endregion

import { CentralSystem, Connection } from "@ocppj/core";

const channel = new MessageChannel();
const centralSystem = new CentralSystem({ registrations: new Map([["CP001", "Accepted"]]) });
centralSystem.handle("Heartbeat", () => ({ currentTime: "2026-01-01T00:00:00Z" }));

// #region use
centralSystem.accept(portTransport(channel.port1), "CP001");
const chargePoint = new Connection(portTransport(channel.port2), { role: "ChargePoint", identity: "CP001" });
const { currentTime } = await chargePoint.call("Heartbeat", {});
// #endregion

assert.equal(currentTime, "2026-01-01T00:00:00Z");
const disconnected = new Promise((resolve) => centralSystem.once("disconnected", resolve));
chargePoint.close();
await disconnected;
