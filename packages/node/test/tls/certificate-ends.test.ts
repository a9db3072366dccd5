import { X509Certificate } from "node:crypto";
import { CentralSystem, type ExpiringCertificate } from "@ocppj/core";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connect } from "../../src/connect.ts";
import { listen } from "../../src/listen.ts";
import { CertificateEnds } from "../../src/tls/certificate-ends.ts";
import { Authority, type Certified, serialNumberOf } from "../certificates.ts";

const dayMs = 24 * 60 * 60 * 1000;
let authority: Authority;
let own: Certified;
let charger: Certified;

beforeAll(async () => {
  authority = await Authority.create(); // 50 days.
  const names = [{ type: "ip" as const, value: "127.0.0.1" }];
  own = await authority.issue({ commonName: "central", names, days: [-1, 10.5] });
  charger = await authority.issue({ commonName: "CP001", organizationName: "CPO", days: [-1, 5.5] });
});

async function site(options: { readonly expiryWarningDays?: number }, isHeard = true) {
  const central = new CentralSystem();
  const told: ExpiringCertificate[] = [];
  const faults: unknown[] = [];
  if (isHeard) central.on("expiring", (event) => told.push(event));
  central.on("fault", ({ identity, error }) => faults.push([identity, (error as Error).message]));
  const tls = { ...own, ca: authority.certificate };
  const listener = await listen(central, { securityProfile: 3, authenticate: () => true, tls, ...options });
  onTestFinished(() => listener.close());
  const dial = connect({ securityProfile: 3, tls: { ...charger, ca: authority.certificate } });
  const comes = async (): Promise<void> => {
    const gone = new Promise((resolve) => central.once("disconnected", resolve));
    const transport = await dial({ url: listener.url, identity: "CP001" });
    transport.listen({ message: () => {}, close: () => {} });
    transport.close();
    await gone;
  };
  return { comes, faults, told };
}

describe("expiring", () => {
  test("is told of our certificate, and of a Charge Point's when it connects, once, with the days that are left [SEC-A00-701]", async () => {
    const { comes, faults, told } = await site({});
    expect(told).toMatchObject([{ whose: "central-system", subject: "CN=central", daysLeft: 10 }]);
    await comes();
    await comes();
    expect(told.slice(1)).toEqual([
      {
        whose: "charge-point",
        identity: "CP001",
        subject: "O=CPO, CN=CP001",
        serialNumber: serialNumberOf(charger).toUpperCase(),
        validTo: new Date(new X509Certificate(charger.cert).validTo),
        daysLeft: 5,
      },
    ]);
    expect(faults).toEqual([]);
  });

  test("is told so many days before the end as the option says, of authorities, too", async () => {
    expect((await site({ expiryWarningDays: 60 })).told.map(({ whose }) => whose)).toEqual([
      "central-system",
      "authority",
    ]);
    const { comes, told } = await site({ expiryWarningDays: 0 });
    await comes();
    expect(told).toEqual([]);
  });

  test("is a fault where nobody listens to it", async () => {
    const { comes, faults } = await site({}, false);
    await comes();
    expect(faults).toEqual([
      [undefined, expect.stringMatching(/^The certificate of the Central System ends at .*days left: 10/)],
      ["CP001", expect.stringMatching(/^The certificate of the Charge Point ends at .*O=CPO, CN=CP001; days left: 5/)],
    ]);
  });
});

test("Ours and an authority's are told of once a day, a Charge Point's once", () => {
  const told: string[] = [];
  const ends = new CertificateEnds(21, ({ whose, daysLeft }) => told.push(`${whose} ${daysLeft}`));
  const certificate = new X509Certificate(own.cert);
  const other = new X509Certificate(charger.cert);
  const now = Date.now();
  for (const hours of [0, 23, 25, 26, 30 * 24]) {
    ends.look(certificate, { whose: "central-system" }, now + (hours / 24) * dayMs);
    ends.look(other, { whose: "charge-point", identity: "CP001" }, now + (hours / 24) * dayMs);
  }
  expect(told).toEqual(["central-system 10", "charge-point 5", "central-system 9", "central-system -20"]);
});
