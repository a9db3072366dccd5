import { X509Certificate } from "node:crypto";
import { contentOf, type Element, elementAt, elementsOf, fieldsOf, hexOf, tags } from "../tls/der.ts";

/** What is to be known of a certificate. Times are in milliseconds since the epoch. */
export interface ReadCertificate {
  /** This one alone, PEM without anything around it. */
  readonly pem: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** O and CN of its subject. */
  readonly organizationNames: readonly string[];
  readonly commonNames: readonly string[];
  /** Whether issuer and subject have the same name, as those of a root have. */
  readonly isSelfIssued: boolean;
  /** Whether it may issue others. */
  readonly mayIssue: boolean;
  /** Whether it may be shown in TLS by who connects. */
  readonly mayAuthenticate: boolean;
  /** Whether it may sign firmware. */
  readonly maySign: boolean;
  /** Whether its key and its signature are strong enough. */
  readonly isStrong: boolean;
}

/**
 * Reads every certificate of a PEM text, in its order.
 *
 * @throws Error There is none, one cannot be read, or the text holds something else besides.
 */
export function readCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN (X509 )?CERTIFICATE-----[^-]*-----END (X509 )?CERTIFICATE-----/g) ?? [];
  const begun = pem.split("-----BEGIN ").length - 1;
  if (blocks.length === 0 || blocks.length !== begun) {
    throw new Error(`Of ${begun} PEM blocks, ${blocks.length} are whole certificates.`);
  }
  return blocks.map((block) => new X509Certificate(block.replace(/X509 /g, "")));
}

/** @throws Error Its extensions or its algorithms cannot be read. */
export function factsOf(certificate: X509Certificate): ReadCertificate {
  const { O, CN } = certificate.toLegacyObject().subject as { readonly [name: string]: string | string[] | undefined };
  const isAuthority = isMarkedAuthority(certificate);
  const digitalSignature = hasKeyUsage(certificate, keyUsages.digitalSignature);
  return {
    pem: certificate.toString(),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    organizationNames: [O ?? []].flat(),
    commonNames: [CN ?? []].flat(),
    isSelfIssued: certificate.subject === certificate.issuer,
    mayIssue: isAuthority && hasKeyUsage(certificate, keyUsages.keyCertSign),
    mayAuthenticate: !isAuthority && digitalSignature && hasExtendedUsage(certificate, purposes.clientAuth),
    maySign: !isAuthority && digitalSignature && hasExtendedUsage(certificate, purposes.codeSigning),
    isStrong: hasStrongKey(certificate) && hasStrongSignature(certificate),
  };
}

/** RFC 5280 §4.2.1.3: bits of the first octet. */
const keyUsages = { digitalSignature: 0x80, keyCertSign: 0x04 } as const;

/** RFC 5280 §4.2.1.9. What Node calls `ca` depends on the key usage, too. */
function isMarkedAuthority({ raw }: X509Certificate): boolean {
  const value = extensionOf(raw, "551d13");
  const [flag] = value === undefined ? [] : elementsOf(raw, elementAt(raw, value.from));
  return flag?.tag === tags.boolean && hexOf(raw, flag) !== "00";
}

/** RFC 5280 §4.2.1.12 */
const purposes = {
  any: "2.5.29.37.0",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
} as const;

/** Where a certificate does not say what its key is for, it is for anything. [SEC-A00-512] */
function hasKeyUsage({ raw }: X509Certificate, usage: number): boolean {
  const value = extensionOf(raw, "551d0f");
  if (value === undefined) return true;
  const bits = contentOf(raw, elementAt(raw, value.from));
  return ((bits[1] ?? 0) & usage) !== 0;
}

function hasExtendedUsage({ keyUsage }: X509Certificate, purpose: string): boolean {
  // What Node calls keyUsage is the extended one; it is absent, in spite of its type, where the certificate has none.
  const extended: readonly string[] | undefined = keyUsage;
  return extended === undefined || extended.includes(purpose) || extended.includes(purposes.any);
}

/** The value of an extension, by its identifier in hexadecimal. */
function extensionOf(raw: Buffer, identifier: string): Element | undefined {
  const holder = fieldsOf(raw).find(({ tag }) => tag === tags.extensions);
  const [list] = holder === undefined ? [] : elementsOf(raw, holder);
  const extensions = list === undefined ? [] : elementsOf(raw, list).map((each) => elementsOf(raw, each));
  return extensions.find(([id]) => id !== undefined && hexOf(raw, id) === identifier)?.at(-1);
}

/** [SEC-A00-501 … SEC-A00-503] */
function hasStrongKey({ publicKey }: X509Certificate): boolean {
  const { modulusLength = 0, namedCurve = "" } = publicKey.asymmetricKeyDetails ?? {};
  switch (publicKey.asymmetricKeyType) {
    case "rsa":
    case "rsa-pss":
    case "dsa":
      return modulusLength >= 2048;
    case "ec":
      return Number(/\d{3}/.exec(namedCurve)?.[0] ?? 0) >= 224;
    case "ed25519":
    case "ed448":
      return true;
    default:
      return false;
  }
}

/** Signatures with SHA-2 of 256 bits or more, by their identifiers: RSA, ECDSA, DSA with SHA-256, Ed25519 and Ed448. */
const strongSignatures = new Set([
  ...["0b", "0c", "0d"].map((hash) => `2a864886f70d0101${hash}`),
  ...["02", "03", "04"].map((hash) => `2a8648ce3d0403${hash}`),
  "608648016503040302",
  ...["2b6570", "2b6571"],
]);
const rsaPss = "2a864886f70d01010a";
const strongHashes = new Set(["01", "02", "03"].map((hash) => `6086480165030402${hash}`));

/** [SEC-A00-504 … SEC-A00-506] */
function hasStrongSignature({ raw }: X509Certificate): boolean {
  const [, algorithm] = fieldsOf(raw);
  const [identifier, parameters] = algorithm === undefined ? [] : elementsOf(raw, algorithm);
  if (identifier === undefined) return false;
  const name = hexOf(raw, identifier);
  return name === rsaPss ? isStrongPss(raw, parameters) : strongSignatures.has(name);
}

/** RFC 4055 §3.1: without a hash algorithm, it is SHA-1. */
function isStrongPss(raw: Buffer, parameters: Element | undefined): boolean {
  const [hash] = parameters === undefined ? [] : elementsOf(raw, parameters);
  if (hash === undefined || hash.tag !== tags.version) return false;
  const [algorithm] = elementsOf(raw, hash);
  const [identifier] = algorithm === undefined ? [] : elementsOf(raw, algorithm);
  return identifier !== undefined && strongHashes.has(hexOf(raw, identifier));
}
