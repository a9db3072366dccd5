/* From the password of the factory to a certificate of its own, over real sockets, with an authority of openssl. */
import { CentralSystem, memoryStore } from "@ocppj/core";
import { connect, isAuthorizationKey, isChargePointCertificate, type Listener, listen } from "@ocppj/node";
import { certificateTools } from "@ocppj/node/certificates";
import { expect, onTestFinished, test } from "vitest";
import { OpensslAuthority } from "../../../node/test/openssl.ts";
import { Charger, certificates } from "../../src/index.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";

const authorizationKey = "00112233445566778899aabbccddeeff00112233";
const centralType = "CentralSystemRootCertificate";

test("a charger rises from profile 1 to 3, falls back from what does not work, and is never locked out [SEC-A05-03 … SEC-A05-08, SEC-A02-06 … SEC-A02-10, SEC-M04-06, SEC-M05-15, SEC-A00-401 … SEC-A00-422]", async () => {
  const root = OpensslAuthority.create();
  const stranger = OpensslAuthority.create({ subject: "/O=Stranger/CN=Root" });
  const successor = OpensslAuthority.create({ subject: "/O=CPO/CN=Successor" }, root);
  const serverOf = (authority: OpensslAuthority) =>
    authority.issue({ subject: "/O=CPO/CN=central", extensions: ["subjectAltName=IP:127.0.0.1"] });

  const centralSystem = new CentralSystem();
  const currentTime = (): string => new Date().toISOString();
  centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime: currentTime(), interval: 300 }));
  centralSystem.handle("StatusNotification", () => ({}));
  centralSystem.handle("Heartbeat", () => ({ currentTime: currentTime() }));
  const requests: string[] = [];
  centralSystem.handle("SignCertificate", ({ csr }) => {
    requests.push(csr);
    arrived();
    return { status: "Accepted" };
  });
  /** Resolves what waits for something to happen. */
  let arrived = (): void => {};
  let isRegistered = false;
  centralSystem.on("registration", () => {
    isRegistered = true;
    arrived();
  });
  centralSystem.on("connected", () => arrived());
  async function until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
  }

  /** The certificates of Charge Points that are not let in. */
  const refused = new Set<string>();
  let letsIn = true;
  const options = { path: "/ocpp" };
  const listeners: Record<1 | 2 | 3, Listener> = {
    1: await listen(centralSystem, {
      ...options,
      securityProfile: 1,
      authenticate: ({ password }) => isAuthorizationKey(password, authorizationKey),
    }),
    2: await listen(centralSystem, {
      ...options,
      securityProfile: 2,
      tls: serverOf(root),
      authenticate: ({ password }) => isAuthorizationKey(password, authorizationKey),
    }),
    3: await listen(centralSystem, {
      ...options,
      securityProfile: 3,
      tls: { ...serverOf(root), ca: root.cert },
      authenticate: ({ certificate }) =>
        letsIn &&
        !refused.has(certificate?.toString() ?? "") &&
        isChargePointCertificate(certificate, { organizationName: "CPO", serialNumber: "SN1" }),
    }),
  };
  for (const listener of Object.values(listeners)) onTestFinished(() => listener.close());

  const store = memoryStore();
  const faults: unknown[] = [];
  const reasons: unknown[] = [];
  /** Whether the charger knows that it is connected, too. */
  let isConnected = (): boolean => false;
  async function start(): Promise<Charger> {
    const charger = new Charger({
      identity: "CP001",
      url: listeners[1].url,
      boot: { chargePointVendor: "V", chargePointModel: "M", chargePointSerialNumber: "SN1" },
      credential: { authorizationKey, securityProfile: 1 },
      configuration: { CpoName: "CPO" },
      certificates: certificates({ tools: certificateTools() }),
      connect: (credential, tls) => {
        const open = connect({ ...credential, tls });
        return (target) => open({ ...target, url: listeners[credential.securityProfile as 1].url });
      },
      hardware: new ScriptedHardware(),
      store,
      random: () => 0,
      retryBackOffWaitMinimum: 0,
    });
    charger.on("fault", ({ error }) => faults.push(error));
    await charger.start();
    isConnected = () => charger.chargePoint.connected;
    charger.chargePoint.on("connected", () => arrived());
    charger.chargePoint.on("refused", ({ error }) => reasons.push((error as { reason?: unknown }).reason));
    onTestFinished(() => charger.stop());
    return charger;
  }

  const connection = () => {
    const current = centralSystem.get("CP001");
    if (current === undefined) throw new Error("The charger is not connected.");
    return current;
  };
  /** Where it is once it is registered over another connection. */
  async function profileAfter(before: unknown): Promise<number | undefined> {
    const after = await until(() => {
      const current = centralSystem.get("CP001");
      return isRegistered && isConnected() && current !== before && current;
    });
    return after.channel?.securityProfile;
  }
  const call: ReturnType<typeof connection>["call"] = (...args) => connection().call(...args);
  /** What is answered to a higher profile, and the profile that it has then. */
  async function raise(profile: number): Promise<unknown> {
    const before = connection();
    const { status } = await call("ChangeConfiguration", { key: "SecurityProfile", value: `${profile}` });
    return status === "Accepted" ? profileAfter(before) : status;
  }
  async function again(): Promise<number | undefined> {
    const before = connection();
    before.close(1000);
    return profileAfter(before);
  }
  const install = (certificate: string) => call("InstallCertificate", { certificateType: centralType, certificate });
  async function remove(certificate: string, issuer = certificate): Promise<string> {
    const certificateHashData = await certificateTools().hashData(certificate, issuer, "SHA256");
    return (await call("DeleteCertificate", { certificateHashData })).status;
  }
  /** What the charger has shown. */
  const shown = (): string | undefined => listeners[3].certificateOf(connection())?.toString();
  async function asked(): Promise<string> {
    const before = requests.length;
    await call("ExtendedTriggerMessage", { requestedMessage: "SignChargePointCertificate" });
    return until(() => requests[before]);
  }
  const signed = async (certificateChain: string) => (await call("CertificateSigned", { certificateChain })).status;

  const charger = await start();
  expect(await profileAfter(undefined)).toBe(1);

  // Profile 2: not without a root, and not with the wrong one.
  expect(await raise(2)).toBe("Rejected");
  expect(await install(stranger.cert)).toEqual({ status: "Accepted" });
  expect(await raise(2)).toBe(1);
  expect(reasons.splice(0)).toEqual(["certificate-untrusted"]);
  expect(charger.configuration.get("SecurityProfile")).toBe(1);
  expect(await install(root.cert)).toEqual({ status: "Accepted" });
  expect(await raise(2)).toBe(2);
  expect(reasons.splice(0)).toEqual([]);
  expect(await remove(root.cert)).toBe("Failed");
  expect(await remove(stranger.cert)).toBe("Accepted");

  // Profile 3: not without a certificate, which has to come from the CPO, and not while it is refused.
  expect(await raise(3)).toBe("Rejected");
  const csr = await asked();
  expect(await signed(stranger.sign(csr))).toBe("Rejected");
  const first = root.sign(csr);
  expect(await signed(first)).toBe("Accepted");
  letsIn = false;
  expect(await raise(3)).toBe(2);
  expect(reasons.splice(0)).toEqual(["certificate-refused"]);
  letsIn = true;
  expect(await raise(3)).toBe(3);
  expect(shown()?.trim()).toBe(first.trim());

  // Another certificate, which is refused at first.
  const second = root.sign(await asked(), { from: Date.now() - 1000 });
  refused.add(second);
  expect(await signed(second)).toBe("Accepted");
  expect(await again()).toBe(3);
  expect(shown()?.trim()).toBe(first.trim());
  refused.clear();
  expect(await again()).toBe(3);
  expect(shown()?.trim()).toBe(second.trim());

  // A root that the present one has issued, and a Central System that goes over to it.
  expect(await install(successor.cert)).toEqual({ status: "Accepted" });
  listeners[3].replaceCertificates({ ...serverOf(successor), ca: root.cert });
  expect(await again()).toBe(3);
  expect(await remove(successor.cert, root.cert)).toBe("Failed");
  expect(await remove(root.cert)).toBe("Accepted");

  // After a power cut everything is as it was.
  const before = connection();
  await charger.stop();
  await start();
  expect(await profileAfter(before)).toBe(3);
  expect(shown()?.trim()).toBe(second.trim());
  expect({ faults, reasons }).toEqual({ faults: [], reasons: [] });
});
