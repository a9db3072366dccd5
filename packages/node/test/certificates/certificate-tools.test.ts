import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { certificateTools } from "../../src/certificates.ts";
import { OpensslAuthority, openssl } from "../openssl.ts";

const tools = certificateTools();
const root = OpensslAuthority.create();
const rsaRoot = OpensslAuthority.create({ subject: "/O=CPO/CN=RSA root", key: "rsa" });
const folder = mkdtempSync(join(tmpdir(), "ocppj-certificate-tools-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Where a text is as a file. */
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const chargePoint = root.issue({ subject: "/O=CPO/CN=CP001" });

describe("PEM", () => {
  test("is read with text around it, with CRLF, and with several certificates in one", async () => {
    const text = `A bundle\n${chargePoint.cert}\nbetween\n${root.cert}`.replaceAll("\n", "\r\n");
    const read = await tools.read(text);
    expect(read.map(({ commonNames }) => commonNames)).toEqual([["CP001"], ["Root"]]);
    expect(read[0]?.pem.trim()).toBe(chargePoint.cert.trim());
  });

  test.each([
    ["nothing", ""],
    ["no certificate", "certificate"],
    ["a key besides", `${chargePoint.cert}${chargePoint.key}`],
    ["a damaged one", chargePoint.cert.replace(/\n[^-\n]{64}\n/, "\n")],
    ["one that is cut off", chargePoint.cert.slice(0, -10)],
  ])("with %s is refused", async (_, pem) => {
    await expect(tools.read(pem)).rejects.toThrow();
  });
});

describe("What is read of a certificate", () => {
  test("is whose it is, and when it is valid [SEC-A00-509, SEC-A00-511]", async () => {
    const from = Date.UTC(2026, 0, 1, 12);
    const { cert } = root.issue({ subject: "/O=CPO/CN=CP001", from, to: from + 1000 });
    const [read] = await tools.read(cert);
    expect(read).toMatchObject({
      organizationNames: ["CPO"],
      commonNames: ["CP001"],
      notBefore: from,
      notAfter: from + 1000,
      isSelfIssued: false,
      isStrong: true,
    });
    expect((await tools.read(root.cert))[0]).toMatchObject({ isSelfIssued: true, mayIssue: true });
  });

  test.each([
    [[], { mayIssue: false, mayAuthenticate: true, maySign: true }],
    [["basicConstraints=CA:TRUE"], { mayIssue: true, mayAuthenticate: false, maySign: false }],
    [["basicConstraints=CA:TRUE", "keyUsage=digitalSignature"], { mayIssue: false, mayAuthenticate: false }],
    [["basicConstraints=CA:FALSE", "keyUsage=keyCertSign"], { mayIssue: false, mayAuthenticate: false }],
    [["keyUsage=digitalSignature"], { mayIssue: false, mayAuthenticate: true, maySign: true }],
    [["keyUsage=keyAgreement"], { mayAuthenticate: false, maySign: false }],
    [["extendedKeyUsage=clientAuth"], { mayAuthenticate: true, maySign: false }],
    [["extendedKeyUsage=serverAuth"], { mayAuthenticate: false, maySign: false }],
    [["extendedKeyUsage=codeSigning"], { mayAuthenticate: false, maySign: true }],
    [["extendedKeyUsage=anyExtendedKeyUsage"], { mayAuthenticate: true, maySign: true }],
  ])("with %j is what it may be used for [SEC-A00-512]", async (extensions, uses) => {
    const { cert } = root.issue({ subject: "/CN=any", extensions });
    expect((await tools.read(cert))[0]).toMatchObject(uses);
  });

  test.each([
    ["P-256", true, { key: "ec" }],
    ["P-192 [SEC-A00-503]", false, { key: "ec-p192" }],
    ["RSA of 2048 bits", true, { key: "rsa" }],
    ["RSA of 1024 bits", false, { key: "rsa-1024" }],
    ["a signature with SHA-384", true, { digest: "sha384" }],
    ["a signature with SHA-1", false, { digest: "sha1" }],
  ] as const)("with %s is strong: %s [SEC-A00-501 … SEC-A00-506]", async (_, isStrong, more) => {
    const { cert } = root.issue({ subject: "/CN=any", ...more });
    expect((await tools.read(cert))[0]).toMatchObject({ isStrong });
  });

  test.each([
    ["RSA with SHA-256", true, {}],
    ["RSA with SHA-1", false, { digest: "sha1" }],
    ["RSA-PSS with SHA-256", true, { pss: true }],
    ["RSA-PSS with SHA-1", false, { pss: true, digest: "sha1" }],
  ] as const)("signed with %s is strong: %s [SEC-A00-504, SEC-A00-505]", async (_, isStrong, more) => {
    const { cert } = rsaRoot.issue({ subject: "/CN=any", ...more });
    expect((await tools.read(cert))[0]).toMatchObject({ isStrong });
  });
});

describe("Whether a certificate is issued by another", () => {
  test("is told by name, by signature, and by what the other may do", async () => {
    const namesake = OpensslAuthority.create();
    const mute = OpensslAuthority.create({ extensions: ["basicConstraints=CA:TRUE", "keyUsage=digitalSignature"] });
    expect(await tools.isIssuedBy(chargePoint.cert, root.cert)).toBe(true);
    expect(await tools.isIssuedBy(root.cert, root.cert)).toBe(true);
    expect(await tools.isIssuedBy(chargePoint.cert, namesake.cert)).toBe(false);
    expect(await tools.isIssuedBy(chargePoint.cert, rsaRoot.cert)).toBe(false);
    expect(await tools.isIssuedBy(mute.issue({ subject: "/CN=any" }).cert, mute.cert)).toBe(false);
  });
});

describe("Hash data", () => {
  test.each([
    ["SHA256", root],
    ["SHA384", root],
    ["SHA512", rsaRoot],
  ] as const)("by %s are those of an OCSP request of openssl [SEC-TYP-01]", async (hashAlgorithm, issuer) => {
    const { cert } = issuer.issue({ subject: "/CN=any" });
    const [issuerFile, certFile] = [file("issuer", issuer.cert), file("cert", cert)];
    const digest = `-${hashAlgorithm.toLowerCase()}`;
    const text = openssl(undefined, "ocsp", "-issuer", issuerFile, digest, "-cert", certFile, "-req_text").replace(
      /\\\n\s*/g,
      "",
    );
    const value = (name: string): string => new RegExp(`${name}: (\\w+)`).exec(text)?.[1]?.toLowerCase() ?? "";
    expect(await tools.hashData(cert, issuer.cert, hashAlgorithm)).toEqual({
      hashAlgorithm,
      issuerNameHash: value("Issuer Name Hash"),
      issuerKeyHash: value("Issuer Key Hash"),
      serialNumber: value("Serial Number").replace(/^0+/, ""),
    });
  });
});

describe("A request for a certificate", () => {
  test.each([
    [{}, /id-ecPublicKey[\s\S]*P-256/, "ecdsa-with-SHA256"],
    [{ keyType: "RSA", modulusLength: 2048 }, /Public-Key: \(2048 bit\)/, "sha256WithRSAEncryption"],
    [{ keyType: "RSA" }, /Public-Key: \(3072 bit\)/, "sha256WithRSAEncryption"],
  ] as const)("by %j is one that openssl verifies [SEC-A02-03, SEC-A02-13]", async (options, key, signature) => {
    const made = certificateTools(options);
    const csr = await made.request(await made.newKey(), { organizationName: 'Ö, "CPO"', commonName: "CP001" });
    const text = openssl(csr, "req", "-verify", "-noout", "-text", "-nameopt", "multiline,utf8,-esc_msb");
    expect(text).toMatch(key);
    expect(text).toContain(`Signature Algorithm: ${signature}`);
    expect(text).toMatch(/organizationName\s+= Ö, "CPO"\n\s+commonName\s+= CP001\n/);
  });

  test("is made with a new key each time, and its certificate belongs to that key [SEC-A02-02]", async () => {
    const [key, other] = [await tools.newKey(), await tools.newKey()];
    const cert = root.sign(await tools.request(key, { organizationName: "CPO", commonName: "CP001" }));
    expect(await tools.isKeyOf(key, cert)).toBe(true);
    expect(await tools.isKeyOf(other, cert)).toBe(false);
  });

  test("leaves Reflect as it was: others ask it for types, too", async () => {
    await tools.request(await tools.newKey(), { organizationName: "CPO", commonName: "CP001" });
    expect("getMetadata" in Reflect || "getOwnMetadata" in Reflect).toBe(false);
  });
});

describe("Whether a certificate is revoked", () => {
  test("is looked up in the list of its issuer", async () => {
    const other = root.issue({ subject: "/CN=other" });
    expect(await tools.isRevoked(chargePoint.cert, root.revoke(chargePoint.cert))).toBe(true);
    expect(await tools.isRevoked(other.cert, root.revoke(chargePoint.cert))).toBe(false);
    expect(await tools.isRevoked(other.cert, rsaRoot.revoke() + root.revoke(other.cert))).toBe(true);
    expect(await tools.isRevoked(chargePoint.cert, rsaRoot.revoke(chargePoint.cert))).toBe(false);
  });
});

test("certificateTools says what is wrong with its options", () => {
  expect(() => certificateTools({ keyType: "DSA" } as never)).toThrow('keyType is "DSA". Give "ECDSA" or "RSA".');
});
