import { constants, X509Certificate } from "node:crypto";
import {
  checkServerIdentity,
  createSecureContext,
  type TlsOptions as NodeTlsOptions,
  type PeerCertificate,
  type SecureContextOptions,
} from "node:tls";
import { type OptionRule, type OptionRules, optionRules, takeOptions } from "@ocppj/core";
import { OwnCertificates } from "./own-certificates.ts";
import { readRevocationLists } from "./revocation-list.ts";

/**
 * A security profile of the security white paper; 0 is plain OCPP-J, which has none.
 *
 * 1: unsecured transport with HTTP Basic authentication. 2: TLS with HTTP Basic authentication. 3: TLS with client
 * certificates.
 *
 * @spec security white paper §2 [SEC-A00-001]
 */
export type SecurityProfile = 0 | 1 | 2 | 3;

/** What a security profile asks for. */
interface SecurityProfileRules {
  /** The scheme of the connection URL; `undefined` where both will do. */
  readonly scheme: "ws" | "wss" | undefined;
  /** Whether the Charge Point authenticates with its AuthorizationKey, by HTTP Basic. */
  readonly basic: boolean;
  /** Whether the Charge Point authenticates with its certificate. */
  readonly clientCertificate: boolean;
}

/** The security profiles as one table, for both sides. [SEC-A00-305, SEC-A00-311, SEC-A00-415] */
export const securityProfiles: Readonly<Record<SecurityProfile, SecurityProfileRules>> = {
  0: { scheme: undefined, basic: false, clientCertificate: false },
  1: { scheme: "ws", basic: true, clientCertificate: false },
  2: { scheme: "wss", basic: true, clientCertificate: false },
  3: { scheme: "wss", basic: false, clientCertificate: true },
};

/** The TLS versions of the profiles 2 and 3, oldest first. [SEC-A00-312, SEC-A00-416] */
export const tlsVersions: readonly string[] = ["TLSv1.2", "TLSv1.3"];

/**
 * The cipher suites of the profiles 2 and 3, best first, in the words of OpenSSL: those of TLS 1.3, those with forward
 * secrecy, then the two with an RSA key exchange that SEC-A00-317 demands of a Central System, and SEC-A00-318 and SEC-A00-422 of a Charge Point. All of them are authenticated encryption.
 */
export const cipherSuites: readonly string[] = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "AES256-GCM-SHA384",
  "AES128-GCM-SHA256",
];

/**
 * Level 2 of OpenSSL is 112 bits of security: keys of at least 2048 bits of RSA or 224 of an elliptic curve, in every
 * certificate of a chain, no SHA-1. [SEC-A00-501 … SEC-A00-506]
 */
const tlsPolicy = {
  minVersion: "TLSv1.2",
  ciphers: `${cipherSuites.join(":")}:@SECLEVEL=2`,
  honorCipherOrder: true,
} as const satisfies SecureContextOptions;

/**
 * Says at once that a runtime cannot refuse weak keys: BoringSSL, which Bun and Electron have in the place of OpenSSL,
 * knows no such levels.
 *
 * @throws TypeError The profile has TLS, and that of the runtime will not do.
 */
export function requireSecurityLevel(securityProfile: SecurityProfile): void {
  if (rulesOf(securityProfile).scheme !== "wss") return;
  try {
    createSecureContext(tlsPolicy);
  } catch (cause) {
    throw new TypeError(
      `securityProfile ${securityProfile} has to refuse weak keys, which the TLS of this runtime cannot. Use Node.js, whose OpenSSL can.`,
      { cause },
    );
  }
}

type Pem = string | Buffer;

/** Certificates and keys for TLS, all of them PEM. [SEC-A00-507] */
export interface TlsOptions {
  /**
   * The certificates of those who may issue the certificate of the other side: what is in the PEM files, not their names.
   * Default: the authorities that Node trusts, for the certificate of a Central System; none for those of Charge Points.
   */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /**
   * The own certificate, followed by those between it and the one that the other side has. An array holds several, of
   * which the best is taken that the other side can use: a Central System has one of ECDSA and one of RSA. [SEC-A00-317]
   * With `listen` those of one kind may be of different names: a Charge Point is shown that of the name in its URL (SNI), or else
   * the first. One of another kind must then have all these names.
   */
  readonly cert?: Pem | readonly Pem[] | undefined;
  /** The private key of each certificate. */
  readonly key?: Pem | readonly Pem[] | undefined;
  /** What the private keys are encrypted with. Default: nothing. */
  readonly passphrase?: string | undefined;
  /**
   * Lists of revoked certificates, one of each authority in the chain, as many as you like in each text. The `file:` URL of
   * one is read, and with `listen` again whenever it changes. Default: none, nothing is revoked.
   */
  readonly crl?: Pem | URL | readonly (Pem | URL)[] | undefined;
}

/** The option `tls`; what is in it is looked at by {@link takeTls}. */
export const tlsRule: OptionRule = optionRules.object("an object with cert, key, ca");

/** The option `securityProfile`. */
export const securityProfileRule: OptionRule = optionRules.oneOf(0, 1, 2, 3);

const isPem = (pem: unknown): boolean => typeof pem === "string" || Buffer.isBuffer(pem);

const pemRule: OptionRule = optionRules.secret({
  give: "PEM as a string or a Buffer, or a list of these",
  takes: (pem) => (Array.isArray(pem) ? pem.every(isPem) : isPem(pem)),
});

const isSource = (source: unknown): boolean => isPem(source) || (source instanceof URL && source.protocol === "file:");

const crlRule: OptionRule = optionRules.secret({
  give: "PEM as a string or a Buffer, the file: URL of one, or a list of these",
  takes: (crl) => (Array.isArray(crl) ? crl.every(isSource) : isSource(crl)),
});

const tlsRules: OptionRules<TlsOptions> = {
  ca: pemRule,
  cert: pemRule,
  key: pemRule,
  passphrase: optionRules.secret(optionRules.text),
  crl: crlRule,
};

/** Takes certificates and keys, so that what is checked is what is used. @throws TypeError One of them is none. */
export function takeTls(tls: TlsOptions): TlsOptions {
  const taken = takeOptions("tls", tls, tlsRules);
  const copy = (pem: Pem | URL): Pem | URL => (Buffer.isBuffer(pem) ? Buffer.from(pem) : pem);
  return Object.fromEntries(
    Object.entries(taken).map(([name, pem]) => [name, Array.isArray(pem) ? pem.map(copy) : copy(pem as Pem | URL)]),
  );
}

/** What a server with TLS is made of. */
export type ServerTls = SecureContextOptions & Pick<NodeTlsOptions, "requestCert" | "rejectUnauthorized">;

/**
 * The TLS settings of a Central System's own server; `undefined` where the profile has no TLS.
 *
 * @throws TypeError `tls` is not what the profile needs.
 */
export function listeningTls(securityProfile: SecurityProfile, given: TlsOptions | undefined): ServerTls | undefined {
  const tls = given && takeTls(given);
  const { scheme, clientCertificate } = rulesOf(securityProfile);
  if (scheme !== "wss") {
    if (tls === undefined) return undefined;
    throw new TypeError(`securityProfile ${securityProfile} has no TLS. Use profile 2 or 3, or leave tls out.`);
  }
  requireSecurityLevel(securityProfile);
  // SEC-A00-306, SEC-A00-410
  if (!hasOwn(tls)) {
    throw new TypeError(
      `securityProfile ${securityProfile} needs tls with the cert and the key of the Central System.`,
    );
  }
  // The peer of a request is who has shaken hands at first: nobody else may take over in a second handshake. [SEC-A00-403]
  const once = { ...tlsPolicy, secureOptions: constants.SSL_OP_NO_RENEGOTIATION };
  if (!clientCertificate) return secureContext(tls, once);
  if (!isGiven(tls.ca)) {
    throw new TypeError(
      "securityProfile 3 needs tls.ca, the certificates of those who issue Charge Point certificates.",
    );
  }
  return {
    ...secureContext(tls, once),
    requestCert: true,
    // Who has no valid certificate is refused by an HTTP answer, so that both sides know why. Node would just hang up.
    rejectUnauthorized: false,
    // A resumed session would let a certificate in without looking at it again. [SEC-A00-403]
    secureOptions: once.secureOptions | constants.SSL_OP_NO_TICKET,
  };
}

/**
 * The TLS settings with which a Charge Point connects.
 *
 * @throws TypeError `tls` is not what the profile needs.
 */
export function connectingTls(securityProfile: SecurityProfile, given: TlsOptions = {}) {
  const tls = takeTls(given);
  requireSecurityLevel(securityProfile);
  const { scheme, clientCertificate } = rulesOf(securityProfile);
  if (clientCertificate && !hasOwn(tls)) {
    throw new TypeError("securityProfile 3 needs tls with the cert and the key of the Charge Point.");
  }
  // The certificate of the Charge Point is for profile 3 only. Without a profile, tls is what its owner makes of it.
  const { cert, key, passphrase, ...checking } = tls;
  const used = clientCertificate || scheme === undefined ? tls : checking;
  // What is in `ca` is trusted, also a root that the one before it has issued. [SEC-M05-15]
  const policy = { ...(scheme !== undefined && tlsPolicy), allowPartialTrustChain: true };
  return {
    ...new OwnCertificates(secureContext(used, policy)).usual,
    // Said explicitly, because an environment variable of Node turns it off. [SEC-A00-307, SEC-A00-411]
    rejectUnauthorized: true,
    checkServerIdentity: checkCentralSystem,
  };
}

/** The files that TLS settings are read from. */
export const filesOf = ({ crl = [] }: TlsOptions): URL[] => [crl].flat().filter((source) => source instanceof URL);

const isGiven = (pem: TlsOptions["ca"]): boolean => [pem ?? []].flat().length > 0;

/** Whether there is a certificate to show, and a key. */
const hasOwn = (tls: TlsOptions | undefined): tls is TlsOptions => isGiven(tls?.cert) && isGiven(tls?.key);

/** The row of a profile. */
export const rulesOf = (securityProfile: SecurityProfile): SecurityProfileRules => securityProfiles[securityProfile];

/**
 * What Node makes a secure context of.
 *
 * @throws TypeError A certificate or a key cannot be read, or a certificate has no key.
 */
function secureContext(tls: TlsOptions, policy: SecureContextOptions): SecureContextOptions {
  if (Object.keys(tls).length === 0) return policy;
  const { passphrase } = tls;
  const [ca, cert, key] = [tls.ca, tls.cert, tls.key].map((pem) => (pem === undefined ? undefined : [pem].flat()));
  try {
    // Node reads one list of each text.
    const crl = tls.crl === undefined ? undefined : readRevocationLists([tls.crl].flat()).map(({ pem }) => pem);
    const options = { ...policy, ca, cert, key, crl, passphrase };
    new OwnCertificates(options).check();
    for (const pem of ca ?? []) new X509Certificate(pem); // Node ignores what is none.
    return options;
  } catch (cause) {
    throw new TypeError(`tls cannot be used: ${(cause as Error).message}. Check its certificates and keys.`, { cause });
  }
}

/**
 * Whether a certificate is that of the Central System at `host`.
 *
 * Its name may be a subjectAltName, as today's authorities write it, or the commonName, as the white paper wants it, which
 * counts beside subjectAltNames for other ways through the network. [SEC-A00-308, SEC-A00-412, SEC-A00-511]
 */
function checkCentralSystem(host: string, certificate: PeerCertificate): Error | undefined {
  const error = checkServerIdentity(host, certificate);
  if (error === undefined) return undefined;
  const { subjectaltname, ...commonNameOnly } = certificate;
  return checkServerIdentity(host, commonNameOnly as PeerCertificate) === undefined ? undefined : error;
}

/** What the owner of a Central System knows of a Charge Point's certificate. */
export interface ChargePointCertificateSubject {
  /** Who owns the Charge Point: the name of the CPO. */
  readonly organizationName: string;
  /** The unique serial number of the Charge Point; of many it is their identity. */
  readonly serialNumber: string;
}

/**
 * Whether the subject of a certificate is a Charge Point of the owner: its organizationName (O) is that of the owner, its
 * commonName (CN) the serial number.
 *
 * Both are compared as a whole, because `CP1` is contained in `CP10`, too. Whether the certificate is genuine is not asked
 * here: `listen` has seen to that.
 *
 * @param certificate - That of the attempt; `undefined` is nobody's.
 * @spec security white paper §2.5 [SEC-A00-404, SEC-A00-405, SEC-A00-511]
 */
export function isChargePointCertificate(
  certificate: X509Certificate | undefined,
  { organizationName, serialNumber }: ChargePointCertificateSubject,
): boolean {
  if (certificate === undefined) return false;
  // One value, or an array of several. Without any, not even a name that is `undefined` by mistake is among them.
  const { O = [], CN = [] }: { readonly O?: string | string[]; readonly CN?: string | string[] } =
    certificate.toLegacyObject().subject;
  return [O].flat().includes(organizationName) && [CN].flat().includes(serialNumber);
}
