import { constants, createVerify, type KeyObject, X509Certificate } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/**
 * Whether a file has the signature of whoever has a certificate: RSA-PSS or ECDSA, with SHA-256. Whether the certificate is to
 * be believed is not asked here.
 *
 * @param signature - In base64.
 * @param signingCertificate - PEM.
 * @throws Error The file cannot be read.
 * @spec security white paper L01.FR.04, L01.FR.12 [SEC-L01-04, SEC-L01-12]
 */
export async function verifySignature(file: string, signature: string, signingCertificate: string): Promise<boolean> {
  const verifier = createVerify("sha256");
  await pipeline(createReadStream(file), verifier);
  try {
    const { publicKey } = new X509Certificate(signingCertificate);
    const padding = paddingOf(publicKey);
    return padding !== undefined && verifier.verify({ key: publicKey, ...padding }, signature, "base64");
  } catch {
    return false; // The certificate is none.
  }
}

/** PKCS #1 v1.5 is not among them. */
function paddingOf({ asymmetricKeyType }: KeyObject): { readonly padding?: number } | undefined {
  if (asymmetricKeyType === "ec") return {};
  const isRsa = asymmetricKeyType === "rsa" || asymmetricKeyType === "rsa-pss";
  return isRsa ? { padding: constants.RSA_PKCS1_PSS_PADDING } : undefined;
}
