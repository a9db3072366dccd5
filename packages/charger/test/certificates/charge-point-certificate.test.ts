import { CallError, ConnectionClosedError } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { OpensslAuthority, requestOf } from "../../../node/test/openssl.ts";
import { FickleStore, failingAt } from "../stores.ts";
import { CertificatesBench, centralSystem, day, rootOf, start, tools } from "./certificates-bench.ts";

const root = rootOf();
const stranger = rootOf({ subject: "/O=Stranger/CN=Root" });
const between = rootOf({ subject: "/O=CPO/CN=Between" }, root);
const factory = { roots: { CentralSystemRootCertificate: root.cert } };
/** Of the factory, for a hundred days. */
const first = root.issue({ subject: "/O=CPO/CN=CP001", from: start - 10 * day, to: start + 100 * day });
const withOwn = { ...factory, own: first };

/** Which certificate is shown first. */
async function shown(bench: CertificatesBench): Promise<string | undefined> {
  const { tried } = await bench.connect(() => undefined);
  return tried[0]?.cert?.trim();
}

describe("A request for a certificate", () => {
  test("has a new key each time, and names owner and serial number [SEC-A02-02, SEC-A02-03, SEC-A02-13]", async () => {
    const bench = await new CertificatesBench(factory).open();
    const [one, two] = [await bench.askedFrom(root), await bench.askedFrom(root)];
    const [read, other] = [...(await tools.read(one)), ...(await tools.read(two))];
    expect(read).toMatchObject({ organizationNames: ["CPO"], commonNames: ["CP001"] });
    expect(bench.requests).toHaveLength(2);
    expect(await bench.signed(one)).toBe("Rejected");
    expect(await bench.signed(two)).toBe("Accepted");
    expect(other?.commonNames).toEqual(["CP001"]);
  });

  test("needs CpoName [SEC-A02-13, CFG-51]", async () => {
    const bench = await new CertificatesBench({ ...factory, keys: { CpoName: undefined } }).open();
    expect(bench.opened.mayAsk).toBe(false);
    await expect(bench.opened.ask()).rejects.toThrow("CpoName is not set");
    expect(bench.requests).toEqual([]);
  });

  test("is not made where it would be too long for SignCertificate", async () => {
    const wordy = { ...tools, request: async () => "x".repeat(5501) };
    const bench = await new CertificatesBench({ ...factory, tools: wordy }).open();
    await expect(bench.opened.ask()).rejects.toThrow("too long for SignCertificate");
    expect(await bench.store.load("certificate/request")).toEqual([]);
  });

  test("is not made where the store does not take its key", async () => {
    const store = new FickleStore();
    const bench = await new CertificatesBench({ ...factory, store }).open();
    await store.becomes("refuses");
    await expect(bench.opened.ask()).rejects.toThrow("The store did not take the request");
    expect(bench.requests).toEqual([]);
  });

  test("is sent until it is answered, and not after that: an operator has to look [SEC-A02-14]", async () => {
    const bench = await new CertificatesBench(factory).open();
    const gone = new ConnectionClosedError("SignCertificate", { code: 1006, reason: "", sent: true });
    bench.answer = () => Promise.reject(gone);
    await bench.opened.ask();
    await bench.open();
    bench.opened.online();
    await bench.clock.advance(0);
    bench.answer = async () => ({ status: "Accepted" });
    bench.opened.online();
    await bench.clock.advance(0);
    expect(bench.requests).toEqual([bench.requests[0], bench.requests[0], bench.requests[0]]);
    await bench.open();
    bench.opened.online();
    await bench.advance(400 * day);
    expect(bench.requests).toHaveLength(3);
    expect(bench.faults).toEqual([]);
  });

  test.each([
    ["Rejected", async () => ({ status: "Rejected" }) as const],
    ["a CALLERROR", () => Promise.reject(new CallError("NotSupported", "No."))],
  ])("that is answered with %s is over, and its key is gone [SEC-A02-12]", async (_, answer) => {
    const bench = await new CertificatesBench(factory).open();
    bench.answer = answer;
    const certificate = await bench.askedFrom(root);
    expect(bench.said.at(-1)).toMatch(/SignCertificate was Rejected/);
    bench.opened.online();
    await bench.clock.advance(0);
    expect(bench.requests).toHaveLength(1);
    expect(await bench.signed(certificate)).toBe("Rejected");
    expect(JSON.stringify(await bench.store.load(""))).not.toContain("PRIVATE KEY");
  });

  test("survives power cuts until its certificate is there [SEC-A02-05]", async () => {
    const bench = await new CertificatesBench(factory).open();
    const certificate = await bench.askedFrom(root);
    await bench.open();
    expect(await bench.signed(certificate)).toBe("Accepted");
    await bench.open();
    expect(await shown(bench)).toBe(certificate.trim());
    expect(await bench.signed(certificate)).toBe("Accepted");
    await bench.open();
    expect((await bench.connect(() => "certificate-refused")).tried).toHaveLength(1);
  });

  test("loses nothing at whatever write the power fails", async () => {
    for (let nth = 1; nth <= 12; nth++) {
      for (const isKept of [true, false]) {
        const { disk, isCut, store } = failingAt(nth, isKept);
        const bench = new CertificatesBench({ ...withOwn, store });
        let certificate = "";
        void bench
          .open()
          .then(async () => {
            certificate = await bench.askedFrom(root);
            await bench.signed(certificate);
          })
          .catch(() => {});
        await bench.clock.advance(0);
        const after = await new CertificatesBench({ ...withOwn, store: disk }).open();
        // What was asked for can still come, and what there was before still works.
        if (certificate !== "") expect(await after.signed(certificate), `${nth} ${isKept}`).toBe("Accepted");
        const { error } = await after.connect(centralSystem(root, [first.cert]));
        expect(error, `${nth} ${isKept}`).toBeUndefined();
        if (!isCut()) return;
      }
    }
    expect.unreachable("The power has failed at every write.");
  });
});

describe("CertificateSigned", () => {
  test("is Accepted for the certificate that was asked for, which is used from now on [SEC-A02-06, SEC-A02-08]", async () => {
    const bench = await new CertificatesBench(withOwn).open();
    expect(await shown(bench)).toBe(first.cert.trim());
    const certificate = await bench.askedFrom(root);
    expect(await bench.signed(certificate)).toBe("Accepted");
    expect(bench.noticed).toEqual(["ReconfigurationOfSecurityParameters"]);
    await bench.advance(4999);
    expect(bench.reconnects).toBe(0);
    await bench.advance(1);
    expect(bench.reconnects).toBe(1);
    expect(await shown(bench)).toBe(certificate.trim());
    await bench.advance(day);
    expect(bench.reconnects).toBe(1);
  });

  test("is Accepted once for a request, whatever else is issued for its key", async () => {
    const bench = await new CertificatesBench(factory).open();
    const certificate = await bench.askedFrom(root);
    expect(await bench.signed(certificate)).toBe("Accepted");
    const another = root.sign(bench.requests[0] ?? "", { from: start - day, to: start + 365 * day });
    expect(await bench.signed(another)).toBe("Rejected");
    expect(await bench.signed(certificate)).toBe("Accepted");
  });

  test("takes those between it and the root in any order, and shows them in theirs", async () => {
    const bench = await new CertificatesBench(factory).open();
    const nearer = rootOf({ subject: "/O=CPO/CN=Nearer" }, between);
    const certificate = await bench.askedFrom(nearer);
    expect(await bench.signed(`${certificate}${root.cert}${between.cert}${nearer.cert}`)).toBe("Accepted");
    const chain = [certificate, nearer.cert, between.cert].map((each) => each.trim()).join("\n");
    expect(await shown(bench)).toBe(chain);
  });

  test("takes PEM with CRLF and with text around it", async () => {
    const bench = await new CertificatesBench(factory).open();
    const certificate = await bench.askedFrom(root);
    expect(await bench.signed(`Yours:\n${certificate}`.replaceAll("\n", "\r\n"))).toBe("Accepted");
  });

  test("takes RSA signatures and RSA keys [TCK-064]", async () => {
    const rsa = rootOf({ subject: "/O=CPO/CN=RSA", key: "rsa" });
    const key = rsa.issue({ subject: "/CN=any", key: "rsa" }).key;
    const rsaTools = { ...tools, newKey: async () => key };
    const bench = await new CertificatesBench({
      tools: rsaTools,
      roots: { CentralSystemRootCertificate: rsa.cert },
    }).open();
    expect(await bench.signed(await bench.askedFrom(rsa))).toBe("Accepted");
  });

  test.each<[string, (bench: CertificatesBench) => Promise<string>]>([
    ["cannot be read", async () => "certificate"],
    ["has expired", (bench) => bench.askedFrom(root, { to: start - 1000 })],
    ["is of another key", async () => root.issue({ subject: "/O=CPO/CN=CP001", from: start - day }).cert],
    ["has another serial number", (bench) => bench.askedFrom(root, { subject: "/O=CPO/CN=CP0011" })],
    ["has another owner", (bench) => bench.askedFrom(root, { subject: "/O=CPO Ltd/CN=CP001" })],
    ["has no owner", (bench) => bench.askedFrom(root, { subject: "/CN=CP001" })],
    ["is for servers", (bench) => bench.askedFrom(root, { extensions: ["extendedKeyUsage=serverAuth"] })],
    ["is for agreeing on keys", (bench) => bench.askedFrom(root, { extensions: ["keyUsage=keyAgreement"] })],
    ["is an authority", (bench) => bench.askedFrom(root, { extensions: ["basicConstraints=CA:TRUE"] })],
    ["has a weak signature", (bench) => bench.askedFrom(root, { digest: "sha1" })],
    ["is from nobody here", (bench) => bench.askedFrom(stranger)],
    ["brings its root along", async (bench) => `${await bench.askedFrom(stranger)}${stranger.cert}`],
    ["lacks what is between", (bench) => bench.askedFrom(between)],
    [
      "is issued by one that may not",
      async (bench) => {
        const leaf = root.issue({ subject: "/CN=Leaf", from: start - day, extensions: ["basicConstraints=CA:FALSE"] });
        return `${await bench.askedFrom(new OpensslAuthority(leaf))}${leaf.cert}`;
      },
    ],
    [
      "is issued by one that has expired",
      async (bench) => {
        const old = rootOf({ subject: "/O=CPO/CN=Old", to: start - 1000 }, root);
        return `${await bench.askedFrom(old)}${old.cert}`;
      },
    ],
    [
      "is issued by two that have issued each other",
      async (bench) => {
        const one = rootOf({ subject: "/O=CPO/CN=One" });
        const two = rootOf({ subject: "/O=CPO/CN=Two" }, one);
        const wish = { from: start - day, to: start + day, extensions: ["basicConstraints=CA:TRUE"] };
        const oneOfTwo = two.sign(requestOf(one.key, "/O=CPO/CN=One"), wish);
        return `${await bench.askedFrom(one)}${oneOfTwo}${two.cert}`;
      },
    ],
    [
      "is issued by one that is not valid yet",
      async (bench) => {
        const later = rootOf({ subject: "/O=CPO/CN=Later", from: start + day }, root);
        return `${await bench.askedFrom(later)}${later.cert}`;
      },
    ],
    [
      "is issued by one that is weak",
      async (bench) => {
        const weak = rootOf({ subject: "/O=CPO/CN=Weak", key: "rsa-1024" }, root);
        return `${await bench.askedFrom(weak)}${weak.cert}`;
      },
    ],
    [
      "is longer than CertificateSignedMaxChainSize",
      async (bench) => {
        bench.keys.CertificateSignedMaxChainSize = 1000;
        return `${await bench.askedFrom(root)}${"\n".repeat(1000)}`;
      },
    ],
  ])("is Rejected, and told as a security event, where it %s [SEC-A02-06, SEC-A02-07, CFG-49]", async (_, make) => {
    const bench = await new CertificatesBench(withOwn).open();
    const wrong = await make(bench);
    if (bench.requests.length === 0) await bench.opened.ask();
    expect(await bench.signed(wrong)).toBe("Rejected");
    expect(bench.noticed).toEqual(["InvalidChargePointCertificate"]);
    expect((await bench.connect(() => "certificate-refused")).tried).toHaveLength(1);
    // The key stays: the right one may still come.
    bench.keys.CertificateSignedMaxChainSize = 10_000;
    const right = root.sign(bench.requests[0] ?? "", { from: start - day, to: start + 365 * day });
    expect(await bench.signed(right)).toBe("Accepted");
  });

  test("is Rejected where nothing was asked for", async () => {
    const bench = await new CertificatesBench(withOwn).open();
    expect(await bench.signed(root.issue({ subject: "/O=CPO/CN=CP001" }).cert)).toBe("Rejected");
    expect(bench.noticed).toEqual(["InvalidChargePointCertificate"]);
  });

  test("does not look at the owner where the maker says so [TCK-N03]", async () => {
    const bench = await new CertificatesBench({ ...factory, checksCpoName: false }).open();
    expect(await bench.signed(await bench.askedFrom(root, { subject: "/O=Tool/CN=CP001" }))).toBe("Accepted");
  });

  test("is Rejected where the store does not take it, and can come again", async () => {
    const store = new FickleStore();
    const bench = await new CertificatesBench({ ...withOwn, store }).open();
    const certificate = await bench.askedFrom(root);
    await store.becomes("refuses");
    expect(await bench.signed(certificate)).toBe("Rejected");
    await store.becomes("takes");
    expect(await bench.signed(certificate)).toBe("Accepted");
  });
});

describe("A certificate that came", () => {
  test("is used from when it is valid on, over a new connection [SEC-A02-08]", async () => {
    const bench = await new CertificatesBench(withOwn).open();
    await bench.connect(() => undefined);
    const later = await bench.askedFrom(root, { from: start + day });
    expect(await bench.signed(later)).toBe("Accepted");
    await bench.advance(day - 1000);
    expect(bench.reconnects).toBe(0);
    expect(await shown(bench)).toBe(first.cert.trim());
    await bench.advance(1000);
    expect(bench.reconnects).toBe(1);
    expect(await shown(bench)).toBe(later.trim());
  });

  test("comes after one whose validity begins later [SEC-A02-09]", async () => {
    const bench = await new CertificatesBench(factory).open();
    const newer = await bench.askedFrom(root, { from: start - day });
    await bench.signed(newer);
    const older = await bench.askedFrom(root, { from: start - 2 * day, to: start + 40 * day });
    expect(await bench.signed(older)).toBe("Accepted");
    expect(await shown(bench)).toBe(newer.trim());
    await bench.advance(30 * day);
    expect(bench.requests).toHaveLength(2);
  });

  test("leaves the one before, in case it is refused; then nothing is connected anew for it [SEC-A02-10]", async () => {
    const bench = await new CertificatesBench(withOwn).open();
    await bench.connect(() => undefined);
    const certificate = await bench.askedFrom(root);
    await bench.signed(certificate);
    await bench.advance(5000);
    const { error, tried } = await bench.connect(centralSystem(root, [first.cert]));
    expect(error).toBeUndefined();
    expect(tried.map(({ cert }) => cert?.trim())).toEqual([certificate.trim(), first.cert.trim()]);
    await bench.advance(day);
    expect(bench.reconnects).toBe(1);
  });

  test("takes the place of those before the last two, but never of the one that works", async () => {
    const bench = await new CertificatesBench(withOwn).open();
    await bench.connect(() => undefined);
    const later: string[] = [];
    for (let index = 0; index < 4; index++) {
      later.push(await bench.askedFrom(root, { from: start - day + index * 1000 }));
      await bench.signed(later[index] ?? "");
    }
    const { error, tried } = await bench.connect(centralSystem(root, [first.cert]));
    expect(error).toBeUndefined();
    const all = await bench.connect(() => "certificate-refused");
    expect(all.tried.map(({ cert }) => cert?.trim())).toEqual(
      [later[3], first.cert, later[2]].map((each) => each?.trim()),
    );
    expect(tried).toHaveLength(2);
  });
});

describe("By itself, a certificate is asked for", () => {
  test("a month before the end of the present one, once [SEC-A03-02, SEC-A02-14]", async () => {
    const bench = await new CertificatesBench(withOwn).open();
    await bench.advance(69 * day - 1000);
    expect(bench.requests).toHaveLength(0);
    await bench.advance(1000);
    expect(bench.requests).toHaveLength(1);
    await bench.advance(10 * day);
    await bench.open();
    await bench.advance(90 * day);
    expect(bench.requests).toHaveLength(1);
  });

  test("again for the one that comes, and after half of a life that is short", async () => {
    const bench = await new CertificatesBench(withOwn).open();
    await bench.advance(69 * day);
    const short = root.sign(bench.requests[0] ?? "", { from: start + 69 * day, to: start + 79 * day });
    expect(await bench.signed(short)).toBe("Accepted");
    await bench.advance(5 * day - 1000);
    expect(bench.requests).toHaveLength(1);
    await bench.advance(1000);
    expect(bench.requests).toHaveLength(2);
  });

  test("not at all where there is none yet", async () => {
    const bench = await new CertificatesBench(factory).open();
    await bench.advance(1000 * day);
    expect(bench.requests).toEqual([]);
  });

  test("but not without CpoName, which is a fault [CFG-51]", async () => {
    const bench = await new CertificatesBench({ ...withOwn, keys: { CpoName: undefined } }).open();
    await bench.advance(70 * day);
    expect(bench.requests).toEqual([]);
    expect(String(bench.faults[0])).toContain("CpoName is not set");
  });
});
