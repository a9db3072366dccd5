/* Certificates and security profiles, by the numbers of the certification cases. [TCK-C073, TCK-C083] */
import type { Req } from "@ocppj/core";
import { beforeEach, describe, expect, test } from "vitest";
import { type CertificatesOptions, certificates } from "../../src/index.ts";
import { day, rootOf, serialNumberOf, start, tools } from "../certificates/certificates-bench.ts";
import { type ChargerSite, hour, second } from "../charger-site.ts";
import { charging, ready } from "./ready.ts";

const root = rootOf();
const rsaRoot = rootOf({ subject: "/O=CPO/CN=RSA root", key: "rsa" });
const manufacturer = rootOf({ subject: "/O=Maker/CN=Maker root" });
const own = root.issue({ subject: "/O=CPO/CN=SN1", from: start - 10 * day, to: start + 300 * day });
const authorizationKey = "00112233445566778899aabbccddeeff00112233";
const centralType = "CentralSystemRootCertificate";

let requests: string[];
/** Happens before a request is answered. */
let asked: () => void;
beforeEach(() => {
  requests = [];
  asked = () => {};
});

/** Settings of a charger with certificates. */
const optionsOf = (given: Partial<CertificatesOptions> = {}, securityProfile: 1 | 2 | 3 = 3) => ({
  url: "wss://central.example.com/ocpp",
  boot: { chargePointVendor: "VendorX", chargePointModel: "Charger", chargePointSerialNumber: "SN1" },
  credential: { authorizationKey, securityProfile },
  configuration: { CpoName: "CPO" },
  certificates: certificates({
    tools,
    roots: { CentralSystemRootCertificate: root.cert + rsaRoot.cert },
    own,
    ...given,
  }),
});

/** One that has registered. Its Central System has a certificate of `root`. */
async function charger(...given: Parameters<typeof optionsOf>): Promise<ChargerSite> {
  return answering(await ready(optionsOf(...given)));
}

function answering(site: ChargerSite): ChargerSite {
  site.centralSystem.handle("SignCertificate", ({ csr }) => {
    requests.push(csr);
    asked();
    return { status: "Accepted" };
  });
  site.refuses = (_, { ca }) =>
    ca === undefined || ca.trim() === root.cert.trim() ? undefined : "certificate-untrusted";
  return site;
}

const trigger = (site: ChargerSite, requestedMessage: Req<"ExtendedTriggerMessage">["requestedMessage"]) =>
  site.call("ExtendedTriggerMessage", { requestedMessage });

/** What it has connected with last. */
const presented = (site: ChargerSite) => site.presented.at(-1);

describe("TC_074 a Charge Point certificate is replaced [TCK-064, TCK-C073]", () => {
  test.each([
    ["ECDSA", root, tools],
    ["RSA", rsaRoot, { ...tools, newKey: async () => rsaRoot.issue({ subject: "/CN=any", key: "rsa" }).key }],
  ] as const)(
    "%s: asked for after the answer, and used at once [SEC-A02-02, SEC-A02-03, SEC-A02-08]",
    async (_, issuer, made) => {
      const site = await charger({ tools: made });
      expect(presented(site)?.tls.cert?.trim()).toBe(own.cert.trim());
      expect(await trigger(site, "SignChargePointCertificate")).toEqual({ status: "Accepted" });
      await site.clock.advance(0);
      expect(site.takeOf("SignCertificate")).toHaveLength(1);
      const certificateChain = issuer.sign(requests[0] ?? "", { from: start - day, to: start + 400 * day });
      expect(await site.call("CertificateSigned", { certificateChain })).toEqual({ status: "Accepted" });
      await site.clock.advance(10 * second);
      expect(site.charger.chargePoint.connected).toBe(true);
      expect(presented(site)).toMatchObject({ securityProfile: 3, tls: { cert: certificateChain } });
      expect(site.links).toHaveLength(2);
    },
  );

  test("a request that the power cut off from its answer is sent again, with the same key", async () => {
    const site = await charger();
    asked = () => site.powerOff();
    await trigger(site, "SignChargePointCertificate");
    await site.clock.advance(0);
    asked = () => {};
    await site.powerOn();
    await site.clock.advance(10 * second);
    const [first, second_] = site.payloads("SignCertificate");
    expect(second_).toEqual(first);
    const certificateChain = root.sign(requests[0] ?? "", { from: start - day, to: start + 400 * day });
    expect(await site.call("CertificateSigned", { certificateChain })).toEqual({ status: "Accepted" });
  });

  test("that the owner asks for [SEC-A03-02]", async () => {
    const site = await charger();
    await site.charger.renewCertificate();
    await site.clock.advance(0);
    expect(requests).toHaveLength(1);
  });

  test("that ends within a month, without being asked [SEC-A03-02]", async () => {
    const to = start + 32 * day;
    const site = await charger({ own: root.issue({ subject: "/O=CPO/CN=SN1", from: start - 100 * day, to }) });
    await site.clock.advance(day - hour);
    expect(requests).toHaveLength(0);
    await site.clock.advance(hour);
    expect(requests).toHaveLength(1);
  });

  test("is Rejected without CpoName, and NotImplemented is what nobody here sends", async () => {
    const site = answering(await ready({ ...optionsOf(), configuration: {} }));
    expect(await trigger(site, "SignChargePointCertificate")).toEqual({ status: "Rejected" });
    expect(await trigger(site, "LogStatusNotification")).toEqual({ status: "NotImplemented" });
    const value = { key: "CpoName", value: "CPO" };
    expect(await site.call("ChangeConfiguration", value)).toEqual({ status: "Accepted" });
    expect(await trigger(site, "SignChargePointCertificate")).toEqual({ status: "Accepted" });
  });

  test("MeterValues can be triggered this way, too", async () => {
    const site = answering(await charging(optionsOf()));
    expect(await trigger(site, "MeterValues")).toEqual({ status: "Accepted" });
    await site.clock.advance(0);
    expect(site.takeOf("MeterValues").sort()).toEqual(["MeterValues 1 1", "MeterValues 2"]);
  });
});

describe("TC_075 root certificates are installed [TCK-065, TCK-066]", () => {
  test.each([
    ["1", "ManufacturerRootCertificate"],
    ["2", centralType],
  ] as const)("TC_075_%s: %s [SEC-M03-03, SEC-M05-02]", async (_, certificateType) => {
    const site = await charger();
    expect(await site.call("InstallCertificate", { certificateType, certificate: manufacturer.cert })).toEqual({
      status: "Accepted",
    });
    const { certificateHashData, status } = await site.call("GetInstalledCertificateIds", { certificateType });
    expect(status).toBe("Accepted");
    expect(certificateHashData?.map(({ serialNumber }) => serialNumber)).toContain(
      await serialNumberOf(manufacturer.cert),
    );
  });
});

test.each(["SHA256", "SHA384", "SHA512"] as const)(
  "TC_076 a certificate is deleted by the hash data that were told, by %s [TCK-067, SEC-M04-02]",
  async (hashAlgorithm) => {
    const site = await charger({ hashAlgorithm });
    const certificateType = "ManufacturerRootCertificate";
    expect(await site.call("GetInstalledCertificateIds", { certificateType })).toEqual({ status: "NotFound" });
    await site.call("InstallCertificate", { certificateType, certificate: manufacturer.cert });
    const { certificateHashData = [] } = await site.call("GetInstalledCertificateIds", { certificateType });
    const [told] = certificateHashData;
    if (told === undefined) throw new Error("Nothing was told.");
    expect(told.hashAlgorithm).toBe(hashAlgorithm);
    expect(await site.call("DeleteCertificate", { certificateHashData: told })).toEqual({ status: "Accepted" });
    expect(await site.call("GetInstalledCertificateIds", { certificateType })).toEqual({ status: "NotFound" });
    expect(await site.call("DeleteCertificate", { certificateHashData: told })).toEqual({ status: "NotFound" });
  },
);

test("TC_077 an invalid Charge Point certificate is Rejected [TCK-068, SEC-A02-07]", async () => {
  const site = await charger();
  await trigger(site, "SignChargePointCertificate");
  await site.clock.advance(0);
  const certificateChain = manufacturer.sign(requests[0] ?? "", { from: start - day });
  expect(await site.call("CertificateSigned", { certificateChain })).toEqual({ status: "Rejected" });
  await site.clock.advance(10 * second);
  expect(site.links).toHaveLength(1);
  expect(site.said.at(-1)).toMatch(/^0: a Charge Point certificate was refused: it does not come from/);
});

test("TC_078 an invalid Central System certificate is Rejected [TCK-069, SEC-M05-06]", async () => {
  const site = await charger();
  const certificate = rootOf({ to: start - day }).cert;
  expect(await site.call("InstallCertificate", { certificateType: centralType, certificate })).toEqual({
    status: "Rejected",
  });
  expect(site.said.at(-1)).toBe("0: a CentralSystemRootCertificate was not installed: it has expired");
});

const raise = (site: ChargerSite, value: number) =>
  site.call("ChangeConfiguration", { key: "SecurityProfile", value: `${value}` });

describe("TC_083 the security profile is raised [TCK-073, TCK-C083]", () => {
  test("to 2 and to 3, each over a new connection [SEC-A05-05 … SEC-A05-07]", async () => {
    const site = await charger({}, 1);
    expect(presented(site)).toMatchObject({ securityProfile: 1, tls: {} });
    for (const profile of [2, 3]) {
      expect(await raise(site, profile)).toEqual({ status: "Accepted" });
      await site.clock.advance(10 * second);
      expect(site.charger.chargePoint.registration).toBe("Accepted");
      expect(presented(site)).toMatchObject({ securityProfile: profile, tls: { ca: root.cert } });
    }
    expect(presented(site)?.tls.key).toBe(own.key);
  });

  test("not without a root, and not to 3 without a certificate [SEC-A05-03, SEC-A05-04]", async () => {
    const bare = await charger({ own: undefined, roots: {} }, 1);
    expect(await raise(bare, 2)).toEqual({ status: "Rejected" });
    expect(await raise(bare, 3)).toEqual({ status: "Rejected" });
    await bare.call("InstallCertificate", { certificateType: centralType, certificate: root.cert });
    expect(await raise(bare, 3)).toEqual({ status: "Rejected" });
    expect(await raise(bare, 2)).toEqual({ status: "Accepted" });
  });

  test("tries all certificates before it falls back to the profile before [SEC-A05-08]", async () => {
    const site = await charger({}, 1);
    site.refuses = ({ securityProfile }, { ca }) => {
      if (securityProfile === 1) return undefined;
      return ca?.trim() === root.cert.trim() ? "certificate-refused" : "certificate-untrusted";
    };
    expect(await raise(site, 3)).toEqual({ status: "Accepted" });
    await site.clock.advance(hour);
    expect(site.charger.configuration.get("SecurityProfile")).toBe(1);
    const tried = site.presented.filter(({ securityProfile }) => securityProfile === 3);
    expect(tried.map(({ tls }) => tls.ca?.trim())).toEqual([rsaRoot.cert.trim(), root.cert.trim()]);
    expect(site.charger.chargePoint.connected).toBe(true);
  });
});

test("TC_084 the security profile is never lowered [SEC-A05-01]", async () => {
  const site = await charger();
  for (const profile of [3, 2, 1, 0]) expect(await raise(site, profile)).toEqual({ status: "Rejected" });
  await site.clock.advance(10 * second);
  expect(site.links).toHaveLength(1);
});

test("the keys of the white paper are there, and the private keys in no message [CFG-47 … CFG-52, SEC-A02-05]", async () => {
  const site = await charger();
  const keys = [
    "AdditionalRootCertificateCheck",
    "CertificateSignedMaxChainSize",
    "CertificateStoreMaxLength",
    "CpoName",
  ];
  const { configurationKey, unknownKey } = await site.call("GetConfiguration", {
    key: [...keys, "SecurityProfile", "AuthorizationKey"],
  });
  expect(unknownKey).toBeUndefined();
  expect(configurationKey).toEqual([
    { key: "AdditionalRootCertificateCheck", readonly: true, value: "false" },
    { key: "CertificateSignedMaxChainSize", readonly: true, value: "10000" },
    { key: "CertificateStoreMaxLength", readonly: true, value: "10" },
    { key: "CpoName", readonly: false, value: "CPO" },
    { key: "SecurityProfile", readonly: false, value: "3" },
  ]);
  await trigger(site, "SignChargePointCertificate");
  await site.clock.advance(0);
  const told = JSON.stringify([site.received, site.said, site.faults, site.charger.state]);
  expect(told).toContain("CERTIFICATE REQUEST");
  expect(told).not.toContain("PRIVATE KEY");
});

test("a charger without certificates supports none of this, and is asked for none", async () => {
  const site = await ready();
  expect(presented(site)?.tls).toEqual({});
  await expect(site.charger.renewCertificate()).rejects.toThrow("Give the option certificates.");
  const certificateType = centralType;
  await expect(site.call("GetInstalledCertificateIds", { certificateType })).rejects.toMatchObject({
    code: "NotSupported",
  });
});
