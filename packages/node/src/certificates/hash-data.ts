import { createHash, type X509Certificate } from "node:crypto";
import { bytesOf, contentOf, type Element, elementAt, elementsOf, fieldsOf, hexOf } from "../tls/der.ts";

/** What OCPP calls a certificate by. [SEC-TYP-01] */
export interface CertificateHashData {
  readonly hashAlgorithm: "SHA256" | "SHA384" | "SHA512";
  readonly issuerNameHash: string;
  readonly issuerKeyHash: string;
  readonly serialNumber: string;
}

/**
 * The hash data of a certificate, as OCSP has them: of the name of its issuer as it is encoded, and of the key of its issuer
 * without its algorithm. All in lower-case hexadecimal.
 *
 * @spec RFC 6960 §4.1.1; security white paper §6.1 [SEC-TYP-01]
 */
export function hashDataOf(
  { raw }: X509Certificate,
  issuer: X509Certificate,
  hashAlgorithm: CertificateHashData["hashAlgorithm"],
): CertificateHashData {
  const [serialNumber, , issuerName] = fieldsOf(raw) as readonly [Element, Element, Element];
  const hash = (bytes: Buffer): string => createHash(hashAlgorithm).update(bytes).digest("hex");
  return {
    hashAlgorithm,
    issuerNameHash: hash(bytesOf(raw, issuerName)),
    issuerKeyHash: hash(keyOf(issuer)),
    serialNumber: hexOf(raw, serialNumber).replace(/^0+(?=.)/, ""),
  };
}

/** The bits of a public key; the octet before them says that none of the last one is unused. */
function keyOf({ publicKey }: X509Certificate): Buffer {
  const spki = publicKey.export({ format: "der", type: "spki" });
  const [, bits] = elementsOf(spki, elementAt(spki, 0)) as [Element, Element];
  return contentOf(spki, bits).subarray(1);
}
