import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { CentralSystem, type CentralSystemEvents, HandshakeError } from "@ocppj/core";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type ConnectOptions, connect } from "../../src/connect.ts";
import { isAuthorizationKey } from "../../src/handshake/basic-authorization.ts";
import type { Authenticate, AuthenticationAttempt } from "../../src/handshake/endpoint-options.ts";
import { listen } from "../../src/listen.ts";
import type { ListenOptions } from "../../src/listen-options.ts";
import type { Listener } from "../../src/listener.ts";
import { isChargePointCertificate, type SecurityProfile, type TlsOptions } from "../../src/tls/security-profile.ts";
import {
  Authority,
  type CertificateOptions,
  type Certified,
  ExtendedKeyUsage,
  serialNumberOf,
} from "../certificates.ts";
import { basic, open, openEndpoint } from "../open-endpoint.ts";
import { handshake, RawSocket } from "../raw-socket.ts";

const key = "000102030405060708090a0b0c0d0e0f";
const days = { past: [-3, -1], future: [1, 3] } as const;

let cpo: Authority;
let stranger: Authority;
/** Certificates of the Central System at 127.0.0.1, and of the Charge Point CP001. */
let central: Certified;
let centralRsa: Certified;
let chargePoint: Certified;

const ofCentral = (options: Partial<CertificateOptions> = {}, authority = cpo): Promise<Certified> =>
  authority.issue({ commonName: "central", names: [{ type: "ip", value: "127.0.0.1" }], ...options });
const ofChargePoint = (options: Partial<CertificateOptions> = {}, authority = cpo): Promise<Certified> =>
  authority.issue({ commonName: "CP001", organizationName: "Example CPO", ...options });

beforeAll(async () => {
  cpo = await Authority.create("CPO");
  stranger = await Authority.create("Stranger");
  [central, centralRsa, chargePoint] = await Promise.all([
    ofCentral(),
    ofCentral({ algorithm: "RSA" }),
    ofChargePoint(),
  ]);
});

const trusting = (own: Partial<Certified> = {}): TlsOptions => ({
  ca: cpo.certificate,
  ...(own.cert !== undefined && { cert: own.cert }),
  ...(own.key !== undefined && { key: own.key }),
});

const authenticate: Record<1 | 2 | 3, Authenticate> = {
  1: ({ password }) => isAuthorizationKey(password, key),
  2: ({ password }) => isAuthorizationKey(password, key),
  3: ({ identity, certificate }) =>
    isChargePointCertificate(certificate, { organizationName: "Example CPO", serialNumber: identity }),
};

/** The settings of a Central System of this profile, all of them in order. */
const listening = (securityProfile: 1 | 2 | 3): ListenOptions => ({
  securityProfile,
  authenticate: authenticate[securityProfile],
  ...(securityProfile !== 1 && {
    tls: { ca: cpo.certificate, cert: [central.cert, centralRsa.cert], key: [central.key, centralRsa.key] },
  }),
});

/** The settings of the Charge Point CP001 for this profile, all of them in order. */
const connecting = (securityProfile: 1 | 2 | 3): ConnectOptions => ({
  securityProfile,
  ...(securityProfile !== 3 && { authorizationKey: key }),
  ...(securityProfile !== 1 && { tls: trusting(securityProfile === 3 ? chargePoint : {}) }),
});

/** Lets CP001 connect. It is disconnected when the test has finished. */
async function dial(url: string, options: ConnectOptions, identity = "CP001"): Promise<unknown> {
  const transport = await connect({ pingIntervalMs: 0, ...options })({ url, identity });
  onTestFinished(() => transport.close());
  return transport;
}

/** Why CP001 could not connect. */
async function failure(url: string, options: ConnectOptions, identity = "CP001"): Promise<HandshakeError> {
  const error = await dial(url, options, identity).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(HandshakeError);
  return error as HandshakeError;
}

/** Whom the Central System refuses next, and why. */
const nextRefusal = (central: CentralSystem): Promise<CentralSystemEvents["refused"][0]> =>
  new Promise((resolve) => central.once("refused", resolve));

/** What both sides are told when CP001 does not get in. */
async function refusal(offered: ListenOptions, wanted: ConnectOptions, scheme = "") {
  const { central, listener } = await openEndpoint(offered);
  const refused = nextRefusal(central);
  const url = scheme === "" ? listener.url : listener.url.replace(/^wss?/, scheme);
  const error = await failure(url, wanted);
  expect(central.get("CP001")).toBeUndefined();
  return { error, refused: await refused };
}

/** A server of the application that speaks TLS. */
async function httpsServer(options: ServerOptions) {
  const server = createServer(options);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `wss://127.0.0.1:${port}/ocpp` };
}

/** A peer with TLS settings of its own. */
async function peerOf(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ port, host: "127.0.0.1", ca: cpo.certificate, ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

describe("a profile", () => {
  test.each([1, 2, 3] as const)(
    "%i is accepted by both sides [SEC-A00-202] [SEC-A00-301] [SEC-A00-401] [SEC-A00-409]",
    async (profile) => {
      const { central, listener, refused } = await openEndpoint(listening(profile));
      expect(listener.url.startsWith(profile === 1 ? "ws://" : "wss://")).toBe(true);
      await dial(listener.url, connecting(profile));
      expect(central.get("CP001")).toBeDefined();
      expect(refused).toEqual([]);
    },
  );

  test("0 is what the URL says: TLS where it says wss, and what is given is sent [J-172] [J-174]", async () => {
    const { server, url } = await httpsServer({
      ...central,
      ca: cpo.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    });
    const attempts: AuthenticationAttempt[] = [];
    await openEndpoint({ server, authenticate: (attempt) => attempts.push(attempt) > 0 });
    await dial(url, { tls: trusting(chargePoint), authorizationKey: key });
    expect(attempts[0]?.password).toEqual(Uint8Array.from(Buffer.from(key, "hex")));
    expect(attempts[0]?.certificate?.subject).toContain("CN=CP001");
  });

  test("3 hands the certificate to authenticate, and sends no password [SEC-A00-404] [SEC-A00-405]", async () => {
    const attempts: AuthenticationAttempt[] = [];
    const { listener } = await openEndpoint({ ...listening(3), authenticate: (attempt) => attempts.push(attempt) > 0 });
    await dial(listener.url, { ...connecting(3), authorizationKey: key });
    const [attempt] = attempts;
    expect(attempt?.certificate?.toLegacyObject().subject).toMatchObject({ O: "Example CPO", CN: "CP001" });
    expect(attempt?.password).toBeUndefined();
    expect(attempt?.request.headers).not.toHaveProperty("authorization");
  });

  test.each([
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
  ])("2 is spoken with the cipher suite %s, with a certificate for it [SEC-A00-317]", async (ciphers) => {
    const { listener } = await openEndpoint(listening(2));
    const peer = await peerOf(listener.port, { ciphers, maxVersion: "TLSv1.2" });
    expect(peer.getCipher().name).toBe(ciphers);
    expect(peer.getPeerX509Certificate()?.publicKey.asymmetricKeyType).toBe(ciphers.startsWith("E") ? "ec" : "rsa");
  });

  test.each([
    [2, "ECDHE-ECDSA-AES128-GCM-SHA256"],
    [2, "ECDHE-ECDSA-AES256-GCM-SHA384"],
    [2, "AES128-GCM-SHA256"],
    [2, "AES256-GCM-SHA384"],
    [3, "ECDHE-ECDSA-AES128-GCM-SHA256"],
    [3, "ECDHE-ECDSA-AES256-GCM-SHA384"],
    [3, "AES128-GCM-SHA256"],
    [3, "AES256-GCM-SHA384"],
  ] as const)(
    "%i is spoken with a server that has the cipher suite %s alone [SEC-A00-318] [SEC-A00-422]",
    async (profile, ciphers) => {
      const { server, url } = await httpsServer({
        ...(ciphers.startsWith("E") ? central : centralRsa),
        ca: cpo.certificate,
        requestCert: profile === 3,
        ciphers,
        maxVersion: "TLSv1.2",
      });
      const { central: system } = await openEndpoint({
        server,
        securityProfile: profile,
        authenticate: authenticate[profile],
      });
      await dial(url, connecting(profile));
      expect(system.get("CP001")).toBeDefined();
    },
  );

  test.each(["TLSv1.2", "TLSv1.3"] as const)("3 is spoken over %s [SEC-A00-416] [SEC-A00-417]", async (version) => {
    const { server, url } = await httpsServer({
      ...central,
      ca: cpo.certificate,
      requestCert: true,
      minVersion: version,
      maxVersion: version,
    });
    const { central: system } = await openEndpoint({ server, securityProfile: 3, authenticate: authenticate[3] });
    await dial(url, connecting(3));
    expect(system.get("CP001")).toBeDefined();
  });

  test("3 is spoken with an RSA certificate of the Charge Point, too [SEC-A00-421]", async () => {
    const { listener } = await openEndpoint(listening(3));
    await dial(listener.url, { securityProfile: 3, tls: trusting(await ofChargePoint({ algorithm: "RSA" })) });
  });
});

describe("the certificate of the Central System is refused by the Charge Point", () => {
  const rows: [string, () => Promise<Partial<Certified>>, Partial<HandshakeError>, RegExp][] = [
    [
      "has expired",
      () => ofCentral({ days: days.past }),
      { reason: "certificate-expired", advice: "Renew it there, or set the clock of this Charge Point." },
      /has a certificate that is not valid at this time: certificate has expired\./,
    ],
    [
      "is not valid yet",
      () => ofCentral({ days: days.future }),
      { reason: "certificate-expired" },
      /not valid at this time: certificate is not yet valid\./,
    ],
    [
      "is of another authority",
      () => ofCentral({}, stranger),
      { reason: "certificate-untrusted" },
      /has a certificate from nobody who is trusted here: unable to get local issuer certificate.*\. Give .* as tls\.ca/,
    ],
    [
      "is for another host",
      () => ofCentral({ names: [{ type: "dns", value: "elsewhere.test" }] }),
      { reason: "certificate-name" },
      /has a certificate for another host: .*127\.0\.0\.1.*\. Use a host in the URL that the certificate names/,
    ],
    [
      "is not made for servers",
      () => ofCentral({ usages: [ExtendedKeyUsage.clientAuth] }),
      { reason: "certificate-untrusted" },
      /has a certificate that cannot be trusted: unsuitable certificate purpose\./,
    ],
  ];

  test.each(rows)(
    "when it %s [SEC-A00-307] [SEC-A00-308] [SEC-A00-309] [SEC-A00-310] [SEC-A00-411] [SEC-A00-414]",
    async (_, issue, fields, message) => {
      const { error, refused } = await refusal({ ...listening(2), tls: (await issue()) as TlsOptions }, connecting(2));
      expect(error).toMatchObject({ ...fields, status: undefined, securityEvent: "InvalidCentralSystemCertificate" });
      expect(error.message).toMatch(message);
      expect(refused).toMatchObject({ reason: "tls", message: "The peer has hung up during the TLS handshake." });
      expect(refused.advice).toMatch(/may not accept the certificate of this Central System/);
      expect(refused).not.toHaveProperty("status");
    },
  );

  test("but not when it is of a root in ca that another root has issued, which nobody has there [SEC-M05-15]", async () => {
    const successor = await Authority.create("Successor", stranger);
    const { listener } = await openEndpoint({ ...listening(2), tls: await ofCentral({}, successor) });
    await dial(listener.url, { ...connecting(2), tls: { ca: successor.certificate } });
    expect((await failure(listener.url, connecting(2))).reason).toBe("certificate-untrusted");
  });

  test("when its key is too weak, and a Central System does not start with it [SEC-A00-502]", async () => {
    const weak = await ofCentral({ algorithm: "weak RSA" });
    const { url } = await httpsServer({ ...weak, ciphers: "DEFAULT:@SECLEVEL=0" });
    const error = await failure(url, connecting(2));
    expect(error).toMatchObject({
      reason: "certificate-untrusted",
      message: expect.stringContaining("EE certificate key too weak"),
    });
    await expect(listen(new CentralSystem(), { ...listening(2), tls: weak })).rejects.toThrow(
      /tls cannot be used: .*small/,
    );
  });

  test("when it is revoked", async () => {
    const { listener } = await openEndpoint({ ...listening(2), tls: central });
    const tls = { ca: cpo.certificate, crl: await cpo.revoke(central) };
    const error = await failure(listener.url, { ...connecting(2), tls });
    expect(error).toMatchObject({ reason: "certificate-untrusted", advice: "Replace it there." });
  });

  test("also where an environment variable of Node turns the check off [SEC-A00-307]", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => {
      vi.unstubAllEnvs();
      warned.mockRestore();
    });
    const { listener } = await openEndpoint({ ...listening(2), tls: await ofCentral({}, stranger) });
    expect(await failure(listener.url, connecting(2))).toMatchObject({ reason: "certificate-untrusted" });
    expect(await failure(listener.url, { tls: trusting() })).toMatchObject({ reason: "certificate-untrusted" });
  });

  const names: [string, Partial<CertificateOptions>][] = [
    ["its commonName", { commonName: "localhost" }],
    ["a subjectAltName", { commonName: "", names: [{ type: "dns", value: "localhost" }] }],
    [
      "its commonName beside other subjectAltNames",
      { commonName: "localhost", names: [{ type: "dns", value: "b.test" }] },
    ],
  ];

  test.each(names)(
    "but not when its name is %s [SEC-A00-308] [SEC-A00-412] [SEC-A00-510] [QD-34]",
    async (_, options) => {
      const { listener } = await openEndpoint({
        ...listening(2),
        tls: await cpo.issue({ commonName: "x", ...options }),
      });
      await dial(listener.url.replace("127.0.0.1", "localhost"), connecting(2));
    },
  );
});

describe("the certificate of the Charge Point is refused by the Central System", () => {
  const rows: [string, () => Promise<Certified>, RegExp][] = [
    [
      "has expired",
      () => ofChargePoint({ days: days.past }),
      /^The certificate of the peer has expired: CERT_HAS_EXPIRED\.$/,
    ],
    ["is not valid yet", () => ofChargePoint({ days: days.future }), /is not valid yet: CERT_NOT_YET_VALID\.$/],
    [
      "is of another authority",
      () => ofChargePoint({}, stranger),
      /is from nobody who is trusted here: UNABLE_TO_VERIFY/,
    ],
    [
      "is not made for clients",
      () => ofChargePoint({ usages: [ExtendedKeyUsage.serverAuth] }),
      /is not made for TLS clients: INVALID_PURPOSE\.$/,
    ],
    [
      "is that of another Charge Point",
      () => ofChargePoint({ commonName: "CP0011" }),
      /^The certificate .* is not that of/,
    ],
    ["is of another owner", () => ofChargePoint({ organizationName: "Other" }), /^The certificate .* is not that of/],
  ];

  test.each(rows)(
    "when it %s [SEC-A00-403] [SEC-A00-404] [SEC-A00-405] [SEC-A00-407] [SEC-A00-408]",
    async (_, issue, message) => {
      const wanted = { securityProfile: 3, tls: trusting(await issue()) } as const;
      const { error, refused } = await refusal(listening(3), wanted);
      expect(refused).toMatchObject({ identity: "CP001", reason: "certificate", status: 403 });
      expect(refused.message).toMatch(message);
      expect(refused.advice).not.toBe("");
      expect(error).toMatchObject({
        reason: "certificate-refused",
        status: 403,
        securityEvent: "FailedToAuthenticateAtCentralSystem",
      });
      expect(error.message).toContain('does not let "CP001" in with this certificate, and says "Th');
      expect(error.message).toContain("Check the validity");
    },
  );

  test("when there is none, because the Charge Point uses another profile [SEC-A00-002] [SEC-A00-407]", async () => {
    const ask = vi.fn<Authenticate>(() => true);
    // Profile 2 does not show the certificate, although it is there.
    const wanted = { ...connecting(2), tls: trusting(chargePoint) };
    const { error, refused } = await refusal({ ...listening(3), authenticate: ask }, wanted);
    expect(refused).toMatchObject({
      reason: "certificate",
      status: 403,
      message: "The peer has shown no certificate.",
    });
    expect(error).toMatchObject({ reason: "unauthorized", status: 403 });
    expect(error.advice).toMatch(/another securityProfile, such as 3 with a client certificate/);
    expect(ask).not.toHaveBeenCalled();
  });

  test("when its key is too weak [SEC-A00-502]", async () => {
    const weak = await ofChargePoint({ algorithm: "weak RSA" });
    expect(() => connect({ securityProfile: 3, tls: trusting(weak) })).toThrow(/tls cannot be used: .*small/);
    const { central, listener } = await openEndpoint(listening(3));
    const refused = nextRefusal(central);
    const peer = await peerOf(listener.port, { ...weak, ciphers: "DEFAULT:@SECLEVEL=0" });
    peer.write(`${handshake("/ocpp/CP001").join("\r\n")}\r\n\r\n`);
    expect(await refused).toMatchObject({ reason: "certificate", status: 403 });
  });

  test("when it is revoked", async () => {
    const { tls, ...offered } = listening(3);
    const revoking = { ...offered, tls: { ...tls, crl: await cpo.revoke(chargePoint) } };
    const { error, refused } = await refusal(revoking, connecting(3));
    expect(refused).toMatchObject({
      reason: "certificate",
      message: expect.stringContaining("is revoked: CERT_REVOKED."),
    });
    expect(error).toMatchObject({ reason: "certificate-refused" });
  });

  test("by a server that only hangs up, and both sides still know why", async () => {
    const { server, url } = await httpsServer({ ...central, ca: cpo.certificate, requestCert: true });
    const foreign = { securityProfile: 3, tls: trusting(await ofChargePoint({}, stranger)) } as const;
    const { central: system, refused } = await openEndpoint({
      server,
      securityProfile: 3,
      authenticate: authenticate[3],
    });
    const told = nextRefusal(system);
    const error = await failure(url, foreign);
    await told;
    expect(error).toMatchObject({ reason: "certificate-refused", status: undefined });
    expect(error.message).toContain("ended the connection right after the TLS handshake");
    expect(refused).toEqual([
      expect.objectContaining({
        reason: "certificate",
        message: expect.stringContaining("is from nobody who is trusted here: UNABLE_TO_VERIFY_LEAF_SIGNATURE."),
        remoteAddress: "127.0.0.1",
      }),
    ]);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("by a server that wants one and says so, over %s", async (version) => {
    const { server, url } = await httpsServer({
      ...central,
      ca: cpo.certificate,
      requestCert: true,
      minVersion: version,
      maxVersion: version,
    });
    const { central: system, refused } = await openEndpoint({
      server,
      securityProfile: 3,
      authenticate: authenticate[3],
    });
    const told = nextRefusal(system);
    const error = await failure(url, connecting(2));
    await told;
    // Version 1.2 has no alert of its own for this.
    expect(error).toMatchObject({ reason: version === "TLSv1.3" ? "certificate-refused" : "tls-cipher" });
    expect(error.advice).toMatch(/certificate/);
    expect(refused).toEqual([
      expect.objectContaining({ reason: "certificate", message: "The peer has shown no certificate." }),
    ]);
  });

  test("when a session is resumed in which none was shown, over TLS 1.3 [SEC-A00-403]", async () => {
    const { server, port } = await httpsServer({
      ...central,
      ca: cpo.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    });
    const ask = vi.fn<Authenticate>(() => true);
    const { refused } = await openEndpoint({ server, securityProfile: 3, authenticate: ask });
    const first = await peerOf(port, {});
    first.write(`${handshake("/ocpp/CP001").join("\r\n")}\r\n\r\n`);
    const [session] = await once(first, "session");
    const second = await peerOf(port, { session });
    expect(second.isSessionReused()).toBe(true);
    const peer = new RawSocket(second);
    peer.request(...handshake("/ocpp/CP001"));
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 403/);
    expect(refused).toEqual([
      expect.objectContaining({ reason: "certificate", message: "The peer has shown no certificate." }),
      expect.objectContaining({ reason: "certificate", message: "The peer has shown no certificate." }),
    ]);
    expect(ask).not.toHaveBeenCalled();
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "not by a session of earlier: a server of its own resumes none with profile 3, over %s [SEC-A00-403]",
    async (maxVersion) => {
      const { listener } = await openEndpoint(listening(3));
      const first = await peerOf(listener.port, { maxVersion });
      first.write(`${handshake("/ocpp/CP001").join("\r\n")}\r\n\r\n`);
      const [session] = maxVersion === "TLSv1.3" ? await once(first, "session") : [first.getSession()];
      const second = await peerOf(listener.port, { maxVersion, session });
      expect(second.isSessionReused()).toBe(false);
    },
  );

  const anotherHandshake = (peer: TLSSocket): Promise<Error | null> =>
    new Promise((resolve) => {
      peer.on("error", resolve);
      peer.renegotiate({ rejectUnauthorized: false }, resolve);
    });

  test.each([2, 3] as const)(
    "not after another one was: a server of its own shakes hands once only, profile %i [SEC-A00-403]",
    async (profile) => {
      const { listener } = await openEndpoint(listening(profile));
      const peer = await peerOf(listener.port, { ...chargePoint, maxVersion: "TLSv1.2" });
      expect((await anotherHandshake(peer))?.message).toMatch(/no renegotiation/);
    },
  );

  test("when it is shown in a second TLS handshake, after a valid one [SEC-A00-403]", async () => {
    const { server, port } = await httpsServer({
      ...central,
      ca: cpo.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    });
    const ask = vi.fn<Authenticate>(() => true);
    const { refused } = await openEndpoint({ server, securityProfile: 3, authenticate: ask });
    // What is valid at first is not any more: Node's own client cannot show two different certificates.
    server.once("secureConnection", (socket) => socket.setKeyCert({ ...central, ca: stranger.certificate }));
    const socket = await peerOf(port, { ...chargePoint, maxVersion: "TLSv1.2" });
    expect(await anotherHandshake(socket)).toBeNull();
    const peer = new RawSocket(socket);
    peer.request(...handshake("/ocpp/CP001"));
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 403/);
    expect(refused).toEqual([
      expect.objectContaining({
        reason: "certificate",
        message: expect.stringContaining("nobody who is trusted here"),
      }),
    ]);
    expect(ask).not.toHaveBeenCalled();
  });
});

describe("a password", () => {
  test.each([1, 2] as const)("that is wrong is refused with 401 in profile %i [SEC-A00-207]", async (profile) => {
    const wanted = { ...connecting(profile), authorizationKey: "ff".repeat(16) };
    const { error, refused } = await refusal(listening(profile), wanted);
    expect(refused).toMatchObject({ identity: "CP001", reason: "unauthorized", status: 401 });
    expect(error).toMatchObject({
      reason: "unauthorized",
      status: 401,
      advice: "Check the authorizationKey.",
      securityEvent: "FailedToAuthenticateAtCentralSystem",
    });
  });

  test.each([
    ["is missing", undefined, "sent no password"],
    ["is empty", "CP001:", "less than 16 bytes"],
    ["has 15 bytes", `CP001:${"x".repeat(15)}`, "less than 16 bytes"],
  ])("that %s is refused with 401 before authenticate is asked [SEC-A00-205] [trap 13]", async (_, sent, message) => {
    const ask = vi.fn<Authenticate>(() => true);
    const { listener, refused } = await openEndpoint({ securityProfile: 1, authenticate: ask });
    const peer = await open(listener.port);
    peer.request(...handshake("/ocpp/CP001", ...(sent === undefined ? [] : [basic(sent)])));
    const head = await peer.head();
    expect(head).toMatch(/^HTTP\/1\.1 401/);
    expect(head).toMatch(/WWW-Authenticate: Basic/);
    expect(refused).toEqual([
      expect.objectContaining({ reason: "unauthorized", status: 401, message: expect.stringContaining(message) }),
    ]);
    expect(ask).not.toHaveBeenCalled();
  });

  test("of 16 bytes is for authenticate to judge", async () => {
    const ask = vi.fn<Authenticate>(() => true);
    const { listener } = await openEndpoint({ securityProfile: 1, authenticate: ask });
    const peer = await open(listener.port);
    peer.request(...handshake("/ocpp/CP001", basic(`CP001:${"x".repeat(16)}`)));
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 101/);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  test("is asked for where a Charge Point of profile 3 has none to send [SEC-A00-002] [SEC-A00-003]", async () => {
    const { error, refused } = await refusal(listening(2), connecting(3));
    expect(refused).toMatchObject({ reason: "unauthorized", status: 401 });
    expect(error).toMatchObject({ reason: "unauthorized", status: 401 });
    expect(error.advice).toBe("It wants a password: ask its operator which securityProfile it expects.");
  });
});

describe("TLS", () => {
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
  const weak = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2", ciphers: "AES128-SHA" } as const;

  test("1.1 of a Central System is refused by the Charge Point [SEC-A00-312] [SEC-A00-315] [SEC-A00-419]", async () => {
    const { url } = await httpsServer({ ...centralRsa, ...old });
    const error = await failure(url, connecting(2));
    expect(error).toMatchObject({ reason: "tls-version", securityEvent: "InvalidTLSVersion" });
    expect(error.message).toMatch(
      /speaks no version of TLS that is allowed here: .*protocol.*\. Make it offer TLS 1\.2/,
    );
  });

  test("1.1 of a Charge Point is refused by the Central System [SEC-A00-314] [SEC-A00-418]", async () => {
    const { central, listener } = await openEndpoint(listening(2));
    const refused = nextRefusal(central);
    await expect(peerOf(listener.port, old)).rejects.toThrow(/alert protocol version/);
    expect(await refused).toEqual({
      reason: "tls-version",
      message: "The peer speaks no version of TLS that is allowed here.",
      advice: expect.stringContaining("TLS 1.2"),
      remoteAddress: "127.0.0.1",
    });
  });

  test.each([2, 3] as const)(
    "with a weak cipher suite of a Central System is refused by the Charge Point, profile %i [SEC-A00-319] [SEC-A00-322] [SEC-A00-423] [SEC-A00-426]",
    async (profile) => {
      const { url } = await httpsServer({ ...centralRsa, ...weak });
      const error = await failure(url, connecting(profile));
      expect(error).toMatchObject({ reason: "tls-cipher", securityEvent: "InvalidTLSCipherSuite" });
      expect(error.message).toMatch(
        /has no cipher suite that is allowed here: .* alert handshake failure\. Make it offer/,
      );
    },
  );

  test("with a weak cipher suite of a Charge Point is refused by the Central System [SEC-A00-321] [SEC-A00-425]", async () => {
    const { central, listener } = await openEndpoint(listening(2));
    const refused = nextRefusal(central);
    await expect(peerOf(listener.port, weak)).rejects.toThrow(/alert handshake failure/);
    expect(await refused).toMatchObject({ reason: "tls-cipher" });
  });

  test.each([2, 3] as const)(
    "is missed where a Charge Point without it comes to a Central System of profile %i [SEC-A00-002] [SEC-A00-311] [SEC-A00-415]",
    async (profile) => {
      const { error, refused } = await refusal(listening(profile), connecting(1), "ws");
      expect(refused).toMatchObject({ reason: "tls", message: "The peer does not speak TLS." });
      expect(refused.advice).toMatch(/"ws:" to "wss:"/);
      expect(error).toMatchObject({ reason: "unreachable" });
      expect(error.advice).toBe("Check the port in the URL, and whether it wants wss.");
    },
  );

  test("is missed where a Charge Point with it comes to a Central System without it [SEC-A00-002] [SEC-A00-003]", async () => {
    const { error, refused } = await refusal(listening(1), connecting(2), "wss");
    expect(refused).toMatchObject({ reason: "request", message: "The peer speaks TLS, but this port does not." });
    expect(error).toMatchObject({ reason: "tls" });
    expect(error.message).toMatch(/does not speak TLS: wrong version number\. Check the port/);
  });

  test("alerts about the certificate of the Central System are understood [SEC-A00-323]", async () => {
    const { central, listener } = await openEndpoint(listening(2));
    const refused = nextRefusal(central);
    const peer = await open(listener.port);
    // Lets Node say hello, and answers in its place: it never sends an alert of its own about a certificate.
    const pipe = new Duplex({
      read: () => {},
      write: (hello: Buffer, _, done) => {
        peer.write(hello);
        done();
      },
    });
    connectTls({ socket: pipe, maxVersion: "TLSv1.2" }).on("error", () => {});
    await once(peer.socket, "data");
    // A record of TLS 1.2 with the fatal alert "unknown CA".
    peer.write(Buffer.from([0x15, 3, 3, 0, 2, 2, 48]));
    expect(await refused).toEqual({
      reason: "certificate-refused",
      message: "The peer does not accept the certificate of this Central System: tlsv1 alert unknown ca.",
      advice: expect.stringContaining("root certificate"),
      remoteAddress: "127.0.0.1",
    });
  });

  test("handshakes that take too long are given up and reported", async () => {
    const { central, listener } = await openEndpoint({ ...listening(2), handshakeTimeoutMs: 30 });
    const refused = nextRefusal(central);
    const peer = await open(listener.port);
    peer.write(Buffer.from([0x16, 3, 1]));
    expect(await refused).toMatchObject({ reason: "timeout" });
    await peer.rest();
  });

  test("is no reason to blame the application for a peer that leaves before it is let in", async () => {
    let socket: TLSSocket | undefined;
    const ask: Authenticate = ({ request }) => {
      socket = request.socket as TLSSocket;
      peer.end();
      return new Promise(() => {});
    };
    const { listener, refused, faults } = await openEndpoint({ ...listening(2), authenticate: ask });
    const peer = await peerOf(listener.port, {});
    peer.write(`${handshake("/ocpp/CP001", basic(`CP001:${"x".repeat(16)}`)).join("\r\n")}\r\n\r\n`);
    await once(peer, "close");
    await vi.waitFor(() => expect(socket?.closed).toBe(true));
    expect({ refused, faults }).toEqual({ refused: [], faults: [] });
  });

  test("is no reason to report a peer that connects and leaves, as health checks do", async () => {
    const { central, listener, refused } = await openEndpoint(listening(2));
    const peer = await open(listener.port);
    peer.socket.end();
    await peer.rest();
    const told = nextRefusal(central);
    const other = await open(listener.port);
    other.write("GET / HTTP/1.1\r\n\r\n");
    await told;
    expect(refused).toEqual([expect.objectContaining({ message: "The peer does not speak TLS." })]);
  });
});

describe("an attached server", () => {
  const settings = (securityProfile: 2 | 3) => ({ securityProfile, authenticate: authenticate[securityProfile] });

  test("that allows TLS 1.1 does not let it in [SEC-A00-313] [SEC-A00-314]", async () => {
    const weak = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
    const { server, port } = await httpsServer({ ...centralRsa, ...weak });
    const { refused } = await openEndpoint({ server, ...settings(2) });
    const peer = new RawSocket(await peerOf(port, weak));
    peer.request(...handshake("/ocpp/CP001", basic(`CP001:${"x".repeat(16)}`)));
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 403/);
    expect(refused).toEqual([expect.objectContaining({ reason: "tls-version", message: "The peer speaks TLSv1.1." })]);
  });

  test("that allows weak cipher suites does not let them in [SEC-A00-319] [SEC-A00-321]", async () => {
    const { server, port } = await httpsServer(centralRsa);
    const { refused } = await openEndpoint({ server, ...settings(2) });
    const peer = new RawSocket(await peerOf(port, { ciphers: "AES128-SHA", maxVersion: "TLSv1.2" }));
    peer.request(...handshake("/ocpp/CP001", basic(`CP001:${"x".repeat(16)}`)));
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 403/);
    expect(refused).toEqual([
      expect.objectContaining({ reason: "tls-cipher", message: "The peer uses the cipher suite AES128-SHA." }),
    ]);
  });

  test("that asks for no certificate lets nobody in with profile 3, and says what it lacks", async () => {
    const { server, url } = await httpsServer(central);
    const { refused } = await openEndpoint({ server, ...settings(3) });
    expect(await failure(url, connecting(3))).toMatchObject({ reason: "certificate-refused", status: 403 });
    expect(refused).toEqual([expect.objectContaining({ advice: expect.stringContaining("requestCert") })]);
  });

  test("is told of failed TLS handshakes no more when the listener is closed", async () => {
    const { server } = await httpsServer(central);
    const before = server.listenerCount("tlsClientError");
    const { listener } = await openEndpoint({ server, ...settings(2) });
    expect(server.listenerCount("tlsClientError")).toBe(before + 1);
    await listener.close();
    expect(server.listenerCount("tlsClientError")).toBe(before);
  });

  test.each([2, 3] as const)("without TLS is refused for profile %i [trap 13]", async (profile) => {
    const started = listen(new CentralSystem(), { server: createHttpServer(), ...settings(profile) });
    await expect(started).rejects.toThrow(
      new TypeError("securityProfile 2 and 3 need a server that speaks TLS. Attach to an https server."),
    );
  });

  test("with TLS is refused for profile 1, which has none", async () => {
    const started = listen(new CentralSystem(), { server: createServer(), ...listening(1) });
    await expect(started).rejects.toThrow(/securityProfile 1 has no TLS, but the server has/);
  });

  test("is given no certificates", async () => {
    const started = listen(new CentralSystem(), { server: createServer(), ...listening(2) });
    await expect(started).rejects.toThrow(/has its own host, port and tls/);
  });
});

describe("certificates can be replaced", () => {
  const serialOf = async ({ port }: Listener): Promise<string | undefined> => {
    const peer = await peerOf(port, {});
    const serial = peer.getPeerX509Certificate()?.serialNumber;
    peer.destroy();
    return serial?.toLowerCase();
  };

  test("those of the Central System: open connections stay, new ones get the new one [SEC-A00-701]", async () => {
    const { central: system, listener } = await openEndpoint({ ...listening(2), tls: central });
    await dial(listener.url, connecting(2));
    const connection = system.get("CP001");
    expect(await serialOf(listener)).toBe(serialNumberOf(central));
    const next = await ofCentral();
    listener.replaceCertificates(next);
    expect(await serialOf(listener)).toBe(serialNumberOf(next));
    expect(system.get("CP001")).toBe(connection);
    await dial(listener.url, connecting(2), "CP002");
  });

  test("those that profile 3 trusts, and what is asked for stays", async () => {
    const { listener } = await openEndpoint(listening(3));
    await dial(listener.url, connecting(3));
    listener.replaceCertificates({ ...central, ca: stranger.certificate });
    const before = await failure(listener.url, connecting(3));
    expect(before).toMatchObject({ reason: "certificate-refused", status: 403 });
    const foreign = trusting(await ofChargePoint({ commonName: "CP002" }, stranger));
    await dial(listener.url, { securityProfile: 3, tls: foreign }, "CP002");
    await expect(
      peerOf(listener.port, { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "ALL:@SECLEVEL=0" }),
    ).rejects.toThrow(/protocol version/);
  });

  const broken: [string, () => TlsOptions, RegExp][] = [
    ["no certificate at all", () => ({}), /needs tls with the cert and the key/],
    ["text that is no certificate", () => ({ cert: "nonsense", key: central.key }), /tls cannot be used: /],
    [
      "the name of a file",
      () => ({ ca: "root.pem", cert: central.cert, key: central.key }),
      /tls cannot be used: .*\. Check its certificates and keys\.$/,
    ],
    ["no certificate in an array", () => ({ cert: [], key: central.key }), /needs tls with the cert and the key/],
    ["the key of another certificate", () => ({ cert: central.cert, key: chargePoint.key }), /tls cannot be used: /],
    [
      "two certificates and one key",
      () => ({ cert: [central.cert, centralRsa.cert], key: [central.key] }),
      /the certificate with the subject CN=central has no key/,
    ],
  ];

  test.each(broken)("but not by %s, which changes nothing", async (_, tls, message) => {
    const { listener } = await openEndpoint({ ...listening(2), tls: central });
    expect(() => listener.replaceCertificates(tls())).toThrow(TypeError);
    expect(() => listener.replaceCertificates(tls())).toThrow(message);
    expect(await serialOf(listener)).toBe(serialNumberOf(central));
    await dial(listener.url, connecting(2));
  });

  test("only where the listener has any", async () => {
    const { listener } = await openEndpoint();
    expect(() => listener.replaceCertificates(central)).toThrow(/securityProfile 0 has no TLS/);
    const { server } = await httpsServer(central);
    const attached = await openEndpoint({ server });
    expect(() => attached.listener.replaceCertificates(central)).toThrow(/setSecureContext/);
  });

  test("those of the Charge Point, with each attempt: its options are a function [SEC-A02-08]", async () => {
    const { listener, refused } = await openEndpoint(listening(3));
    const certificates = [await ofChargePoint({ days: days.past }), chargePoint];
    const open = connect(() => ({ securityProfile: 3, tls: trusting(certificates.shift()), pingIntervalMs: 0 }));
    const target = { url: listener.url, identity: "CP001" };
    await expect(open(target)).rejects.toMatchObject({ reason: "certificate-refused" });
    const transport = await open(target);
    onTestFinished(() => transport.close());
    expect(refused).toHaveLength(1);
  });
});

describe("settings that are not those of the profile", () => {
  const incomplete: [string, () => ListenOptions, RegExp][] = [
    ["1 without authenticate", () => ({ securityProfile: 1 }), /securityProfile 1 needs authenticate/],
    ["2 without authenticate", () => ({ securityProfile: 2, tls: central }), /securityProfile 2 needs authenticate/],
    [
      "3 without authenticate",
      () => ({ securityProfile: 3, tls: { ...central, ca: cpo.certificate } }),
      /securityProfile 3 needs authenticate/,
    ],
    ["2 without tls", () => ({ ...listening(1), securityProfile: 2 }), /needs tls with the cert and the key/],
    [
      "2 without a key",
      () => ({ ...listening(2), tls: { cert: central.cert } }),
      /needs tls with the cert and the key/,
    ],
    ["3 without a ca", () => ({ ...listening(3), tls: central }), /securityProfile 3 needs tls\.ca/],
    ["3 without any ca", () => ({ ...listening(3), tls: { ...central, ca: [] } }), /securityProfile 3 needs tls\.ca/],
    ["0 with tls", () => ({ tls: central }), /securityProfile 0 has no TLS\. Use profile 2 or 3/],
    ["1 with tls", () => ({ ...listening(1), tls: central }), /securityProfile 1 has no TLS\. Use profile 2 or 3/],
    ["4", () => ({ securityProfile: 4 as SecurityProfile }), /^securityProfile is 4\. Give 0 or 1 or 2 or 3\.$/],
    ["toString", () => ({ securityProfile: "toString" as never }), /^securityProfile is "toString"\. Give /],
  ];

  test.each(incomplete)(
    "keep a Central System from starting: profile %s [SEC-A00-004] [SEC-A00-305] [SEC-A00-306] [SEC-A00-410] [trap 13]",
    async (_, options, message) => {
      const started = listen(new CentralSystem(), options());
      await expect(started).rejects.toThrow(TypeError);
      await expect(started).rejects.toThrow(message);
    },
  );

  const contradictory: [string, () => ConnectOptions, RegExp][] = [
    [
      "1 without a password",
      () => ({ securityProfile: 1 }),
      /securityProfile 1 needs an authorizationKey of at least 16/,
    ],
    ["2 without a password", () => ({ securityProfile: 2 }), /securityProfile 2 needs an authorizationKey/],
    [
      "2 with 15 bytes",
      () => ({ securityProfile: 2, authorizationKey: new Uint8Array(15) }),
      /securityProfile 2 needs an authorizationKey of at least 16 bytes/,
    ],
    [
      "3 without a certificate",
      () => ({ securityProfile: 3, tls: trusting() }),
      /securityProfile 3 needs tls with the cert/,
    ],
    [
      "3 with the name of a file",
      () => ({ securityProfile: 3, tls: { ...trusting(chargePoint), ca: "root.pem" } }),
      /tls cannot be used: /,
    ],
    ["3 with nothing", () => ({ securityProfile: 3 }), /securityProfile 3 needs tls with the cert/],
    ["4", () => ({ securityProfile: 4 as SecurityProfile }), /^securityProfile is 4\. Give 0 or 1 or 2 or 3\.$/],
  ];

  test.each(contradictory)("keep a Charge Point from connecting: profile %s [SEC-A00-004]", (_, options, message) => {
    expect(() => connect(options())).toThrow(TypeError);
    expect(() => connect(options())).toThrow(message);
  });

  test.each([
    [1, "wss", "ws"],
    [2, "ws", "wss"],
    [3, "ws", "wss"],
  ] as const)(
    "keep one of profile %i from a %s URL, and nothing is sent [SEC-A00-005]",
    async (profile, scheme, needed) => {
      const { listener, refused } = await openEndpoint();
      const url = listener.url.replace(/^ws/, scheme);
      const attempt = connect(connecting(profile))({ url, identity: "CP001" });
      await expect(attempt).rejects.toThrow(TypeError);
      await expect(attempt).rejects.toThrow(`securityProfile ${profile} needs a URL that begins with "${needed}:"`);
      expect(refused).toEqual([]);
    },
  );
});

describe("isChargePointCertificate", () => {
  const subject = { organizationName: "Example CPO", serialNumber: "CP001" };
  let certificate: X509Certificate;

  beforeAll(async () => {
    const { X509Certificate } = await import("node:crypto");
    certificate = new X509Certificate(chargePoint.cert);
  });

  test("is true for the owner and the serial number in the subject [SEC-A00-404] [SEC-A00-405]", () => {
    expect(isChargePointCertificate(certificate, subject)).toBe(true);
  });

  test.each([
    { ...subject, serialNumber: "CP00" },
    { ...subject, serialNumber: "CP0011" },
    { ...subject, serialNumber: "cp001" },
    { ...subject, serialNumber: "" },
    { ...subject, organizationName: "Example" },
    { ...subject, organizationName: "" },
  ])("is false for any other: %j", (other) => {
    expect(isChargePointCertificate(certificate, other)).toBe(false);
  });

  test("is false for a Charge Point whose name is not known, whatever its certificate lacks", async () => {
    const { X509Certificate } = await import("node:crypto");
    const unknown = undefined as never;
    const withoutName = new X509Certificate((await cpo.issue({ commonName: "", organizationName: "O" })).cert);
    expect(isChargePointCertificate(withoutName, { organizationName: "O", serialNumber: unknown })).toBe(false);
    const withoutOwner = new X509Certificate((await cpo.issue({ commonName: "CP001" })).cert);
    expect(isChargePointCertificate(withoutOwner, { organizationName: unknown, serialNumber: "CP001" })).toBe(false);
  });

  test("is false for no certificate, and for one without a subject", async () => {
    const { X509Certificate } = await import("node:crypto");
    const { cert } = await cpo.issue({ commonName: "" });
    expect(isChargePointCertificate(undefined, subject)).toBe(false);
    expect(isChargePointCertificate(new X509Certificate(cert), subject)).toBe(false);
  });
});

test("refused handshakes leave no socket behind, at either end [trap 19]", async () => {
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
  const before = sockets();
  const { central: system, listener, refused } = await openEndpoint(listening(3));
  const expired = { securityProfile: 3, tls: trusting(await ofChargePoint({ days: days.past })) } as const;
  const untrusting = { securityProfile: 3, tls: { ...chargePoint, ca: stranger.certificate } } as const;
  for (const options of [expired, untrusting, expired, untrusting]) await failure(listener.url, options);
  await failure(listener.url.replace("wss", "ws"), {});
  await vi.waitFor(() => expect([sockets(), refused.length]).toEqual([before, 5]));
  await dial(listener.url, connecting(3));
  expect(system.get("CP001")).toBeDefined();
});
