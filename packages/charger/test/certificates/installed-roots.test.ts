import { memoryStore } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { FickleStore } from "../stores.ts";
import { CertificatesBench, centralSystem, day, rootOf, serialNumberOf, start, tools } from "./certificates-bench.ts";

const root = rootOf();
const other = rootOf({ subject: "/O=CPO/CN=Other" });
const third = rootOf({ subject: "/O=CPO/CN=Third", key: "rsa" });
const manufacturer = rootOf({ subject: "/O=Maker/CN=Maker root" });
/** Issued by `root`, to take its place. */
const successor = rootOf({ subject: "/O=CPO/CN=Successor" }, root);

const factory = { roots: { CentralSystemRootCertificate: root.cert } };
const centralType = "CentralSystemRootCertificate";
const makerType = "ManufacturerRootCertificate";

describe("InstallCertificate", () => {
  test("installs what is a root, which survives a power cut [SEC-M05-01, SEC-M05-02]", async () => {
    const bench = await new CertificatesBench().open();
    expect(await bench.installRoot(root.cert)).toBe("Accepted");
    expect(await bench.installManufacturer(manufacturer.cert)).toBe("Accepted");
    await bench.open();
    expect(await bench.ids(centralType)).toEqual([await serialNumberOf(root.cert)]);
    expect(await bench.ids(makerType)).toEqual([await serialNumberOf(manufacturer.cert)]);
    expect(bench.noticed).toEqual(["ReconfigurationOfSecurityParameters", "ReconfigurationOfSecurityParameters"]);
  });

  test("takes PEM with text around it and with CRLF [SEC-A00-507]", async () => {
    const bench = await new CertificatesBench().open();
    expect(await bench.installRoot(`The root\n${root.cert}`.replaceAll("\n", "\r\n"))).toBe("Accepted");
    const { tried } = await bench.connect(centralSystem(root), 2);
    expect(tried).toHaveLength(1);
  });

  /** Its signature is at its end. */
  const der = Buffer.from(root.cert.replace(/-----.*-----/g, ""), "base64");
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  const damaged = `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
  test.each([
    ["cannot be read", "certificate"],
    ["comes with another one", root.cert + other.cert],
    ["has expired", rootOf({ to: start - 1000 }).cert],
    ["is no authority", root.issue({ subject: "/CN=any", from: start - day }).cert],
    ["may not issue any", rootOf({ extensions: ["basicConstraints=CA:TRUE", "keyUsage=digitalSignature"] }).cert],
    ["has a weak key", rootOf({ key: "rsa-1024" }).cert],
    ["has a weak signature", rootOf({ digest: "sha1" }).cert],
    ["has a wrong signature", damaged],
  ])("is Rejected, and told as a security event, where it %s [SEC-M05-06, TCK-069]", async (_, certificate) => {
    const bench = await new CertificatesBench().open();
    expect(await bench.installRoot(certificate)).toBe("Rejected");
    expect(bench.noticed).toEqual(["InvalidCentralSystemCertificate"]);
    expect(await bench.ids(centralType)).toBe("NotFound");
    expect(await bench.installManufacturer(certificate)).toBe("Rejected");
    expect(bench.noticed).toHaveLength(1);
  });

  test("takes one ahead of its time", async () => {
    const bench = await new CertificatesBench().open();
    expect(await bench.installRoot(rootOf({ from: start + day }).cert)).toBe("Accepted");
  });

  test("takes as many as CertificateStoreMaxLength, of all types, and one that is there already at any time [SEC-M05-03, CFG-50]", async () => {
    const bench = await new CertificatesBench({ keys: { CertificateStoreMaxLength: 2 } }).open();
    expect(await bench.installRoot(root.cert)).toBe("Accepted");
    expect(await bench.installManufacturer(manufacturer.cert)).toBe("Accepted");
    expect(await bench.installRoot(other.cert)).toBe("Rejected");
    expect(await bench.installManufacturer(other.cert)).toBe("Rejected");
    expect(bench.noticed).not.toContain("InvalidCentralSystemCertificate");
    expect(await bench.installRoot(root.cert)).toBe("Accepted");
    expect(await bench.ids(centralType)).toHaveLength(1);
  });

  test("has Failed where the store does not take it [SEC-M05-04]", async () => {
    const store = new FickleStore();
    const bench = await new CertificatesBench({ store }).open();
    await store.becomes("refuses");
    expect(await bench.installRoot(root.cert)).toBe("Failed");
    expect(await bench.ids(centralType)).toBe("NotFound");
    await store.becomes("takes");
    await bench.open();
    expect(await bench.ids(centralType)).toBe("NotFound");
  });
});

describe("AdditionalRootCertificateCheck", () => {
  const checked = (more: object = {}) =>
    new CertificatesBench({ ...factory, keys: { AdditionalRootCertificateCheck: true }, ...more }).open();

  test("takes a root only from the one that is installed [SEC-M05-09, SEC-M05-10]", async () => {
    const bench = await checked();
    expect(await bench.installRoot(other.cert)).toBe("Rejected");
    const namesake = rootOf({ subject: "/O=CPO/CN=Successor" }, rootOf());
    expect(await bench.installRoot(namesake.cert)).toBe("Rejected");
    expect(bench.noticed).toEqual(["InvalidCentralSystemCertificate", "InvalidCentralSystemCertificate"]);
    expect(await bench.ids(centralType)).toEqual([await serialNumberOf(root.cert)]);
    expect(await bench.installManufacturer(manufacturer.cert)).toBe("Accepted");
  });

  test("keeps the one before until a connection has come about with the new one [SEC-M05-11 … SEC-M05-13]", async () => {
    const bench = await checked();
    await bench.connect(centralSystem(root), 2);
    expect(await bench.installRoot(successor.cert)).toBe("Accepted");
    // The Central System still has a certificate of the old one.
    const { tried } = await bench.connect(centralSystem(root), 2);
    expect(tried.map(({ ca }) => ca?.trim())).toEqual([successor.cert.trim(), root.cert.trim()]);
    expect(await bench.ids(centralType)).toHaveLength(2);
    await bench.connect(centralSystem(successor), 2);
    expect(await bench.ids(centralType)).toEqual([await serialNumberOf(successor.cert)]);
    await bench.open();
    expect(await bench.ids(centralType)).toHaveLength(1);
  });

  test("has one successor at a time: the present root has issued each [SEC-M05-08]", async () => {
    const bench = await checked();
    const better = rootOf({ subject: "/O=CPO/CN=Better" }, root);
    await bench.installRoot(successor.cert);
    expect(await bench.installRoot(rootOf({ subject: "/O=CPO/CN=Far" }, successor).cert)).toBe("Rejected");
    expect(await bench.installRoot(better.cert)).toBe("Accepted");
    expect(await bench.ids(centralType)).toEqual([await serialNumberOf(root.cert), await serialNumberOf(better.cert)]);
  });

  test("has one successor also where the store did not forget the root before [SEC-M05-08, SEC-M05-12]", async () => {
    const store = new FickleStore();
    const bench = await checked({ store });
    await bench.installRoot(successor.cert);
    await store.becomes("refuses");
    await bench.connect(centralSystem(successor), 2);
    expect(await bench.ids(centralType)).toHaveLength(2);
    await store.becomes("takes");
    const far = rootOf({ subject: "/O=CPO/CN=Far" }, successor);
    expect(await bench.installRoot(far.cert)).toBe("Accepted");
    await bench.open();
    const { tried } = await bench.connect(centralSystem(successor), 2);
    expect(tried.map(({ ca }) => ca?.trim())).toEqual([far.cert.trim(), successor.cert.trim()]);
    await bench.connect(centralSystem(far), 2);
    expect(await bench.ids(centralType)).toEqual([await serialNumberOf(far.cert)]);
  });

  test("goes on from a successor that has worked [SEC-M05-09]", async () => {
    const bench = await checked();
    await bench.installRoot(successor.cert);
    await bench.connect(centralSystem(successor), 2);
    const far = rootOf({ subject: "/O=CPO/CN=Far" }, successor);
    expect(await bench.installRoot(far.cert)).toBe("Accepted");
    expect(await bench.installRoot(rootOf({ subject: "/O=CPO/CN=Late" }, root).cert)).toBe("Rejected");
  });

  test("takes the first root of all from anywhere", async () => {
    const bench = await checked({ roots: {} });
    expect(await bench.installRoot(other.cert)).toBe("Accepted");
  });

  test("is off: several may be installed, from anywhere [SEC-M05-14]", async () => {
    const bench = await new CertificatesBench(factory).open();
    await bench.connect(centralSystem(root), 2);
    expect(await bench.installRoot(other.cert)).toBe("Accepted");
    await bench.connect(centralSystem(other), 2);
    expect(await bench.ids(centralType)).toHaveLength(2);
  });
});

describe("GetInstalledCertificateIds", () => {
  test("tells the hash data of every certificate of a type, or NotFound [SEC-M03-01 … SEC-M03-04]", async () => {
    const bench = await new CertificatesBench().open();
    expect(await bench.opened.ids({ certificateType: makerType })).toEqual({ status: "NotFound" });
    await bench.installRoot(root.cert);
    await bench.installRoot(third.cert);
    expect(await bench.opened.ids({ certificateType: makerType })).toEqual({ status: "NotFound" });
    expect(await bench.opened.ids({ certificateType: centralType })).toEqual({
      status: "Accepted",
      certificateHashData: [
        await tools.hashData(root.cert, root.cert, "SHA256"),
        await tools.hashData(third.cert, third.cert, "SHA256"),
      ],
    });
  });

  test("tells the hash data of a root that another has issued by the key of that, also when it is gone", async () => {
    const bench = await new CertificatesBench({ ...factory, keys: { AdditionalRootCertificateCheck: true } }).open();
    await bench.installRoot(successor.cert);
    await bench.connect(centralSystem(successor), 2);
    const { certificateHashData } = await bench.opened.ids({ certificateType: centralType });
    expect(certificateHashData).toEqual([await tools.hashData(successor.cert, root.cert, "SHA256")]);
  });

  test("uses the algorithm that the maker has chosen [SEC-M04-07]", async () => {
    const bench = await new CertificatesBench({ ...factory, hashAlgorithm: "SHA512" }).open();
    const { certificateHashData } = await bench.opened.ids({ certificateType: centralType });
    expect(certificateHashData).toEqual([await tools.hashData(root.cert, root.cert, "SHA512")]);
  });
});

describe("DeleteCertificate", () => {
  test.each(["SHA256", "SHA384", "SHA512"] as const)(
    "finds a certificate by %s, however it is written [SEC-M04-01, SEC-M04-02, SEC-M04-07]",
    async (algorithm) => {
      const bench = await new CertificatesBench(factory).open();
      await bench.installManufacturer(manufacturer.cert);
      const { hashAlgorithm, ...hex } = await tools.hashData(manufacturer.cert, manufacturer.cert, algorithm);
      const certificateHashData = {
        hashAlgorithm,
        issuerKeyHash: hex.issuerKeyHash.toUpperCase(),
        issuerNameHash: hex.issuerNameHash.toUpperCase(),
        serialNumber: `00${hex.serialNumber}`,
      };
      expect((await bench.opened.delete({ certificateHashData })).status).toBe("Accepted");
      await bench.open();
      expect(await bench.ids(makerType)).toBe("NotFound");
    },
  );

  test("is answered with NotFound where there is none [SEC-M04-04]", async () => {
    const bench = await new CertificatesBench(factory).open();
    expect(await bench.delete(other.cert)).toBe("NotFound");
    const namesake = rootOf();
    expect(await bench.delete(namesake.cert)).toBe("NotFound");
    expect(bench.noticed).toEqual([]);
  });

  test("has Failed for the root in use, and works once another is [SEC-M04-06]", async () => {
    const bench = await new CertificatesBench(factory).open();
    await bench.installRoot(other.cert);
    await bench.connect(centralSystem(root), 2);
    expect(await bench.delete(root.cert)).toBe("Failed");
    await bench.connect(centralSystem(other), 2);
    expect(await bench.delete(root.cert)).toBe("Accepted");
  });

  test("has Failed for the last root of the Central System, in use or not [SEC-M04-08]", async () => {
    const bench = await new CertificatesBench(factory).open();
    await bench.installManufacturer(manufacturer.cert);
    await bench.connect(() => undefined, 1, "ws://central.example.com");
    expect(await bench.delete(root.cert)).toBe("Failed");
    expect(await bench.delete(manufacturer.cert)).toBe("Accepted");
    expect(await bench.ids(centralType)).toHaveLength(1);
  });

  test("has Failed for the Charge Point certificate [SEC-M04-05]", async () => {
    const bench = await new CertificatesBench(factory).open();
    const certificate = await bench.askedFrom(root);
    expect(await bench.signed(certificate)).toBe("Accepted");
    expect(await bench.delete(certificate, root.cert)).toBe("Failed");
    const { tried } = await bench.connect(centralSystem(root));
    expect(tried[0]?.cert).toContain(certificate.trim());
  });

  test("has Failed where the store does not forget it [SEC-M04-03]", async () => {
    const store = new FickleStore();
    const bench = await new CertificatesBench({ ...factory, store }).open();
    await bench.installRoot(other.cert);
    await store.becomes("refuses");
    expect(await bench.delete(other.cert)).toBe("Failed");
    expect(await bench.ids(centralType)).toHaveLength(2);
    await store.becomes("takes");
    bench.opened.online();
    await bench.clock.advance(0);
    await bench.open();
    expect(await bench.ids(centralType)).toHaveLength(2);
  });
});

describe("What comes from the factory", () => {
  test("is taken over once: what was deleted stays so", async () => {
    const both = { roots: { CentralSystemRootCertificate: root.cert + other.cert } };
    const bench = await new CertificatesBench(both).open();
    expect(await bench.ids(centralType)).toHaveLength(2);
    await bench.delete(other.cert);
    await bench.open();
    expect(await bench.ids(centralType)).toEqual([await serialNumberOf(root.cert)]);
  });

  test("is said to be wrong at once, without the key", async () => {
    const stranger = root.issue({ subject: "/CN=any" });
    const own = { cert: stranger.cert, key: other.key };
    await expect(new CertificatesBench({ own }).open()).rejects.toThrow("own.key of certificates is not the key of");
    const roots = { CentralSystemRootCertificate: "none" };
    await expect(new CertificatesBench({ roots }).open()).rejects.toThrow("roots of certificates cannot be read");
    const tight = { ...factory, keys: { CertificateStoreMaxLength: 0 } };
    await expect(new CertificatesBench(tight).open()).rejects.toThrow("CertificateStoreMaxLength is 0");
  });

  test("that makes no sense in the store is set aside, and that others could read is left alone", async () => {
    const store = memoryStore();
    await store.put("certificate/1", JSON.stringify({ root: { number: 1, type: centralType, pem: "?", issuer: "?" } }));
    await store.put("certificate/2", JSON.stringify({ root: 5 }));
    const bench = await new CertificatesBench({ ...factory, store }).open();
    expect(bench.faults.map(String)).toEqual([
      expect.stringContaining("The record certificate/2 makes no sense."),
      expect.stringContaining("The certificate 1 in the store cannot be read."),
    ]);
    expect(await bench.ids(centralType)).toHaveLength(1);
    expect(await store.load("certificate/1")).toHaveLength(1);
  });
});
