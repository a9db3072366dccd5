import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "../../packages/node/test/certificates.ts";

// The files that the owner of a Central System and of a Charge Point would have.
const folder = await mkdtemp(join(tmpdir(), "ocppj-security-"));
process.chdir(folder);
const cpo = await Authority.create("Example CPO root");
const certify = async (name: string, options: Parameters<Authority["issue"]>[0]): Promise<void> => {
  const { cert, key } = await cpo.issue({ organizationName: "Example CPO", ...options });
  await Promise.all([writeFile(`${name}.pem`, cert), writeFile(`${name}.key`, key)]);
};
await writeFile("root.pem", cpo.certificate);
await certify("central-ecdsa", { commonName: "localhost" });
await certify("central-rsa", { commonName: "localhost", algorithm: "RSA" });
await certify("charge-point", { commonName: "SN-0815" });

// #region profile-2
import { readFile } from "node:fs/promises";
import { CentralSystem } from "@ocppj/core";
import { isAuthorizationKey, listen } from "@ocppj/node";

const centralSystem = new CentralSystem();
const keys = new Map([["CP001", "000102030405060708090a0b0c0d0e0f10111213"]]);

const read = (...files: string[]) => Promise.all(files.map((file) => readFile(file)));
const certificates = async () => ({
  cert: await read("central-ecdsa.pem", "central-rsa.pem"),
  key: await read("central-ecdsa.key", "central-rsa.key"),
});

const listener = await listen(centralSystem, {
  path: "/ocpp",
  securityProfile: 2,
  tls: await certificates(),
  authenticate({ identity, password }) {
    const key = keys.get(identity);
    return key === undefined ? "unknown-identity" : isAuthorizationKey(password, key);
  },
});
// #endregion

// #region replace
const renewed = async (): Promise<void> => {
  listener.replaceCertificates(await certificates());
};

// #endregion

// #region connect-2
import { connect } from "@ocppj/node";

const withPassword = connect({
  securityProfile: 2,
  authorizationKey: "000102030405060708090a0b0c0d0e0f10111213",
  tls: { ca: await readFile("root.pem") },
}); // for the ChargePoint's option `connect`
// #endregion

const localhost = (url: string): string => url.replace("127.0.0.1", "localhost");
const hello = async (open: typeof withPassword, url: string): Promise<void> => {
  const gone = new Promise((resolve) => centralSystem.once("disconnected", resolve));
  const transport = await open({ url: localhost(url), identity: "CP001" });
  transport.close();
  await gone;
};
await hello(withPassword, listener.url);
await renewed();
await hello(withPassword, listener.url);
await listener.close();

const serialNumbers = new Map([["CP001", "SN-0815"]]);
const serialNumberOf = (identity: string): string | undefined => serialNumbers.get(identity);

// #region profile-3
import { isChargePointCertificate } from "@ocppj/node";

const strict = await listen(centralSystem, {
  path: "/ocpp",
  securityProfile: 3,
  tls: { ...(await certificates()), ca: await readFile("root.pem") },
  authenticate({ identity, certificate }) {
    const serialNumber = serialNumberOf(identity);
    if (serialNumber === undefined) return "unknown-identity";
    return isChargePointCertificate(certificate, { organizationName: "Example CPO", serialNumber });
  },
});
// #endregion

// #region connect-3
const withCertificate = connect({
  securityProfile: 3,
  tls: {
    ca: await readFile("root.pem"),
    cert: await readFile("charge-point.pem"),
    key: await readFile("charge-point.key"),
  },
});
// #endregion

const logged: string[] = [];
const log = (...line: readonly unknown[]): void => void logged.push(line.join(" "));

// #region refused
centralSystem.on("refused", ({ identity = "somebody", remoteAddress, reason, message, advice }) => {
  log(`${identity} at ${remoteAddress} was refused (${reason}). ${message} ${advice}`);
});
// #endregion

await hello(withCertificate, strict.url);
await assert.rejects(connect({ tls: { ca: cpo.certificate } })({ url: localhost(strict.url), identity: "CP002" }), {
  reason: "unauthorized",
  status: 403,
});
assert.match(logged.join("\n"), /^CP002 at \S+ was refused \(certificate\)\. The peer has shown no certificate\./);
await strict.close();
process.chdir("/");
await rm(folder, { recursive: true });
