import type { CertificateTools, ReadCertificate } from "../../src/certificates/certificate-tools.ts";

/** A certificate as one line of JSON. */
export interface FakeCertificate {
  readonly name: string;
  /** The name of its issuer. */
  readonly issuer: string;
  readonly key: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly mayIssue: boolean;
  readonly organizationName: string;
  readonly commonName: string;
}

export const fakePem = (certificate: FakeCertificate): string => `${JSON.stringify(certificate)}\n`;
const parsed = (pem: string): FakeCertificate => JSON.parse(pem.trim().split("\n")[0] ?? "");

/** Tools without any cryptography, for many certificates. */
export function fakeTools(): CertificateTools {
  let keys = 0;
  const read = (line: string): ReadCertificate => {
    const { commonName, issuer, mayIssue, name, notAfter, notBefore, organizationName } = parsed(line);
    return {
      pem: `${line}\n`,
      notBefore,
      notAfter,
      organizationNames: [organizationName],
      commonNames: [commonName],
      isSelfIssued: issuer === name,
      mayIssue,
      mayAuthenticate: !mayIssue,
      maySign: !mayIssue,
      isStrong: true,
    };
  };
  return {
    read: async (pem) => pem.trim().split("\n").map(read),
    isIssuedBy: async (pem, issuer) => parsed(pem).issuer === parsed(issuer).name,
    hashData: async (pem, issuer, hashAlgorithm) => ({
      hashAlgorithm,
      issuerNameHash: parsed(issuer).name,
      issuerKeyHash: parsed(issuer).name,
      serialNumber: parsed(pem).name,
    }),
    newKey: async () => `PRIVATE ${++keys}`,
    isKeyOf: async (key, pem) => parsed(pem).key === key.replace("PRIVATE", "PUBLIC"),
    request: async (key) => key.replace("PRIVATE", "request for PUBLIC"),
    isRevoked: async () => false,
  };
}
