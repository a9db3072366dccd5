import type { FirmwareSigner } from "../hardware/hardware.ts";

/** Whom firmware is taken from. Both may throw or take too long: then nothing is trusted. */
export interface FirmwareTrust {
  /**
   * Whether a certificate may sign firmware: by the rules of X.509, and issued by a root of the manufacturer.
   *
   * @param signingCertificate - PEM.
   * @spec Security white paper L01 [SEC-L01-12, SEC-L01-23 … SEC-L01-25]
   */
  check(signingCertificate: string): Promise<"Accepted" | "InvalidCertificate" | "RevokedCertificate">;
  /**
   * Whether a signature is one of the whole file, by the key of a certificate.
   *
   * @param file - As `download` has named it.
   * @param by.signature - Base64.
   * @param by.signingCertificate - PEM; it was checked before.
   * @spec Security white paper L01 [SEC-L01-04]
   */
  verify(file: string, by: FirmwareSigner): Promise<boolean>;
}
