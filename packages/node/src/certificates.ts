import { createPrivateKey, type X509Certificate } from "node:crypto";
import { type OptionRules, optionRules, takeOptions } from "@ocppj/core";
import { type CertificateHashData, hashDataOf } from "./certificates/hash-data.ts";
import { certificateRequest, type KeyOptions, newKey, type RequestedSubject } from "./certificates/own-key.ts";
import { factsOf, type ReadCertificate, readCertificates } from "./certificates/read-certificate.ts";
import { isRevoked, readRevocationLists } from "./tls/revocation-list.ts";

export type { CertificateHashData, KeyOptions, ReadCertificate, RequestedSubject };

/** What a `Charger` needs to have done with certificates and keys: the option `tools` of its `certificates`. */
export interface NodeCertificateTools {
  read(pem: string): Promise<readonly ReadCertificate[]>;
  isIssuedBy(certificate: string, issuer: string): Promise<boolean>;
  hashData(
    certificate: string,
    issuer: string,
    hashAlgorithm: CertificateHashData["hashAlgorithm"],
  ): Promise<CertificateHashData>;
  newKey(): Promise<string>;
  isKeyOf(key: string, certificate: string): Promise<boolean>;
  request(key: string, subject: RequestedSubject): Promise<string>;
  isRevoked(certificate: string, lists: string): Promise<boolean>;
}

const keyRules: OptionRules<KeyOptions> = {
  keyType: optionRules.oneOf("ECDSA", "RSA"),
  modulusLength: optionRules.oneOf(2048, 3072, 4096),
};

/**
 * X.509 and keys by what Node has: private keys are PEM, in the store of the charger. Who has hardware for keys writes tools
 * of their own around these, see docs/security-profiles.md.
 *
 * @param options - Which keys are made.
 * @throws TypeError One of the options is not what it may be, or there is no such option.
 * @spec security white paper §2.6, A02, M03 … M05 [SEC-A00-501 … SEC-A00-512, SEC-A02-02, SEC-A02-03]
 */
export function certificateTools(options: KeyOptions = {}): NodeCertificateTools {
  const taken = takeOptions("certificateTools", options, keyRules);
  return {
    read: async (pem) => readCertificates(pem).map(factsOf),
    isIssuedBy: async (pem, issuerPem) => {
      const [certificate, issuer] = [only(pem), only(issuerPem)];
      return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
    },
    hashData: async (pem, issuer, hashAlgorithm) => hashDataOf(only(pem), only(issuer), hashAlgorithm),
    newKey: () => newKey(taken),
    isKeyOf: async (key, pem) => only(pem).checkPrivateKey(createPrivateKey(key)),
    request: certificateRequest,
    isRevoked: async (pem, lists) => isRevoked(only(pem), readRevocationLists([lists])),
  };
}

/** The first certificate of a PEM text. @throws Error There is none. */
const only = (pem: string): X509Certificate => readCertificates(pem)[0] as X509Certificate;
