/* The snippets on the certificates of a charger, with a central system that has an authority of openssl. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OpensslAuthority } from "../../packages/node/test/openssl.ts";

// What comes from the factory.
const folder = await mkdtemp(join(tmpdir(), "ocppj-charger-certificates-"));
process.chdir(folder);
const cpo = OpensslAuthority.create({ subject: "/O=Example CPO/CN=Root" });
await writeFile("central-system-roots.pem", cpo.cert);
await writeFile("manufacturer-root.pem", OpensslAuthority.create({ subject: "/O=VendorX/CN=Root" }).cert);

// #region imports
import { readFile } from "node:fs/promises";
import { type CertificateTools, Charger, certificates, simulatedHardware } from "@ocppj/charger";
import { CentralSystem, memoryStore } from "@ocppj/core";
import { connect, isAuthorizationKey, isChargePointCertificate, listen } from "@ocppj/node";
import { certificateTools } from "@ocppj/node/certificates";

// #endregion

const factoryKey = "00112233445566778899aabbccddeeff00112233";
const centralSystem = new CentralSystem();
const currentTime = (): string => new Date().toISOString();
centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime: currentTime(), interval: 300 }));
centralSystem.handle("Heartbeat", () => ({ currentTime: currentTime() }));
centralSystem.handle("StatusNotification", () => ({}));

const central = cpo.issue({ subject: "/O=Example CPO/CN=127.0.0.1", extensions: ["subjectAltName=IP:127.0.0.1"] });
const withPassword = await listen(centralSystem, {
  path: "/ocpp",
  securityProfile: 2,
  tls: central,
  authenticate: ({ password }) => isAuthorizationKey(password, factoryKey),
});
const withCertificate = await listen(centralSystem, {
  path: "/ocpp",
  securityProfile: 3,
  tls: { ...central, ca: cpo.cert },
  authenticate: ({ certificate }) =>
    isChargePointCertificate(certificate, { organizationName: "Example CPO", serialNumber: "SN-0815" }),
});
const urls = { 0: withPassword.url, 1: withPassword.url, 2: withPassword.url, 3: withCertificate.url };

// #region charger
const charger = new Charger({
  identity: "CP001",
  url: urls[2],
  boot: { chargePointVendor: "VendorX", chargePointModel: "Twin", chargePointSerialNumber: "SN-0815" },
  credential: { authorizationKey: factoryKey, securityProfile: 2 },
  configuration: { CpoName: "Example CPO", CertificateStoreMaxLength: 6 },
  certificates: certificates({
    tools: certificateTools(), // Keys on P-256; with { keyType: "RSA" } RSA of 3072 bits.
    roots: {
      CentralSystemRootCertificate: await readFile("central-system-roots.pem", "utf8"),
      ManufacturerRootCertificate: await readFile("manufacturer-root.pem", "utf8"),
    },
  }),
  connect: (credential, tls) => {
    const open = connect({ ...credential, tls });
    return (target) => open({ ...target, url: urls[credential.securityProfile] });
  },
  store: memoryStore(), // On a real charger: durableStore("/var/lib/charger"), where nobody else reads.
  hardware: simulatedHardware(),
});
// #endregion

const said: string[] = [];
charger.on("said", ({ text }) => said.push(text));
charger.on("fault", ({ error }) => assert.fail(String(error)));

const issue = async (csr: string): Promise<string> => cpo.sign(csr);
// #region central-system
centralSystem.handle("SignCertificate", ({ csr }, { answered, connection }) => {
  const handOver = async (): Promise<void> => {
    const certificateChain = await issue(csr); // Your authority, which looks at the request first.
    await connection.call("CertificateSigned", { certificateChain });
  };
  void answered.then(handOver).catch((error: unknown) => console.error(error));
  return { status: "Accepted" };
});
// #endregion
/** Resolves with the answer to CertificateSigned. */
const handedOver = new Promise<unknown>((resolve) => {
  centralSystem.on("finished", ({ call, outcome }) => {
    if (call.action === "CertificateSigned" && outcome.type === "CALLRESULT") resolve(outcome.payload);
  });
});

/** Resolves once the charger is connected. */
const connected = (): Promise<unknown> => new Promise((resolve) => charger.chargePoint.once("connected", resolve));

await charger.start();
await new Promise((resolve) => charger.chargePoint.once("registration", resolve));

// #region renew
await charger.renewCertificate(); // By itself it does so a month before the end of the present one.
// #endregion
assert.deepEqual(await handedOver, { status: "Accepted" });
const back = connected();
const raised = await centralSystem.get("CP001")?.call("ChangeConfiguration", { key: "SecurityProfile", value: "3" });
assert.equal(raised?.status, "Accepted");
await back;
assert.equal(centralSystem.get("CP001")?.channel?.certificate?.subject, "O=Example CPO, CN=SN-0815");
await charger.stop();

/** What a maker has: a chip that makes keys, and signs with them. */
const chip = { newKey: async () => "slot 3", request: async (_slot: string, _subject: object) => "PEM", publicKey: "" };

// #region hsm
const pem = certificateTools();
const tools: CertificateTools = {
  ...pem,
  newKey: () => chip.newKey(), // "slot 3": all that the store, and `tls.key`, ever have of it.
  request: (slot, subject) => chip.request(slot, subject),
  isKeyOf: async (slot, certificate) => (await publicKeyIn(slot)) === (await publicKeyOf(certificate)),
};
// #endregion
const publicKeyIn = async (_slot: string): Promise<string> => chip.publicKey;
const publicKeyOf = async (_certificate: string): Promise<string> => chip.publicKey;
assert.equal(await tools.newKey(), "slot 3");

await withPassword.close();
await withCertificate.close();
process.chdir("/");
await rm(folder, { recursive: true });
