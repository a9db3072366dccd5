import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CentralSystem, Connection, HandshakeError, type Transport } from "@ocppj/core";
import { connect, type ListenOptions, listen } from "@ocppj/node";
import { describe, expect, it, onTestFinished } from "vitest";

const page = readFileSync(new URL("proxies.md", import.meta.url), "utf8");

/** The configuration under a heading of the page. */
function configuration(heading: string, language: string): string {
  const [, section = ""] = page.split(`## ${heading}\n`);
  const [, code = ""] = section.split(`\`\`\`${language}\n`);
  return code.split("```")[0] ?? "";
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A proxy with the configuration of the page, but other ports, files and timeouts, before a listener. */
async function behind(start: (site: Site) => readonly [string, ...string[]], options: ListenOptions) {
  const folder = mkdtempSync(join(tmpdir(), "ocppj-proxy-"));
  const [cert, key, both] = ["cert.pem", "key.pem", "cert-and-key.pem"].map((name) => join(folder, name)) as string[];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", `${key}`, "-out", `${cert}`], {
    stdio: "ignore",
  });
  const pem = readFileSync(`${cert}`, "utf8");
  writeFileSync(`${both}`, pem + readFileSync(`${key}`, "utf8"));

  const centralSystem = new CentralSystem();
  const listener = await listen(centralSystem, { path: "/ocpp", trustedProxies: ["127.0.0.1"], ...options });
  const port = await freePort();
  const adapt = (text: string): string =>
    text
      .replace("listen 443", `listen 127.0.0.1:${port}`)
      .replace("bind :443", `bind 127.0.0.1:${port}`)
      .replaceAll("127.0.0.1:9000", `127.0.0.1:${listener.port}`)
      .replaceAll("/etc/ocpp/", `${folder}/`)
      .replaceAll("60s", "1s");
  const [program, ...args] = start({ folder, adapt });
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const gone = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await listener.close();
    await gone;
    rmSync(folder, { recursive: true });
  });
  const url = `wss://localhost:${port}/ocpp`;
  /** Connects as soon as the proxy listens. */
  const dial = async (identity: string): Promise<Transport> => {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`${program} has ended: ${said}`);
      try {
        return await connect({ tls: { ca: pem }, pingIntervalMs: 0 })({ url, identity });
      } catch (error) {
        if (!(error instanceof HandshakeError) || error.reason !== "unreachable" || error.status !== undefined)
          throw error;
      }
    }
  };
  return { centralSystem, dial };
}

interface Site {
  readonly folder: string;
  /** Puts the ports, files and timeouts of the test in place of those of the page. */
  readonly adapt: (text: string) => string;
}

const proxies: Record<string, (site: Site) => readonly [string, ...string[]]> = {
  nginx({ folder, adapt }) {
    const file = join(folder, "nginx.conf");
    const http = `access_log off;\n${adapt(configuration("nginx", "nginx"))}`;
    writeFileSync(file, `daemon off;\npid ${folder}/pid;\nerror_log stderr;\nevents {}\nhttp {\n${http}}\n`);
    return ["/usr/sbin/nginx", "-p", folder, "-c", file];
  },
  HAProxy({ folder, adapt }) {
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, adapt(configuration("HAProxy", "haproxy")));
    return ["/usr/sbin/haproxy", "-db", "-q", "-f", file];
  },
};

describe.each(Object.entries(proxies))("the configuration of %s", { timeout: 60_000 }, (_, start) => {
  it("lets chargers through, with their addresses, and keeps those that are idle", async () => {
    const { centralSystem, dial } = await behind(start, { pingIntervalMs: 300 });
    const ended: unknown[] = [];
    centralSystem.on("disconnected", (event) => ended.push(event));
    centralSystem.handle("BootNotification", () => ({
      status: "Accepted",
      currentTime: "2026-01-01T00:00:00Z",
      interval: 300,
    }));
    const transport = await dial("CP001");
    let pings = 0;
    const pinged = new Promise<void>((resolve) => {
      const { listen } = transport;
      transport.listen = (listener) =>
        listen.call(transport, {
          ...listener,
          heard() {
            pings += 1;
            if (pings === 12) resolve();
          },
        });
    });
    const chargePoint = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
    const boot = { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" };
    expect(await chargePoint.call("BootNotification", boot)).toMatchObject({ status: "Accepted" });
    expect(centralSystem.get("CP001")?.remoteAddress).toBe("127.0.0.1");
    await pinged; // Three times as long as the proxy puts up with.
    expect(ended).toEqual([]);
    expect(centralSystem.get("CP001")?.roundTripMs).toBeGreaterThanOrEqual(0);
    chargePoint.close();
  });

  it("cuts those that are idle when nobody pings", async () => {
    const { centralSystem, dial } = await behind(start, { pingIntervalMs: 0 });
    const ended = new Promise<{ readonly code: number }>((resolve) => centralSystem.once("disconnected", resolve));
    const transport = await dial("CP001");
    transport.listen({ message: () => {}, close: () => {} });
    expect((await ended).code).toBe(1006);
  });

  it("passes on why a charger is refused", async () => {
    const { dial } = await behind(start, { authenticate: () => "unknown-identity" });
    await expect(dial("CP001")).rejects.toMatchObject({ status: 404, reason: "unknown-identity" });
  });
});
