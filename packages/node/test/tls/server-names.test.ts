/* Several certificates of one server, told apart by the name that a peer asks for; real TLS. */
import { once } from "node:events";
import { type PeerCertificate, connect as tlsConnect } from "node:tls";
import { CentralSystem } from "@ocppj/core";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connect } from "../../src/connect.ts";
import { listen } from "../../src/listen.ts";
import type { Listener } from "../../src/listener.ts";
import { OwnCertificates } from "../../src/tls/own-certificates.ts";
import { Authority, type Certified, serialNumberOf } from "../certificates.ts";

let authority: Authority;
let certificates: Record<"one" | "all" | "oneRsa" | "two" | "local" | "renewed" | "charger", Certified>;

beforeAll(async () => {
  authority = await Authority.create();
  const of = (names: string | string[], algorithm: "ECDSA" | "RSA" = "ECDSA") =>
    authority.issue({
      commonName: "server",
      algorithm,
      names: [names].flat().map((value) => ({ type: "dns" as const, value })),
    });
  certificates = {
    one: await of("one.example"),
    oneRsa: await of("one.example", "RSA"),
    all: await of(["one.example", "*.two.example"], "RSA"),
    two: await of("*.two.example"),
    local: await of("localhost"),
    renewed: await of("*.two.example"),
    // The white paper writes the name there.
    charger: await authority.issue({ commonName: "CP001" }),
  };
});

const given = (...names: (keyof typeof certificates)[]) => ({
  cert: names.map((name) => certificates[name].cert),
  key: names.map((name) => certificates[name].key).reverse(), // In whatever order.
  ca: authority.certificate,
});

async function site(...names: (keyof typeof certificates)[]): Promise<Listener> {
  const central = new CentralSystem();
  const listener = await listen(central, { securityProfile: 3, authenticate: () => true, tls: given(...names) });
  onTestFinished(() => listener.close());
  return listener;
}

/** The certificate that is shown to a peer that asks for a name, as a row of the table. */
async function shownTo(port: number, servername: string | undefined, more = {}): Promise<string | undefined> {
  const socket = tlsConnect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ...(servername && { servername }),
    ...more,
  });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate() as PeerCertificate;
  socket.destroy();
  const rows = Object.entries(certificates);
  return rows.find(([, certified]) => serialNumberOf(certified) === serialNumber.toLowerCase())?.[0];
}

describe("A Charge Point", () => {
  test("is shown the certificate of the name that it asks for, of the kind that it can use, or else the first", async () => {
    const { port } = await site("one", "all", "two");
    expect(await shownTo(port, "one.example")).toBe("one");
    expect(await shownTo(port, "cp.two.example")).toBe("two");
    expect(await shownTo(port, "nobody.example")).toBe("one");
    expect(await shownTo(port, undefined)).toBe("one");
    const rsa = { ciphers: "ECDHE-RSA-AES256-GCM-SHA384", maxVersion: "TLSv1.2" };
    expect(await shownTo(port, "one.example", rsa)).toBe("all");
    expect(await shownTo(port, "cp.two.example", rsa)).toBe("all");
  });

  test("is shown the new ones once they are replaced", async () => {
    const listener = await site("one", "two");
    expect(await shownTo(listener.port, "cp.two.example")).toBe("two");
    listener.replaceCertificates(given("renewed", "local"));
    expect(await shownTo(listener.port, "cp.two.example")).toBe("renewed");
    expect(await shownTo(listener.port, "localhost")).toBe("local");
  });

  test("is refused if its certificate is revoked, whatever the name [SEC-A00-403]", async () => {
    const listener = await site("one", "local");
    const dial = () =>
      connect({ securityProfile: 3, tls: { ...certificates.charger, ca: authority.certificate } })({
        url: `wss://localhost:${listener.port}`,
        identity: "CP001",
      });
    (await dial()).close();
    listener.replaceCertificates({ ...given("one", "local"), crl: await authority.revoke(certificates.charger) });
    await expect(dial()).rejects.toMatchObject({ status: 403 });
  });
});

test("A certificate of another kind has to have all names, since it may be shown to whoever asks for one of them", async () => {
  await expect(site("one", "oneRsa", "two")).rejects.toThrow(
    /give them keys of one kind, or .* also any\.two\.example/,
  );
  await expect(site("one", "two", "oneRsa", "all")).rejects.toThrow(/keys of several kinds/);
});

test.each(["", ".", "\0", "one.example\0", "x".repeat(70_000), "\ud800"])(
  "A name that is none, as %j, is shown what is usual",
  (name) => expect(new OwnCertificates(given("two", "one")).contextFor(name)).toBeUndefined(),
);

test("Each of the certificates needs its key", async () => {
  const { cert, key } = given("one", "two");
  const tls = { cert, key: key.slice(1), ca: authority.certificate };
  await expect(listen(new CentralSystem(), { securityProfile: 3, authenticate: () => true, tls })).rejects.toThrow(
    /^tls cannot be used: the certificate with the subject CN=server has no key\./,
  );
});
