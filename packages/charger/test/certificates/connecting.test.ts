import { describe, expect, test } from "vitest";
import { CertificatesBench, centralSystem, day, rootOf, start } from "./certificates-bench.ts";

const root = rootOf();
const other = rootOf({ subject: "/O=CPO/CN=Other" });
const third = rootOf({ subject: "/O=CPO/CN=Third" });
const own = root.issue({ subject: "/O=CPO/CN=CP001", from: start - 10 * day, to: start + 100 * day });
const options = { roots: { CentralSystemRootCertificate: root.cert + other.cert + third.cert }, own };

/** The names of what was tried. */
const namesOf = (tried: readonly { readonly ca?: string }[]): (string | undefined)[] =>
  tried.map(({ ca }) => [root, other, third].find(({ cert }) => cert.trim() === ca?.trim())?.cert);

describe("An attempt to connect", () => {
  test("tries one root at a time, until one verifies the Central System, and that first the next time [SEC-A00-411]", async () => {
    const bench = await new CertificatesBench(options).open();
    const { error, tried } = await bench.connect(centralSystem(other), 2);
    expect(error).toBeUndefined();
    expect(namesOf(tried)).toEqual([third.cert, other.cert]);
    expect(namesOf((await bench.connect(centralSystem(other), 2)).tried)).toEqual([other.cert]);
    await bench.open();
    expect(namesOf((await bench.connect(centralSystem(root), 2)).tried)).toEqual([other.cert, third.cert, root.cert]);
  });

  test.each(["certificate-expired", "certificate-name"] as const)("goes on after %s", async (reason) => {
    const bench = await new CertificatesBench(options).open();
    const { error, tried } = await bench.connect(({ ca }) => (ca?.trim() === root.cert.trim() ? undefined : reason), 2);
    expect(error).toBeUndefined();
    expect(tried).toHaveLength(3);
  });

  test.each(["unreachable", "timeout", "unauthorized", "tls", "network"] as const)(
    "does not go on after %s: no certificate was the trouble",
    async (reason) => {
      const bench = await new CertificatesBench(options).open();
      const { error, tried } = await bench.connect(() => reason, 3);
      expect(error).toMatchObject({ reason });
      expect(tried).toHaveLength(1);
    },
  );

  test("fails with what the best root has failed with, once all have", async () => {
    const bench = await new CertificatesBench(options).open();
    const { error, tried } = await bench.connect(() => "certificate-untrusted", 2);
    expect(error).toMatchObject({ reason: "certificate-untrusted", message: "No: 1." });
    expect(tried).toHaveLength(3);
  });

  test("keeps the root that has passed while it goes through its own certificates", async () => {
    const bench = await new CertificatesBench(options).open();
    await bench.signed(await bench.askedFrom(root));
    const { error, tried } = await bench.connect(centralSystem(other, []));
    expect(error).toMatchObject({ reason: "certificate-refused", message: "No: 2." });
    expect(namesOf(tried)).toEqual([third.cert, other.cert, other.cert]);
    expect(new Set(tried.slice(1).map(({ cert }) => cert)).size).toBe(2);
  });

  test("shows a certificate with profile 3 only, and uses none without TLS [SEC-A00-401, SEC-A00-402]", async () => {
    const bench = await new CertificatesBench(options).open();
    const usedWith = async (profile: 0 | 1 | 2 | 3, url?: string) =>
      Object.keys((await bench.connect(() => undefined, profile, url)).tried[0] ?? {});
    expect(await usedWith(3)).toEqual(["ca", "cert", "key"]);
    expect(await usedWith(2)).toEqual(["ca"]);
    expect(await usedWith(1, "ws://central.example.com")).toEqual([]);
    expect(await usedWith(0, "ws://central.example.com")).toEqual([]);
    expect(await usedWith(0)).toEqual(["ca"]);
  });

  test("tries certificates that are not valid in the end: the clock may be wrong", async () => {
    const bench = await new CertificatesBench(options).open();
    await bench.advance(1000 * day);
    const { error, tried } = await bench.connect(centralSystem(third));
    expect(error).toBeUndefined();
    expect(tried[0]?.cert?.trim()).toBe(own.cert.trim());
  });

  test("gives the key to who connects and to nobody else [SEC-A02-05]", async () => {
    const bench = await new CertificatesBench(options).open();
    const { tried } = await bench.connect(centralSystem(third));
    expect(tried[0]?.key).toBe(own.key);
    expect(JSON.stringify([bench.said, bench.noticed, bench.faults.map(String)])).not.toContain("KEY");
  });
});

describe("ChangeConfiguration of SecurityProfile", () => {
  const approves = (bench: CertificatesBench, value: number) =>
    bench.opened.approve({ key: "SecurityProfile", value }).status;

  test("needs a root of the Central System for 2 and 3, valid at present [SEC-A05-03, SEC-A05-05]", async () => {
    const bench = await new CertificatesBench({ own }).open();
    expect([1, 2, 3].map((value) => approves(bench, value))).toEqual(["Accepted", "Rejected", "Rejected"]);
    await bench.installManufacturer(root.cert);
    expect(approves(bench, 2)).toBe("Rejected");
    await bench.installRoot(rootOf({ from: start + day }).cert);
    expect(approves(bench, 2)).toBe("Rejected");
    await bench.advance(day);
    expect([1, 2, 3].map((value) => approves(bench, value))).toEqual(["Accepted", "Accepted", "Accepted"]);
    expect(bench.opened.approve({ key: "CpoName", value: "3" }).status).toBe("Accepted");
  });

  test("needs a Charge Point certificate for 3, valid at present [SEC-A05-04, SEC-A05-05]", async () => {
    const bench = await new CertificatesBench({ roots: options.roots }).open();
    expect([2, 3].map((value) => approves(bench, value))).toEqual(["Accepted", "Rejected"]);
    await bench.signed(await bench.askedFrom(root, { from: start + day, to: start + 2 * day }));
    expect(approves(bench, 3)).toBe("Rejected");
    await bench.advance(day);
    expect(approves(bench, 3)).toBe("Accepted");
    await bench.advance(day);
    expect(approves(bench, 3)).toBe("Rejected");
  });
});
