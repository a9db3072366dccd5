import type { CertificateTools, ReadCertificate } from "./certificate-tools.ts";
import type { CertificatesOutlet } from "./installed-roots.ts";
import type { KeptCertificates } from "./kept-certificates.ts";

/** What becomes of a certificate that is to sign firmware. */
export type SigningVerdict = "Accepted" | "InvalidCertificate" | "RevokedCertificate";

export interface SigningCertificateParts extends Pick<CertificatesOutlet, "say"> {
  readonly kept: KeptCertificates;
  readonly tools: CertificateTools;
  readonly now: () => number;
  /** The lists of revoked certificates of the manufacturer, in PEM; `undefined`: there are none. */
  readonly revocationLists: () => string | undefined | Promise<string | undefined>;
}

/**
 * Whether firmware may be signed with a certificate: it has to be issued by a root of the manufacturer itself, and by nobody
 * in between. Why it may not is said; whoever has asked tells of it.
 *
 * @spec security white paper L01 [SEC-L01-02, SEC-L01-12, SEC-L01-23 … SEC-L01-25, SEC-L01-30, SEC-A00-501 … SEC-A00-506]
 */
export async function checkSigningCertificate(pem: string, parts: SigningCertificateParts): Promise<SigningVerdict> {
  const { revocationLists, say, tools } = parts;
  const refuse = (verdict: Exclude<SigningVerdict, "Accepted">, why: string): SigningVerdict => {
    say(`a firmware signing certificate was refused: ${why}`);
    return verdict;
  };
  let read: readonly ReadCertificate[];
  try {
    read = await tools.read(pem);
  } catch {
    return refuse("InvalidCertificate", "it cannot be read");
  }
  const [certificate] = read;
  if (certificate === undefined || read.length > 1) return refuse("InvalidCertificate", `there are ${read.length}`);
  const fault = await faultOf(certificate, parts);
  if (fault !== undefined) return refuse("InvalidCertificate", fault);
  let isRevoked: boolean;
  try {
    const lists = await revocationLists();
    isRevoked = lists !== undefined && (await tools.isRevoked(certificate.pem, lists));
  } catch (error) {
    return refuse("InvalidCertificate", `whether it is revoked is not known: ${(error as Error).message}`);
  }
  return isRevoked ? refuse("RevokedCertificate", "it is revoked") : "Accepted";
}

async function faultOf(
  { isStrong, maySign, notAfter, notBefore, pem }: ReadCertificate,
  { kept, now, tools }: SigningCertificateParts,
): Promise<string | undefined> {
  const at = now();
  const isCurrent = (each: { readonly notBefore: number; readonly notAfter: number }): boolean =>
    each.notBefore <= at && at < each.notAfter;
  if (!isCurrent({ notBefore, notAfter })) return "it is not valid now";
  if (!isStrong) return "its key or its signature is too weak";
  if (!maySign) return "it may not be used to sign firmware";
  for (const root of kept.rootsFor("ManufacturerRootCertificate").filter(isCurrent)) {
    if (await tools.isIssuedBy(pem, root.pem)) return undefined;
  }
  return "it is not issued by an installed ManufacturerRootCertificate";
}
