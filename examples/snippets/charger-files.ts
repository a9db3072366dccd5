/* The snippets on the files of a charger, with a central system that has a file server with a certificate of openssl. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OpensslAuthority } from "../../packages/node/test/openssl.ts";

const place = await mkdtemp(join(tmpdir(), "ocppj-charger-files-"));
process.chdir(place);

// #region imports
import { Charger, firmwareManagement, type Hardware, simulatedHardware } from "@ocppj/charger";
import { CentralSystem, memoryStore } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";
import { fileTransfers } from "@ocppj/node/transfers";

// #endregion

const authority = OpensslAuthority.create();
const roots = authority.cert;
const own = authority.issue({ subject: "/CN=files", extensions: ["subjectAltName=IP:127.0.0.1"] });

/** What the file server was asked, and with which credentials. */
const asked: unknown[] = [];
const files = createServer(own, async (request, response) => {
  const pieces: string[] = [];
  for await (const piece of request) pieces.push(String(piece));
  asked.push([request.method, request.url, request.headers.authorization !== undefined, pieces.join("")]);
  response.end("the new firmware");
}).listen(0, "127.0.0.1");
await new Promise((resolve) => files.once("listening", resolve));
const server = `https://cp001:secret@127.0.0.1:${(files.address() as AddressInfo).port}`;

const centralSystem = new CentralSystem();
const currentTime = (): string => new Date().toISOString();
centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime: currentTime(), interval: 300 }));
centralSystem.handle("Heartbeat", () => ({ currentTime: currentTime() }));
centralSystem.handle("StatusNotification", () => ({}));
const told: string[] = [];
let hear = (): void => {};
const tell = ({ status }: { readonly status: string }): Record<never, never> => {
  told.push(status);
  hear();
  return {};
};
centralSystem.handle("FirmwareStatusNotification", tell);
centralSystem.handle("DiagnosticsStatusNotification", tell);
/** Resolves once the charger has told something. */
const hears = (status: string): Promise<void> =>
  new Promise((resolve) => {
    hear = () => told.includes(status) && resolve();
    hear();
  });
const listener = await listen(centralSystem, { path: "/ocpp" });
const { url } = listener;

/** What is installed. */
let installed = "";
await writeFile("diagnostics.txt", "all is well");
const hardware: Hardware = Object.assign(simulatedHardware(), {
  install: async (file: string): Promise<"installed"> => {
    installed = await readFile(file, "utf8");
    return "installed";
  },
  diagnostics: () => ({ file: "diagnostics.txt", fileName: "CP001.txt" }),
});

// #region transfers
const transfers = fileTransfers({
  folder: "downloads", // On a real charger: "/var/lib/charger/downloads"
  protocols: ["HTTPS", "FTPS"], // SupportedFileTransferProtocols. Default: HTTP and FTP, too
  tls: { ca: roots }, // Or a function, which is asked at each transfer
  maxBytes: 200 * 1024 ** 2,
  progress: ({ direction, bytes, total }) => console.log(`${direction}: ${bytes} of ${total}`),
});
const charger = new Charger({
  identity: "CP001",
  url,
  boot: { chargePointVendor: "VendorX", chargePointModel: "Twin" },
  connect,
  store: memoryStore(),
  hardware, // With install and diagnostics
  firmwareManagement: firmwareManagement(transfers),
});
// #endregion
charger.on("fault", ({ error }) => assert.fail(String(error)));
await charger.start();
await new Promise((resolve) => charger.chargePoint.once("registration", resolve));

const connection = centralSystem.get("CP001");
assert(connection);
const { configurationKey } = await connection.call("GetConfiguration", { key: ["SupportedFileTransferProtocols"] });
assert.equal(configurationKey?.[0]?.value, "HTTPS,FTPS");

await connection.call("UpdateFirmware", { location: `${server}/twin-2.0`, retrieveDate: currentTime(), retries: 3 });
await hears("Installed");
const { fileName } = await connection.call("GetDiagnostics", { location: `${server}/diagnostics` });
await hears("Uploaded");
assert.equal(installed, "the new firmware");
assert.equal(fileName, "CP001.txt");
assert.deepEqual(told, ["Downloading", "Downloaded", "Installing", "Installed", "Uploading", "Uploaded"]);
assert.deepEqual(asked, [
  ["GET", "/twin-2.0", true, ""],
  ["PUT", "/diagnostics/CP001.txt", true, "all is well"],
]);

await charger.stop();
await listener.close();
files.close();
process.chdir("/");
await rm(place, { recursive: true });
