import { randomBytes } from "node:crypto";
import {
  CentralSystem,
  ChargePoint,
  type ChargePointEvents,
  Configuration,
  type Connect,
  type Credential,
  type CredentialRecord,
  type Frame,
  KnownCredentials,
  memoryStore,
  OwnCredentials,
  type RecordStore,
  redacted,
} from "@ocppj/core";
import { afterEach, describe, expect, test } from "vitest";
import { connect } from "../src/connect.ts";
import { listen } from "../src/listen.ts";
import type { Listener } from "../src/listener.ts";
import { Authority } from "./certificates.ts";

const identity = "CP001";
const factoryKey = "00112233445566778899aabbccddeeff00112233";

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** Resolves with the next event that fits. */
function next<E extends keyof ChargePointEvents>(
  chargePoint: ChargePoint,
  name: E,
  fits: (event: ChargePointEvents[E][0]) => boolean = () => true,
): Promise<ChargePointEvents[E][0]> {
  return new Promise((resolve) => {
    const listener = (event: ChargePointEvents[E][0]): void => {
      if (!fits(event)) return;
      chargePoint.off(name, listener as never);
      resolve(event);
    };
    chargePoint.on(name, listener as never);
  });
}

/** A Central System with one endpoint for each profile, which keeps its records when it crashes. */
class Central {
  readonly records = new Map<string, CredentialRecord>();
  readonly frames: Frame[] = [];
  readonly listeners: Listener[] = [];
  readonly authority: Authority;
  system!: CentralSystem;
  credentials!: KnownCredentials;

  constructor(authority: Authority) {
    this.authority = authority;
  }

  async start(profiles: readonly (1 | 2)[], port = 0): Promise<void> {
    this.system = new CentralSystem({ registrations: new Map([[identity, "Accepted"]]), duplicates: "replace" });
    this.credentials = new KnownCredentials({ centralSystem: this.system, store: this.records });
    this.system.on("message", ({ frame }) => this.frames.push(frame));
    this.system.handle("BootNotification", () => ({
      status: "Accepted",
      currentTime: new Date().toISOString(),
      interval: 300,
    }));
    for (const securityProfile of profiles) {
      const listener = await listen(this.system, {
        port,
        path: "/ocpp",
        securityProfile,
        ...(securityProfile === 2 && { tls: await this.authority.issue({ commonName: "localhost" }) }),
        authenticate: (attempt) => this.credentials.authenticate({ ...attempt, securityProfile }),
      });
      this.listeners.push(listener);
      opened.push(() => listener.close());
    }
  }

  url(profile: number): string {
    const { port = 0 } = this.listeners[profile - 1] ?? {};
    return `${profile === 2 ? "wss" : "ws"}://localhost:${port}/ocpp`;
  }
}

async function charger(central: Central, store: RecordStore = memoryStore()) {
  const faults: unknown[] = [];
  const report = (error: Error) => faults.push(error);
  const configuration = await Configuration.load({
    store,
    report,
    keys: {
      NumberOfConnectors: { value: 1 },
      SupportedFeatureProfiles: { value: ["Core"] },
      AuthorizationKey: { value: factoryKey },
      SecurityProfile: { value: 1 },
    },
  });
  const credentials = await OwnCredentials.load({ configuration, store, report });
  const open =
    (credential: Credential): Connect =>
    (target) =>
      connect({ ...credential, tls: { ca: central.authority.certificate } })({
        ...target,
        url: central.url(credential.securityProfile),
      });
  const chargePoint = new ChargePoint({
    identity,
    url: central.url(1),
    boot: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
    connect: credentials.connect(open),
    configuration,
    store,
    retryBackOffWaitMinimum: 0,
    retryBackOffRandomRange: 0,
  });
  opened.push(() => chargePoint.stop());
  return { chargePoint, configuration, faults };
}

/** Both ends, connected. */
async function pair(profiles: readonly (1 | 2)[] = [1]) {
  const central = new Central(await Authority.create());
  await central.start(profiles);
  await central.credentials.enroll(identity, { authorizationKey: factoryKey, securityProfile: 1 });
  const { chargePoint, configuration, faults } = await charger(central);
  const accepted = next(chargePoint, "registration");
  await chargePoint.start();
  await accepted;
  return { central, chargePoint, configuration, faults };
}

const admits = (central: Central, key: string, securityProfile: 1 | 2 = 1) =>
  central.credentials.authenticate({ identity, password: Buffer.from(key, "hex"), securityProfile });

describe("credentials over WebSockets", () => {
  test("change: the Charge Point comes back with the new key, and the old one is refused [J-178] [SEC-A01-03] [SEC-A01-13]", async () => {
    const { central, chargePoint, configuration, faults } = await pair();
    const back = next(chargePoint, "connected");
    expect(await central.credentials.changeAuthorizationKey(identity)).toBe("Accepted");
    await back;
    const key = configuration.get("AuthorizationKey") ?? "";
    expect(key).not.toBe(factoryKey);
    expect(await admits(central, key)).toBe(true);
    expect(await admits(central, factoryKey)).toBe(false);
    expect(JSON.stringify([...central.records])).not.toContain(key);
    expect(faults).toEqual([]);
  });

  test("are in no log that uses redacted [SEC-A01-09]", async () => {
    const { central, chargePoint, configuration } = await pair();
    const back = next(chargePoint, "connected");
    await central.credentials.changeAuthorizationKey(identity);
    await back;
    const key = configuration.get("AuthorizationKey") ?? "";
    expect(JSON.stringify(central.frames)).toContain(key);
    expect(JSON.stringify(central.frames.map((frame) => redacted(frame)))).not.toContain(key);
  });

  test("whose change was not answered before the Central System crashed are found out by the next handshake [J-178]", async () => {
    const { central, chargePoint, configuration } = await pair();
    const authorizationKey = randomBytes(20);
    const crashed = new Promise((resolve) => {
      configuration.listen("AuthorizationKey", () => {
        const socket = central.system.get(identity);
        resolve(socket);
        socket?.close(1011);
      });
    });
    const change = central.credentials.changeAuthorizationKey(identity, { authorizationKey }).catch((error) => error);
    const back = next(chargePoint, "connected");
    await crashed;
    expect(await change).toMatchObject({ name: "ConnectionClosedError", sent: true });
    await back;
    const [newKey, oldKey] = [authorizationKey.toString("hex"), factoryKey];
    expect(configuration.get("AuthorizationKey")).toBe(newKey);
    expect(await admits(central, newKey)).toBe(true);
    expect(await admits(central, oldKey)).toBe(false);
  });

  test("fall back to the old key when the new one gets 401, and then stay with it", async () => {
    const { central, chargePoint, configuration } = await pair();
    const refused = next(chargePoint, "refused");
    // The Central System has lost what it knew of the change.
    const before = central.records.get(identity) as CredentialRecord;
    const connection = central.system.get(identity);
    const back = next(chargePoint, "connected");
    const change = { key: "AuthorizationKey", value: "ff".repeat(20) };
    expect(await connection?.call("ChangeConfiguration", change)).toEqual({ status: "Accepted" });
    expect(await refused).toMatchObject({ error: { name: "HandshakeError", reason: "unauthorized", status: 401 } });
    await back;
    expect(configuration.get("AuthorizationKey")).toBe(factoryKey);
    expect(central.records.get(identity)).toEqual(before);
  });

  test("rise to TLS, and never fall again [SEC-A05-06] [SEC-A05-07] [SEC-A05-09]", async () => {
    const { central, chargePoint, configuration } = await pair([1, 2]);
    const back = next(chargePoint, "connected");
    expect(await central.credentials.raiseSecurityProfile(identity, 2)).toBe("Accepted");
    await back;
    expect(configuration.get("SecurityProfile")).toBe(2);
    expect(await admits(central, factoryKey, 2)).toBe(true);
    expect(await admits(central, factoryKey, 1)).toBe(false);
  });

  test("fall back to the profile without TLS where there is nobody that speaks TLS [SEC-A05-08]", async () => {
    const { central, chargePoint, configuration } = await pair([1]);
    const refused = next(chargePoint, "refused");
    const back = next(chargePoint, "connected");
    expect(await central.credentials.raiseSecurityProfile(identity, 2)).toBe("Accepted");
    await refused;
    await back;
    expect(configuration.get("SecurityProfile")).toBe(1);
    expect(await admits(central, factoryKey, 1)).toBe(true);
  });
});
