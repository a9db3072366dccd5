/*
 * Keys of the own, and the requests with which certificates for them are asked for. @peculiar/x509 is loaded when the first
 * request is made.
 */
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";

/** Kinds of keys, by the words of WebCrypto. [SEC-A00-502, SEC-A00-503, SEC-A00-506] */
const algorithms = {
  ECDSA: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RSA: { name: "RSASSA-PKCS1-v1_5", publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
} as const;

/** Which keys are made. */
export interface KeyOptions {
  /** `RSA` or `ECDSA`, which is P-256. Default `ECDSA`. */
  readonly keyType?: "ECDSA" | "RSA" | undefined;
  /** How long an RSA key is, in bits. Default 3072. */
  readonly modulusLength?: 2048 | 3072 | 4096 | undefined;
}

/** Makes a private key: PKCS #8 in PEM. */
export async function newKey({ keyType = "ECDSA", modulusLength = 3072 }: KeyOptions): Promise<string> {
  const algorithm = keyType === "RSA" ? { ...algorithms.RSA, modulusLength } : algorithms.ECDSA;
  const { privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  return pemOf("PRIVATE KEY", der);
}

/** Who a certificate is asked for. */
export interface RequestedSubject {
  /** O: who owns the Charge Point. */
  readonly organizationName: string;
  /** CN: its serial number. */
  readonly commonName: string;
}

/**
 * Makes a PKCS #10 request in PEM.
 *
 * @param key - The private key: PEM, ECDSA on P-256 or RSA.
 * @throws Error The key is none of these.
 * @spec RFC 2986 [SEC-A02-03, SEC-A02-13]
 */
export async function certificateRequest(
  key: string,
  { commonName, organizationName }: RequestedSubject,
): Promise<string> {
  const privateKey = createPrivateKey(key);
  const algorithm = privateKey.asymmetricKeyType === "rsa" ? algorithms.RSA : algorithms.ECDSA;
  const keys = {
    privateKey: await imported("pkcs8", privateKey, algorithm, "sign"),
    publicKey: await imported("spki", createPublicKey(key), algorithm, "verify"),
  };
  const { Name, Pkcs10CertificateRequestGenerator } = await x509();
  // A plain string would be taken apart: quotes, and `#` at its beginning, mean something there.
  const name = new Name([{ O: [{ utf8String: organizationName }] }, { CN: [{ utf8String: commonName }] }]);
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name, keys, signingAlgorithm: algorithm },
    webcrypto as never,
  );
  return `${request.toString("pem")}\n`;
}

const imported = (
  format: "pkcs8" | "spki",
  key: KeyObject,
  algorithm: (typeof algorithms)[keyof typeof algorithms],
  use: "sign" | "verify",
): Promise<webcrypto.CryptoKey> => {
  const der = key.export({ format: "der", type: format as "pkcs8" });
  return webcrypto.subtle.importKey(format, der, algorithm, true, [use]);
};

const pemOf = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{64}(?=.)/g, "$&\n")}\n-----END ${label}-----\n`;

type Metadata = { getMetadata?: unknown; getOwnMetadata?: unknown };

/**
 * Loads @peculiar/x509. A package that it is made of asks `Reflect` for types of constructor parameters while it is imported,
 * and its classes have none: what answers that is there for as long as that takes, where nothing else does.
 */
async function x509(): Promise<typeof import("@peculiar/x509")> {
  const reflect = Reflect as Metadata;
  if (reflect.getMetadata !== undefined) return import("@peculiar/x509");
  const none = (): undefined => undefined;
  Object.assign(reflect, { getMetadata: none, getOwnMetadata: none });
  try {
    return await import("@peculiar/x509");
  } finally {
    if (reflect.getMetadata === none) delete reflect.getMetadata;
    if (reflect.getOwnMetadata === none) delete reflect.getOwnMetadata;
  }
}
