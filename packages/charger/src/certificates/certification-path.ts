import type { CertificateTools, ReadCertificate } from "./certificate-tools.ts";

/** A certificate with what is between it and a root. */
export interface CertificationPath<Root> {
  /** Those between, in the order in which they have issued one another. */
  readonly between: readonly ReadCertificate[];
  readonly root: Root;
}

/**
 * How a certificate comes from one of some roots; `undefined`: it does not. None on the way may be weak, over, or one that may
 * not issue.
 *
 * @param others - What may be between them, in any order.
 */
export async function certificationPath<Root extends ReadCertificate>(
  certificate: ReadCertificate,
  others: readonly ReadCertificate[],
  { now, roots, tools }: { readonly now: number; readonly roots: readonly Root[]; readonly tools: CertificateTools },
): Promise<CertificationPath<Root> | undefined> {
  const issuerOf = async <T extends ReadCertificate>(issued: ReadCertificate, among: readonly T[]) => {
    for (const each of among) {
      const mayHave = each.mayIssue && each.isStrong && each.notBefore <= now && now < each.notAfter;
      if (mayHave && each.pem !== issued.pem && (await tools.isIssuedBy(issued.pem, each.pem))) return each;
    }
    return undefined;
  };
  const between: ReadCertificate[] = [];
  // Each is taken once, so that two that have issued each other lead nowhere.
  for (let left = others, link = certificate; ; ) {
    const root = await issuerOf(link, roots);
    if (root !== undefined) return { between, root };
    const next = await issuerOf(link, left);
    if (next === undefined) return undefined;
    between.push(next);
    left = left.filter((each) => each !== next);
    link = next;
  }
}
