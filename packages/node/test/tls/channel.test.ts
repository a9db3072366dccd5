import { CentralSystem, type Channel } from "@ocppj/core";
import { expect, onTestFinished, test } from "vitest";
import { connect } from "../../src/connect.ts";
import { listen } from "../../src/listen.ts";
import { Authority, serialNumberOf } from "../certificates.ts";
import { offer, openEndpoint, shake, statusOf } from "../open-endpoint.ts";

test("A handler finds what its connection runs on: profile, subprotocol, TLS and certificate [SEC-A00-313]", async () => {
  const authority = await Authority.create();
  const own = await authority.issue({ commonName: "central", names: [{ type: "ip", value: "127.0.0.1" }] });
  const charger = await authority.issue({ commonName: "CP001", organizationName: "CPO" });
  const central = new CentralSystem();
  const found = new Promise<Channel | undefined>((resolve) => {
    central.handle("BootNotification", (_, { connection }) => {
      resolve(connection.channel);
      return { status: "Accepted", currentTime: "2026-01-01T00:00:00Z", interval: 300 };
    });
  });
  const tls = { ...own, ca: authority.certificate };
  const listener = await listen(central, { securityProfile: 3, authenticate: () => true, tls });
  onTestFinished(() => listener.close());
  const transport = await connect({ securityProfile: 3, tls: { ...charger, ca: authority.certificate } })({
    url: listener.url,
    identity: "CP001",
  });
  transport.listen({ message: () => {}, close: () => {} });
  transport.send('[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]');
  expect(await found).toEqual({
    securityProfile: 3,
    subprotocol: "ocpp1.6",
    tls: { version: "TLSv1.3", cipherSuite: "TLS_AES_256_GCM_SHA384" },
    certificate: {
      subject: "O=CPO, CN=CP001",
      serialNumber: serialNumberOf(charger).toUpperCase(),
      validTo: expect.any(Date),
    },
  });
});

test("Without TLS there is neither TLS nor a certificate in it", async () => {
  const { central, listener } = await openEndpoint();
  expect(await statusOf(await shake(listener.port, "CP001"))).toBe(101);
  expect(offer).toContain("ocpp1.6");
  expect(central.get("CP001")?.channel).toEqual({ securityProfile: 0, subprotocol: "ocpp1.6" });
});
