/*
 * Chargers that connect and stay silent, in a process of their own: argv[2] is the endpoint URL, argv[3] how many. The
 * parent is told once all are connected.
 */
import { connect } from "@ocppj/node";

const [, , url = "", count = ""] = process.argv;
const open = connect({ pingIntervalMs: 0, handshakeTimeoutMs: 600_000 });
const identities = Array.from({ length: Number(count) }, (_, index) => `CP${index}`);
const transports = await Promise.all(identities.map((identity) => open({ url, identity })));
for (const transport of transports) transport.listen({ message: () => {}, close: () => {} });
process.on("disconnect", () => process.exit());
process.send?.("connected");
