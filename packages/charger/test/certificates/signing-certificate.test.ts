import { describe, expect, test } from "vitest";
import { CertificatesBench, day, rootOf, start } from "./certificates-bench.ts";

const maker = rootOf({ subject: "/O=Maker/CN=Maker root" });
const cpo = rootOf();
const between = rootOf({ subject: "/O=Maker/CN=Between" }, maker);
const stranger = rootOf({ subject: "/O=Maker/CN=Maker root" });
const valid = { subject: "/O=Maker/CN=Signing", from: start - day, to: start + 100 * day };
const signing = maker.issue({ ...valid, extensions: ["keyUsage=digitalSignature", "extendedKeyUsage=codeSigning"] });
const options = { roots: { ManufacturerRootCertificate: maker.cert, CentralSystemRootCertificate: cpo.cert } };

describe("A firmware signing certificate", () => {
  test.each([
    ["says what it is for", signing.cert],
    ["says nothing of that", maker.issue(valid).cert],
    [
      "has an RSA key, CRLF and text around it",
      `Key\n${maker.issue({ ...valid, key: "rsa" }).cert}`.replaceAll("\n", "\r\n"),
    ],
  ])("of the manufacturer is Accepted where it %s [SEC-L01-12, SEC-L01-23]", async (_, certificate) => {
    const bench = await new CertificatesBench(options).open();
    expect(await bench.opened.check(certificate)).toBe("Accepted");
  });

  test.each([
    ["cannot be read", "certificate"],
    ["comes with another one", signing.cert + maker.cert],
    ["is not valid yet", maker.issue({ ...valid, from: start + 1000 }).cert],
    ["has expired", maker.issue({ ...valid, to: start - 1000 }).cert],
    ["has a weak key", maker.issue({ ...valid, key: "rsa-1024" }).cert],
    ["has a weak signature", maker.issue({ ...valid, digest: "sha1" }).cert],
    ["is for clients", maker.issue({ ...valid, extensions: ["extendedKeyUsage=clientAuth"] }).cert],
    ["is an authority", maker.issue({ ...valid, extensions: ["basicConstraints=CA:TRUE"] }).cert],
    ["is issued by a root of the Central System", cpo.issue(valid).cert],
    ["is issued by a namesake", stranger.issue(valid).cert],
    ["is issued by somebody in between", between.issue(valid).cert],
    ["is the root itself", maker.cert],
  ])("is invalid where it %s [SEC-L01-24, SEC-L01-30]", async (_, certificate) => {
    const bench = await new CertificatesBench(options).open();
    expect(await bench.opened.check(certificate)).toBe("InvalidCertificate");
  });

  test("is invalid where its root has expired", async () => {
    const old = rootOf({ subject: "/O=Maker/CN=Old", to: start + day });
    const bench = await new CertificatesBench({ roots: { ManufacturerRootCertificate: old.cert } }).open();
    const { cert } = old.issue(valid);
    expect(await bench.opened.check(cert)).toBe("Accepted");
    await bench.advance(day);
    expect(await bench.opened.check(cert)).toBe("InvalidCertificate");
  });

  test("may be revoked, as the lists say that there are then [SEC-L01-25]", async () => {
    let lists: string | undefined;
    const bench = await new CertificatesBench({ ...options, revocationLists: async () => lists }).open();
    expect(await bench.opened.check(signing.cert)).toBe("Accepted");
    lists = maker.revoke(maker.issue(valid).cert);
    expect(await bench.opened.check(signing.cert)).toBe("Accepted");
    lists = maker.revoke(signing.cert);
    expect(await bench.opened.check(signing.cert)).toBe("RevokedCertificate");
  });

  test("is invalid where the lists cannot be read", async () => {
    const bench = await new CertificatesBench({ ...options, revocationLists: () => "no list" }).open();
    expect(await bench.opened.check(signing.cert)).toBe("InvalidCertificate");
  });
});
