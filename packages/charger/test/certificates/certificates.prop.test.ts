import type { HandshakeFailure } from "@ocppj/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ConnectingTls } from "../../src/certificates/connecting.ts";
import { FickleStore } from "../stores.ts";
import { CertificatesBench, day, start } from "./certificates-bench.ts";
import { type FakeCertificate, fakePem, fakeTools } from "./fake-tools.ts";

const maxLength = 3;
const centralType = "CentralSystemRootCertificate";
const makerType = "ManufacturerRootCertificate";

/** Roots that a Central System may install: of each its issuer. `R0` and `O` come from the factory. */
const issuers = ["R0", "R0", "R0", "R1", "R4", "R4"] as const;
const rootOf = (at: number): string =>
  fakePem({
    name: `R${at}`,
    issuer: issuers[at] ?? "R0",
    key: `PUBLIC R${at}`,
    notBefore: start - day,
    notAfter: start + 10_000 * day,
    mayIssue: true,
    organizationName: "CPO",
    commonName: `R${at}`,
  });

const leafOf = (key: string, more: Partial<FakeCertificate> = {}): string =>
  fakePem({
    name: `leaf of ${key}`,
    issuer: "R0",
    key,
    notBefore: start - day,
    notAfter: start + 400 * day,
    mayIssue: false,
    organizationName: "CPO",
    commonName: "CP001",
    ...more,
  });

const ofFactory = { cert: leafOf("PUBLIC O"), key: "PRIVATE O" };

const root = fc.nat(issuers.length - 1);
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("install" as const), root, isMaker: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("delete" as const), root }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("ask" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("signed" as const),
      issuer: fc.constantFrom(0, 0, 1, 3),
      startsIn: fc.integer({ min: -2, max: 3 }),
    }),
  },
  // The Central System has a certificate of one root that is installed, and does not take the newest certificate shown.
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant("reconnect" as const), root: fc.nat(), refusesNew: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("unreachable" as const) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("power cut" as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("later" as const), days: fc.integer({ min: 1, max: 60 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("store" as const), mood: fc.constantFrom("takes", "refuses") }),
  },
);

test("whatever is installed, deleted, signed, refused and cut off, a charger is never locked out, and tells no key [SEC-A02-05, SEC-A02-10, SEC-M04-06, SEC-M05-03, SEC-M05-12, SEC-M05-13]", async () => {
  const seen = { locked: 0, deleted: 0, installed: 0, accepted: 0, replaced: 0, renewed: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(happening, { maxLength: 40, size: "max" }),
      async (isChecked, happenings) => {
        const store = new FickleStore();
        const keys = { AdditionalRootCertificateCheck: isChecked, CertificateStoreMaxLength: maxLength };
        const bench = await new CertificatesBench({
          tools: fakeTools(),
          roots: { [centralType]: rootOf(0) },
          own: ofFactory,
          store,
          keys,
        }).open();
        /** What has worked last. */
        let working: ConnectingTls = { ca: rootOf(0), cert: ofFactory.cert };
        const told: unknown[] = [];

        /** Connects to a Central System that takes these. */
        async function connect(takes: (tls: ConnectingTls) => HandshakeFailure | undefined): Promise<void> {
          const { error, tried } = await bench.connect(takes);
          expect(error).toBeUndefined();
          const latest = tried.at(-1) ?? {};
          if (latest.cert !== working.cert) seen.renewed++;
          if (latest.ca !== working.ca) seen.replaced++;
          working = latest;
        }

        const asBefore = ({ ca, cert }: ConnectingTls): HandshakeFailure | undefined =>
          ca !== working.ca ? "certificate-untrusted" : cert === working.cert ? undefined : "certificate-refused";

        await connect(asBefore);
        for (const each of happenings) {
          switch (each.type) {
            case "install": {
              const status = await bench.install(rootOf(each.root), each.isMaker ? makerType : centralType);
              if (status === "Accepted") seen.installed++;
              break;
            }
            case "delete": {
              const issuer = rootOf(Number(issuers[each.root]?.slice(1)));
              const status = await bench.delete(rootOf(each.root), issuer);
              if (status === "Accepted") seen.deleted++;
              if (status === "Failed") seen.locked++;
              break;
            }
            case "ask":
              await bench.opened.ask().catch((error: unknown) => told.push(error));
              await bench.clock.advance(0);
              break;
            case "signed": {
              const key = bench.requests.at(-1)?.replace("request for ", "") ?? "PUBLIC nobody";
              const notBefore = bench.clock.now() + each.startsIn * day;
              const status = await bench.signed(leafOf(key, { issuer: `R${each.issuer}`, notBefore }));
              if (status === "Accepted") seen.accepted++;
              break;
            }
            case "reconnect": {
              const installed = await bench.ids(centralType);
              const name = (installed as string[])[each.root % installed.length];
              const ca = rootOf(Number(name?.slice(1)));
              await connect((tls) => {
                if (tls.ca !== ca) return "certificate-untrusted";
                return each.refusesNew && tls.cert !== working.cert ? "certificate-refused" : undefined;
              });
              break;
            }
            case "unreachable":
              await bench.connect(() => "unreachable");
              break;
            case "power cut":
              await bench.open();
              await connect(asBefore);
              break;
            case "later":
              await bench.advance(each.days * day);
              break;
            case "store":
              await store.becomes(each.mood as "takes");
              break;
          }
          const roots = (await bench.ids(centralType)) as string[];
          const makers = await bench.ids(makerType);
          expect(roots.length).toBeGreaterThan(0);
          expect(roots.length + (makers === "NotFound" ? 0 : makers.length)).toBeLessThanOrEqual(maxLength);
          if (isChecked) expect(roots.length).toBeLessThanOrEqual(2);
        }
        await connect(asBefore);
        await bench.open();
        await connect(asBefore);
        told.push(bench.said, bench.noticed, bench.requests, ...bench.faults, ...told.map(String));
        const text = told.map((each) => (each instanceof Error ? `${each.stack}${each.cause}` : JSON.stringify(each)));
        expect(text.join("\n")).not.toContain("PRIVATE");
      },
    ),
    { numRuns: 300 },
  );
  // What is meant to happen did.
  for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(0);
});
