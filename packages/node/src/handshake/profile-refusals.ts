/*
 * Why opening handshakes are refused that are not of the expected security profile, and TLS handshakes that fail: the doctor
 * of a Central System where TLS is concerned. That of a Charge Point is in diagnosis.ts, other refusals in refusals.ts.
 */
import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { cipherSuites, rulesOf, type SecurityProfile, tlsVersions } from "../tls/security-profile.ts";
import { codeOf, sslErrors, textOf } from "../tls/tls-errors.ts";
import { shortestPassword } from "./basic-authorization.ts";
import { noCredentials, type Refusal } from "./refusals.ts";

/** The certificate that a peer has shown, if it has been verified. */
export function certificateOf(socket: Socket): X509Certificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  // `authorized` says too much. It stays true when a later handshake, by renegotiation, has brought another certificate
  // that is not valid; only then there is an error, too. And it is true for a resumed session of TLS 1.3 without any.
  return socket.authorizationError ? undefined : socket.getPeerX509Certificate();
}

/**
 * Why a peer does not keep to the security profile; `undefined` when it does.
 *
 * @param password - That of its `Authorization` header.
 * @spec security white paper §2 [SEC-A00-002, SEC-A00-205, SEC-A00-313, SEC-A00-403, SEC-A00-407]
 */
export function refusalOfProfile(
  securityProfile: SecurityProfile,
  socket: Socket,
  password: Uint8Array | undefined,
): Refusal | undefined {
  const { basic, clientCertificate, scheme } = rulesOf(securityProfile);
  if (scheme === "wss") {
    const refusal = refusalOfChannel(socket);
    if (refusal !== undefined) return refusal;
  }
  if (clientCertificate && certificateOf(socket) === undefined) return refusalOfCertificate(socket as TLSSocket);
  if (!basic) return undefined;
  if (password === undefined) return noCredentials;
  return password.length < shortestPassword ? shortPassword : undefined;
}

/** SEC-A00-313: the version in use is checked; here it is the only check where the server is the application's. */
function refusalOfChannel(socket: Socket): Refusal | undefined {
  if (!(socket instanceof TLSSocket)) return noTls;
  const version = socket.getProtocol();
  if (version === null || !tlsVersions.includes(version)) return weakVersion(`speaks ${version}`);
  const { name } = socket.getCipher();
  return cipherSuites.includes(name) ? undefined : weakCipher(`uses the cipher suite ${name}`);
}

function refusalOfCertificate(socket: TLSSocket): Refusal {
  const { authorizationError } = socket;
  const isShown = socket.getPeerX509Certificate() !== undefined;
  return isShown ? badCertificate(String(authorizationError)) : noCertificate;
}

/** What the verification of a Charge Point certificate finds out. The last row fits every code. */
const certificateFaults: readonly (readonly [codes: RegExp, what: string, advice: string])[] = [
  [/^CERT_HAS_EXPIRED$/, "has expired", "Have the Charge Point renew it, or replace it there."],
  [/^CERT_NOT_YET_VALID$/, "is not valid yet", "Check its validity, and the clock of this machine."],
  [/^CERT_REVOKED$/, "is revoked", "Replace it in the Charge Point, or correct tls.crl."],
  [/CRL/, "could not be looked for in the lists of revoked ones", "Give a current list of each authority as tls.crl."],
  [
    /ISSUER|VERIFY_LEAF|SELF_SIGNED/,
    "is from nobody who is trusted here",
    "Give the certificate of its authority as tls.ca; those between the two are for the Charge Point to send.",
  ],
  [/^INVALID_PURPOSE$/, "is not made for TLS clients", "Replace it with one whose extended key usage allows that."],
  [/^/, "cannot be trusted", "Replace it with one that the security white paper allows."],
];

/** `code` is what Node calls it. */
function badCertificate(code: string): Refusal {
  const [, what = "", advice = ""] = certificateFaults.find(([codes]) => codes.test(code)) ?? [];
  return { reason: "certificate", status: 403, message: `The certificate of the peer ${what}: ${code}.`, advice };
}

/** It was revoked after TLS had looked. */
export const revokedCertificate: Refusal = badCertificate("CERT_REVOKED");

const noCertificate: Refusal = {
  reason: "certificate",
  status: 403,
  message: "The peer has shown no certificate.",
  advice:
    "Install one in the Charge Point, or expect another securityProfile; an https server of your own needs requestCert.",
};

/** `authenticate` has refused a certificate. */
export const otherCertificate: Refusal = {
  reason: "certificate",
  status: 403,
  message: "The certificate of the peer is not that of this Charge Point.",
  advice:
    "Compare its subject with what authenticate expects: the owner as O, the serial number of the Charge Point as CN.",
  body: "This is not the certificate of this Charge Point. Check its identity and the subject of its certificate.",
};

const shortPassword: Refusal = {
  ...noCredentials,
  message: `The password in the Authorization header has less than ${shortestPassword} bytes.`,
  advice: `Set an AuthorizationKey of ${shortestPassword} to 20 random bytes.`,
};

const noTls: Refusal = {
  reason: "tls",
  status: 403,
  message: "The peer does not speak TLS.",
  advice: 'Correct the URL in the Charge Point from "ws:" to "wss:", and its SecurityProfile to the one expected here.',
};

const weakVersion = (what: string): Refusal => ({
  reason: "tls-version",
  status: 403,
  message: `The peer ${what}.`,
  advice: "The Charge Point needs TLS 1.2 or later; a firmware update may have it.",
});

const weakCipher = (what: string): Refusal => ({
  reason: "tls-cipher",
  status: 403,
  message: `The peer ${what}.`,
  advice:
    "Give certificates of both kinds, ECDSA and RSA, for the suites that the Charge Point knows; if it knows none that is " +
    "allowed, it needs a firmware update.",
});

/** A refusal that the peer is not told: there is no channel to tell it through. */
const untold = ({ status, ...refusal }: Refusal): Refusal => refusal;

/**
 * Why a TLS handshake failed; `undefined` when there was none, but a peer that came and went.
 *
 * @param bytesRead - How many bytes the peer had sent.
 */
export function refusalOfTls(error: Error, socket: TLSSocket, bytesRead: number): Refusal | undefined {
  const code = codeOf(error);
  // A server that refuses the certificates itself says only by this property why it has hung up.
  const { authorizationError } = socket as { readonly authorizationError?: unknown };
  if (authorizationError) return untold(badCertificate(String(authorizationError)));
  if (/NOT_RETURN_A_CERTIFICATE$/.test(code)) return untold(noCertificate);
  if (/^ERR_SSL_(EE|CA)_/.test(code)) return untold(badCertificate(code));
  if (sslErrors.withoutTls.test(code)) return untold(noTls);
  if (sslErrors.version.test(code)) return untold(weakVersion("speaks no version of TLS that is allowed here"));
  if (sslErrors.cipher.test(code)) return untold(weakCipher("has no cipher suite in common with this end"));
  if (sslErrors.certificateRefused.test(code)) return refusedCertificate(textOf(error));
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return slowTls;
  if (code !== "ECONNRESET") return otherTls(textOf(error));
  return bytesRead === 0 ? undefined : hangUp;
}

const refusedCertificate = (alert: string): Refusal => ({
  reason: "certificate-refused",
  message: `The peer does not accept the certificate of this Central System: ${alert}.`,
  advice:
    "Check its validity, that tls.cert holds the certificates of all intermediate authorities, and that the Charge Point " +
    "has the root certificate.",
});

const hangUp: Refusal = {
  reason: "tls",
  message: "The peer has hung up during the TLS handshake.",
  advice: "It may not accept the certificate of this Central System: check what the Charge Point logs.",
};

const slowTls: Refusal = {
  reason: "timeout",
  message: "The peer took too long over the TLS handshake.",
  advice: "Check the network of the Charge Point; a port scanner or a health check can be ignored.",
};

const otherTls = (what: string): Refusal => ({
  reason: "tls",
  message: `The TLS handshake failed: ${what}.`,
  advice: "Check that a Charge Point speaks here, and what it logs; a port scanner can be ignored.",
});
