import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CentralSystem, type HandshakeRefusal, type Transport } from "@ocppj/core";
import fc from "fast-check";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connect } from "../../src/connect.ts";
import type { Authenticate } from "../../src/handshake/endpoint-options.ts";
import { listen } from "../../src/listen.ts";
import { readRevocationLists } from "../../src/tls/revocation-list.ts";
import type { TlsOptions } from "../../src/tls/security-profile.ts";
import { Authority, type Certified } from "../certificates.ts";

let [east, west]: Authority[] = [];
let own: Certified;
let chargers: Record<"CP001" | "CP002", Certified>;

beforeAll(async () => {
  [east, west] = await Promise.all([Authority.create("East"), Authority.create("West")]);
  own = await authorities().east.issue({ commonName: "central", names: [{ type: "ip", value: "127.0.0.1" }] });
  const [CP001, CP002] = await Promise.all([
    authorities().east.issue({ commonName: "CP001" }),
    authorities().west.issue({ commonName: "CP002" }),
  ]);
  chargers = { CP001: CP001 as Certified, CP002: CP002 as Certified };
});

const authorities = () => ({ east: east as Authority, west: west as Authority });

/** A listener of profile 3 that trusts both authorities. */
async function site(tls: Partial<TlsOptions>, authenticate: Authenticate = () => true) {
  const { east, west } = authorities();
  const central = new CentralSystem();
  const faults: string[] = [];
  const refused: HandshakeRefusal[] = [];
  central.on("refused", (event) => refused.push(event));
  let told = (): void => {};
  central.on("fault", ({ error }) => {
    faults.push((error as Error).message);
    told();
  });
  const given = { ...own, ca: [east.certificate, west.certificate], ...tls };
  const listener = await listen(central, { securityProfile: 3, authenticate, tls: given });
  onTestFinished(() => listener.close());
  const dial = (identity: keyof typeof chargers): Promise<Transport> =>
    connect({ securityProfile: 3, tls: { ...chargers[identity], ca: east.certificate } })({
      url: listener.url,
      identity,
    });
  const fault = async (): Promise<string> => {
    if (faults.length === 0) {
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    }
    return faults.shift() as string;
  };
  return { central, listener, dial, given, fault, faults, refused };
}

describe("tls.crl", () => {
  test("is read to its last list, and says how many there are [SEC-A00-403]", async () => {
    const { east, west } = authorities();
    const crl = `# East and West\n${await east.revoke()}\n${await west.revoke(chargers.CP002)}\n`;
    const { dial, listener, faults } = await site({ crl });
    expect(listener.revocationLists.map(({ revoked }) => revoked)).toEqual([0, 1]);
    await expect(dial("CP002")).rejects.toMatchObject({ name: "HandshakeError", status: 403 });
    (await dial("CP001")).close();
    expect(faults).toEqual([]);
  });

  test("is refused if something in it is no list that can be read", async () => {
    const list = await authorities().east.revoke();
    for (const crl of [
      "",
      "no list",
      [list, own.cert],
      `${list}\n${own.cert}`,
      list.slice(0, -30),
      `${list}\n${list.slice(0, -30)}`,
      list.replace(/\n.{20}/, "\n"),
      new URL("file:///nowhere/crl.pem"),
    ]) {
      await expect(site({ crl })).rejects.toThrow(/^tls cannot be used: .*Check its certificates and keys\.$/);
    }
  });

  test("that is a file is read again when it changes, and ends the connections of those who are revoked [SEC-A00-701]", async () => {
    const { east, west } = authorities();
    const folder = mkdtempSync(join(tmpdir(), "ocppj-crl-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "crl.pem");
    const replace = (text: string): void => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    replace((await east.revoke()) + (await west.revoke()));
    const { central, dial, listener, fault } = await site({ crl: pathToFileURL(file) });
    for (const identity of ["CP001", "CP002"] as const)
      (await dial(identity)).listen({ message: () => {}, close: () => {} });
    const ended = new Promise((resolve) => central.once("disconnected", resolve));
    const first = central.get("CP001");
    if (first === undefined) throw new Error("It is not there.");
    expect(listener.certificateOf(first)?.subject).toBe("CN=CP001");

    replace("half of");
    expect(await fault()).toMatch(/^tls cannot be used/);
    expect(listener.revocationLists).toHaveLength(2);
    replace((await east.revoke()) + (await west.revoke(chargers.CP002)));
    expect(await ended).toMatchObject({ identity: "CP002", code: 1008, reason: "The certificate is revoked" });
    expect([...central.connections()]).toEqual([first]);
    await expect(dial("CP002")).rejects.toMatchObject({ status: 403 });
  });

  test("ends connections when it is replaced", async () => {
    const { east, west } = authorities();
    const { central, dial, given, listener } = await site({});
    (await dial("CP001")).listen({ message: () => {}, close: () => {} });
    const ended = new Promise((resolve) => central.once("disconnected", resolve));
    listener.replaceCertificates({ ...given, crl: [await east.revoke(chargers.CP001), await west.revoke()] });
    expect(await ended).toMatchObject({ identity: "CP001", code: 1008 });
  });

  test("is asked again when the decision on a Charge Point has come: it may be revoked by then [SEC-A00-701]", async () => {
    const { east, west } = authorities();
    let asked = (): void => {};
    let decide = (_: true): void => {};
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const authenticate = (): Promise<true> => {
      asked();
      return new Promise((resolve) => {
        decide = resolve;
      });
    };
    const { central, dial, given, listener, refused } = await site({}, authenticate);
    const attempt = dial("CP001").then(
      () => undefined,
      (error: unknown) => error,
    );
    await asking;
    listener.replaceCertificates({ ...given, crl: [await east.revoke(chargers.CP001), await west.revoke()] });
    decide(true);
    expect(await attempt).toMatchObject({ name: "HandshakeError", status: 403 });
    expect(refused).toMatchObject([{ identity: "CP001", reason: "certificate", status: 403 }]);
    expect(refused[0]?.message).toMatch(/is revoked/);
    expect([...central.connections()]).toEqual([]);
  });

  test("is told of when it has expired", async () => {
    const { east, west } = authorities();
    const { fault } = await site({ crl: [await east.revoke(), await west.list([], -1)] });
    expect(await fault()).toMatch(/^A list of revoked certificates has expired, at .*tls\.crl\.$/);
  });
});

test("The certificate of the Central System is told of three weeks before its end [SEC-A00-701]", async () => {
  const names = [{ type: "ip" as const, value: "127.0.0.1" }];
  const ending = await authorities().east.issue({ commonName: "central", names, days: [-1, 20] });
  const { faults } = await site({ ...ending });
  expect(faults).toEqual([
    expect.stringMatching(/^The certificate of the Central System ends at .*replaceCertificates\.$/),
  ]);
});

test("A list in which anything has changed is read, or refused with an error of one sentence", async () => {
  const { east } = authorities();
  const der = Buffer.from((await east.revoke(chargers.CP001)).replace(/-----.*-----|\s/g, ""), "base64");
  const at = fc.integer({ min: 0, max: der.length - 1 });
  fc.assert(
    fc.property(fc.array(fc.tuple(at, fc.integer({ min: 0, max: 255 })), { maxLength: 3 }), at, (changes, length) => {
      const changed = Buffer.from(der.subarray(0, changes.length === 0 ? length : der.length));
      for (const [place, byte] of changes) changed[place] = byte;
      const pem = `-----BEGIN X509 CRL-----\n${changed.toString("base64")}\n-----END X509 CRL-----`;
      try {
        for (const { thisUpdate } of readRevocationLists([pem])) expect(thisUpdate.getTime()).not.toBeNaN();
      } catch (error) {
        expect((error as Error).message).toMatch(/^(of \d+ PEM blocks in crl|a list of revoked certificates in crl)/);
      }
    }),
    { numRuns: 1000 },
  );
});
