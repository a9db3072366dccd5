import type { Conf, Req } from "@ocppj/core";

/** What OCPP calls a certificate by. @spec security white paper §6.1 [SEC-TYP-01] */
export type CertificateHashData = Req<"DeleteCertificate">["certificateHashData"];

/** What a certificate is for. */
export type RootType = Req<"GetInstalledCertificateIds">["certificateType"];

/** The status of CertificateSigned, InstallCertificate or DeleteCertificate. */
export type CertificateStatus<A extends "CertificateSigned" | "DeleteCertificate" | "InstallCertificate"> =
  Conf<A>["status"];

/** What is to be known of a certificate. Times are in milliseconds since the epoch. */
export interface ReadCertificate {
  /** This one alone, PEM: of equal certificates the same text. */
  readonly pem: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** O and CN of its subject. */
  readonly organizationNames: readonly string[];
  readonly commonNames: readonly string[];
  /** Whether issuer and subject have the same name, as those of a root have. */
  readonly isSelfIssued: boolean;
  /** Whether it may issue others: it is marked as an authority, and its key usage allows it. */
  readonly mayIssue: boolean;
  /** Whether it may be shown in TLS by who connects, and is no authority. */
  readonly mayAuthenticate: boolean;
  /** Whether it may sign firmware, and is no authority. */
  readonly maySign: boolean;
  /** Whether its key and its signature are as strong as the white paper wants them. [SEC-A00-501 … SEC-A00-504] */
  readonly isStrong: boolean;
}

/**
 * What a charger needs to have done with X.509 and keys: `certificateTools()` of `@ocppj/node/certificates`, or tools of the
 * maker's around a chip that keeps keys. What they reject with becomes a refusal, or is told as it is: it must not contain
 * a key.
 */
export interface CertificateTools {
  /**
   * Reads every certificate of a PEM text, in its order, whatever is around them.
   *
   * @throws There is none, or one cannot be read.
   */
  read(pem: string): Promise<readonly ReadCertificate[]>;
  /** Whether a certificate has the name and the signature of another one that may issue it. */
  isIssuedBy(certificate: string, issuer: string): Promise<boolean>;
  /** The hash data of a certificate, as OCSP has them; in hexadecimal. */
  hashData(
    certificate: string,
    issuer: string,
    hashAlgorithm: CertificateHashData["hashAlgorithm"],
  ): Promise<CertificateHashData>;
  /**
   * Makes a private key that nobody has had before.
   *
   * @returns What it is called from now on, in the store and in what `connect` is given: its PEM, or its name in a chip.
   */
  newKey(): Promise<string>;
  /** Whether a private key is that of a certificate. */
  isKeyOf(key: string, certificate: string): Promise<boolean>;
  /** Makes a PKCS #10 request in PEM, signed with a private key. @spec RFC 2986 */
  request(key: string, subject: { readonly organizationName: string; readonly commonName: string }): Promise<string>;
  /** Whether one of the lists in a PEM text revokes a certificate. */
  isRevoked(certificate: string, lists: string): Promise<boolean>;
}
