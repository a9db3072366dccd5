import type { X509Certificate } from "node:crypto";
import { type ExpiringCertificate, type OptionRule, optionRules } from "@ocppj/core";
import { shortened } from "../peer-text.ts";

/** The option `expiryWarningDays`. */
export const expiryWarningDaysRule: OptionRule = optionRules.number("a number of days from 0 on", 0);

const dayMs = 24 * 60 * 60 * 1000;

/** Of how many certificates it is remembered that they were told of; those that were told first are forgotten. */
const mostTold = 10_000;

/** Whose certificate it is. */
export type Whose = Pick<ExpiringCertificate, "identity" | "whose">;

/** Tells of certificates that end soon, by the wall clock, which is what others judge them by. */
export class CertificateEnds {
  readonly #warningDays: number;
  readonly #tell: (event: ExpiringCertificate) => void;
  /** When each was told of, by fingerprint. */
  readonly #toldAt = new Map<string, number>();

  constructor(warningDays: number, tell: (event: ExpiringCertificate) => void) {
    this.#warningDays = warningDays;
    this.#tell = tell;
  }

  /** Looks at a certificate: a Charge Point's is told of once, the others once a day. */
  look(certificate: X509Certificate, whose: Whose, now = Date.now()): void {
    const { fingerprint256, serialNumber } = certificate;
    const validTo = new Date(certificate.validTo);
    const daysLeft = Math.floor((validTo.getTime() - now) / dayMs);
    if (!(daysLeft < this.#warningDays)) return;
    const toldAt = this.#toldAt.get(fingerprint256);
    if (toldAt !== undefined && (whose.whose === "charge-point" || now - toldAt < dayMs)) return;
    this.#remember(fingerprint256, now);
    this.#tell({ ...whose, subject: subjectOf(certificate), serialNumber, validTo, daysLeft });
  }

  #remember(fingerprint: string, now: number): void {
    this.#toldAt.set(fingerprint, now);
    const [oldest = ""] = this.#toldAt.keys();
    if (this.#toldAt.size > mostTold) this.#toldAt.delete(oldest);
  }
}

/** The subject of a certificate in one line. */
export const subjectOf = ({ subject }: X509Certificate): string => shortened(subject.replaceAll("\n", ", "));

const owners = {
  "central-system": { who: "the Central System", advice: "Renew it, and call replaceCertificates." },
  authority: {
    who: "an authority",
    advice: "Give tls.ca the one that follows it; Charge Points with certificates of the old one are refused then.",
  },
  "charge-point": { who: "the Charge Point", advice: "Have it renewed there, or the Charge Point is refused then." },
} as const;

/** What is to be told of a certificate that ends, in words. */
export function expiryOf({ daysLeft, subject, validTo, whose }: ExpiringCertificate): string {
  const { advice, who } = owners[whose];
  return `The certificate of ${who} ends at ${validTo.toISOString()} (${subject}; days left: ${daysLeft}). ${advice}`;
}
