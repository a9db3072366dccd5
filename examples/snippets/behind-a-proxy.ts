/* A Central System that believes its proxies. */
import { CentralSystem } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";

const port = 0;
const centralSystem = new CentralSystem();

// #region trusted
const listener = await listen(centralSystem, { port, path: "/ocpp", trustedProxies: ["127.0.0.1", "10.0.0.0/8"] });
// #endregion

const connected = new Promise((resolve) => centralSystem.once("connected", resolve));
const transport = await connect()({ url: listener.url, identity: "CP001" });
await connected;
if (centralSystem.get("CP001")?.remoteAddress !== "127.0.0.1") throw new Error("It is somewhere else.");
transport.close();
await listener.close();
