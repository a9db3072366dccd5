import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CentralSystem } from "@ocppj/core";
import { isAuthorizationKey, isChargePointCertificate, type ListenOptions, listen } from "@ocppj/node";
import { expect, it, onTestFinished } from "vitest";
import { Authority } from "../../packages/node/test/certificates.ts";
import { Program } from "../test-program.ts";

const timeout = 30_000;
const old = "00112233445566778899aabbccddeeff";
const fresh = "ffeeddccbbaa99887766554433221100";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ocppj-charger-credentials-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A Central System that accepts whoever gets in. */
async function centralSystemWith(options: ListenOptions) {
  const centralSystem = new CentralSystem();
  const currentTime = new Date().toISOString();
  centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime, interval: 300 }));
  centralSystem.handle("StatusNotification", () => ({}));
  const listener = await listen(centralSystem, { path: "/ocpp", ...options });
  onTestFinished(() => listener.close());
  return { centralSystem, url: listener.url.replace("127.0.0.1", "localhost") };
}

it("presents its password, and another one once it was changed, after a restart, too", { timeout }, async () => {
  let key = old;
  const authenticate: ListenOptions["authenticate"] = ({ password }) => isAuthorizationKey(password, key);
  const { centralSystem, url } = await centralSystemWith({ securityProfile: 1, authenticate });
  const store = newFolder();
  const options = ["--security-profile", "1", "--store", store, "--script"];
  const refused = new Program("charger/main.ts", [url, "--authorization-key", fresh, ...options, "until 401"]);
  expect(await refused.exitCode, refused.output).toBe(0);
  rmSync(store, { recursive: true });

  const first = new Program("charger/main.ts", [url, ...options, "until Accepted, until never"], {
    AUTHORIZATION_KEY: old,
  });
  await first.said(/Accepted/);
  const change = { key: "AuthorizationKey", value: fresh };
  key = fresh; // From the next connection on.
  expect(await centralSystem.get("CP001")?.call("ChangeConfiguration", change)).toEqual({ status: "Accepted" });
  await first.said(/disconnected[\s\S]*\nconnected/);
  first.signal("SIGTERM");
  await first.exitCode;

  const second = new Program("charger/main.ts", [url, "--authorization-key", old, ...options, "until Accepted"]);
  expect(await second.exitCode, second.output).toBe(0);
  expect(second.output).not.toMatch(new RegExp(`401|${old}|${fresh}`));
});

it.each([
  ["a key that does not fit", "wss", (other: string) => ["--key", other], /key/],
  ["a URL without TLS", "ws", () => [], /begins with "wss:"/],
] as const)("says at once what no attempt can mend: %s", { timeout }, async (_, scheme, others, sentence) => {
  const authority = await Authority.create();
  const [own, other] = await Promise.all(["CP001", "CP002"].map((commonName) => authority.issue({ commonName })));
  const folder = newFolder();
  const file = (name: string, text = ""): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const options = ["--cert", file("cert", own?.cert), "--key", file("key", own?.key)];
  const more = others(file("other", other?.key));
  const charger = new Program("charger/main.ts", [`${scheme}://h`, "--security-profile", "3", ...options, ...more]);
  expect(await charger.exitCode, charger.output).toBe(2);
  expect(charger.stderr).toMatch(sentence);
  expect(charger.stdout).toBe("");
});

it("shows its certificate, and trusts the authority that it is given", { timeout }, async () => {
  const authority = await Authority.create();
  const server = await authority.issue({ commonName: "localhost" });
  const own = await authority.issue({ commonName: "CP001", organizationName: "Example CPO" });
  const { url } = await centralSystemWith({
    securityProfile: 3,
    tls: { ...server, ca: authority.certificate },
    authenticate: ({ certificate }) =>
      certificate !== undefined &&
      isChargePointCertificate(certificate, { organizationName: "Example CPO", serialNumber: "CP001" }),
  });
  const folder = newFolder();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const files = ["--ca", file("ca", authority.certificate), "--cert", file("cert", own.cert), "--key"];
  const options = [...files, file("key", own.key), "--store", join(folder, "store"), "--security-profile", "3"];
  const charger = new Program("charger/main.ts", [url, ...options, "--script", "until Accepted"]);
  expect(await charger.exitCode, charger.output).toBe(0);
});
