import assert from "node:assert/strict";
import { once } from "node:events";
import type { CentralSystem as AnyCentralSystem } from "@ocppj/core";
import { connect } from "@ocppj/node";

const port = 0; // Whatever is free.

/** Whether a Charge Point that connects to a URL is one of this Central System. */
async function serves(centralSystem: AnyCentralSystem, url: string): Promise<boolean> {
  const transport = await connect()({ url, identity: "CP001" });
  const isThere = centralSystem.get("CP001") !== undefined;
  transport.close();
  return isThere;
}

// #region two
import { createServer } from "node:http";
import { CentralSystem } from "@ocppj/core";
import { listen } from "@ocppj/node";

const server = createServer((_, response) => response.end("Our chargers"));
const rotterdam = new CentralSystem();
const ghent = new CentralSystem();

const listeners = [
  await listen(rotterdam, { server, path: "/rotterdam" }),
  await listen(ghent, { server, path: "/ghent" }),
];
server.listen(port);
// #endregion

await once(server, "listening");
assert(await serves(rotterdam, String(listeners[0]?.url)));
assert(await serves(ghent, String(listeners[1]?.url)));

const centralSystem = new CentralSystem();

// #region fastify
import fastify from "fastify";

const app = fastify();
app.get("/", () => "Our chargers");
const listener = await listen(centralSystem, { server: app.server, path: "/ocpp" });
await app.listen({ port });
// #endregion

assert(await serves(centralSystem, listener.url));
const { port: appPort } = app.server.address() as { port: number };
assert.equal(await (await fetch(`http://localhost:${appPort}/`)).text(), "Our chargers");
assert.equal((await fetch(`http://localhost:${appPort}/ocpp/CP001`)).status, 404);

const log: string[] = [];

// #region refused
centralSystem.on("refused", ({ identity, remoteAddress, reason, message, advice }) => {
  log.push(`${identity ?? remoteAddress} (${reason}): ${message} ${advice}`);
});
// #endregion

// The headers of a handshake, as a proxy passes them on that knows nothing of WebSockets.
const eaten = { "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==", "Sec-WebSocket-Version": "13" };
const refused = once(centralSystem as never, "refused");
const { request } = await import("node:http");
request({ port: appPort, path: "/ocpp/CP001", headers: eaten }).end();
await refused;
assert.match(String(log[0]), /^CP001 \(no-upgrade\): The handshake arrived without .* A proxy removes them/);

await listener.close();
await app.close();
for (const one of listeners) await one.close();
server.closeAllConnections();
server.close();
