/* Profile 3 behind a proxy that verifies certificates, and hands them over in a header. */

import { Agent } from "node:http";
import { CentralSystem } from "@ocppj/core";
import { connect } from "@ocppj/node";
import { Authority } from "../../packages/node/test/certificates.ts";

const port = 0;
const centralSystem = new CentralSystem();

// #region authenticate
import { X509Certificate } from "node:crypto";
import { isChargePointCertificate, listen } from "@ocppj/node";

/** The certificate that the proxy has verified, as `$ssl_client_escaped_cert` of nginx writes it: percent-encoded PEM. */
function certificateIn(header: string | string[] | undefined): X509Certificate | undefined {
  if (typeof header !== "string" || header === "") return undefined;
  try {
    return new X509Certificate(decodeURIComponent(header));
  } catch {
    return undefined;
  }
}

const listener = await listen(centralSystem, {
  port,
  path: "/ocpp",
  trustedProxies: ["127.0.0.1"],
  authenticate({ identity, request }) {
    const certificate = certificateIn(request.headers["x-client-certificate"]);
    return isChargePointCertificate(certificate, { organizationName: "Example CPO", serialNumber: identity });
  },
});
// #endregion

const authority = await Authority.create();
const { cert } = await authority.issue({ organizationName: "Example CPO", commonName: "CP001" });

/** Connects as a proxy would; says the HTTP status. */
async function statusOf(identity: string, header: string | undefined): Promise<number> {
  const agent = new Agent();
  const addRequest = (agent as never as { addRequest: (...args: unknown[]) => void }).addRequest;
  Object.assign(agent, {
    addRequest(request: import("node:http").ClientRequest, ...more: unknown[]) {
      if (header !== undefined) request.setHeader("X-Client-Certificate", header);
      addRequest.call(agent, request, ...more);
    },
  });
  try {
    (await connect({ network: { agent } })({ url: listener.url, identity })).close();
    return 101;
  } catch (error) {
    return (error as { status: number }).status;
  }
}

const escaped = encodeURIComponent(cert);
const statuses = await Promise.all([
  statusOf("CP001", escaped),
  statusOf("CP002", escaped),
  statusOf("CP001", undefined),
  statusOf("CP001", "%E0%A4%A"),
]);
if (statuses.join() !== "101,401,401,401") throw new Error(`The answers were ${statuses}.`);
await listener.close();
