/*
 * The certificate of the charger itself, and how it gets another one.
 *
 * Theory of operation. Each request has a key of its own. It is written down before it is sent, sent until the Central System
 * has answered it, and then waited for, without end: nobody asks again by itself. The key stays until its certificate has come
 * or another request is made, whatever fails meanwhile. A certificate that came is used once it is valid; those before it stay
 * in case it does not work.
 */

import type { Conf, Req } from "@ocppj/core";
import type { Decided } from "../decided.ts";
import { oneAfterAnother } from "../one-after-another.ts";
import type { CertificateStatus, CertificateTools, ReadCertificate } from "./certificate-tools.ts";
import { certificationPath } from "./certification-path.ts";
import type { CertificatesOutlet } from "./installed-roots.ts";
import type { KeptCertificates, OwnCertificate } from "./kept-certificates.ts";

/** As many characters as SignCertificate.req takes. */
const maxRequestLength = 5500;

/** How many own certificates there are, at most: the latest, and what to fall back to. */
const mostOwn = 3;

export interface ChargePointCertificateParts extends CertificatesOutlet {
  readonly kept: KeptCertificates;
  readonly tools: CertificateTools;
  readonly serialNumber: string;
  /** Whether a certificate has to name the CpoName. [TCK-N03] */
  readonly checksCpoName: boolean;
  readonly cpoName: () => string | undefined;
  /** CertificateSignedMaxChainSize. */
  readonly maxChainSize: () => number;
  /** The time of the Central System, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly sign: (csr: string) => Promise<Conf<"SignCertificate">>;
  readonly fault: (error: unknown) => void;
  /** What there is of certificates and requests is another. */
  readonly changed: () => void;
}

/** @spec security white paper A02, A03 */
export class ChargePointCertificate {
  readonly #parts: ChargePointCertificateParts;
  readonly #inTurn = oneAfterAnother();
  #isSending = false;

  constructor(parts: ChargePointCertificateParts) {
    this.#parts = parts;
  }

  /** The one whose validity begins last. */
  get latest(): OwnCertificate | undefined {
    return this.#parts.kept.own.reduce<OwnCertificate | undefined>(
      (latest, each) => (latest === undefined || each.notBefore >= latest.notBefore ? each : latest),
      undefined,
    );
  }

  /** Whether its successor was asked for. */
  get isAsked(): boolean {
    return this.#parts.kept.request?.replaces === (this.latest?.number ?? 0);
  }

  /** Whether one can be asked for: it needs the name of the owner. */
  get mayAsk(): boolean {
    return (this.#parts.cpoName() ?? "") !== "";
  }

  /**
   * Asks for a certificate, with a new key. [SEC-A02-02, SEC-A02-03, SEC-A02-13]
   *
   * @returns Once it is written down. It is sent as soon as that is possible.
   * @throws Error There is no CpoName, the tools fail, or the store does not take it.
   */
  async ask(): Promise<void> {
    await this.#inTurn(async () => {
      const { changed, cpoName, kept, serialNumber, tools } = this.#parts;
      const organizationName = cpoName() ?? "";
      if (organizationName === "")
        throw new Error("CpoName is not set, and a request for a certificate has to name it.");
      const key = await tools.newKey();
      const csr = await tools.request(key, { organizationName, commonName: serialNumber });
      if (csr.length > maxRequestLength) throw new Error("The request is too long for SignCertificate.");
      const isKept = await kept.putRequest({ replaces: this.latest?.number ?? 0, key, csr });
      if (!isKept) throw new Error("The store did not take the request for a certificate, and it was not made.");
      changed();
    });
    void this.send();
  }

  /** Sends a request that was not answered yet, if there is one. */
  async send(): Promise<void> {
    const { request } = this.#parts.kept;
    if (this.#isSending || request?.csr === undefined) return;
    this.#isSending = true;
    const status = await this.#statusOf(request.csr);
    this.#isSending = false;
    if (status === undefined) return;
    await this.#inTurn(async () => {
      const { kept, say } = this.#parts;
      if (kept.request !== request) return; // Its certificate is here already, or another request was made.
      const { key, replaces } = request;
      await kept.changeRequest(status === "Accepted" ? { replaces, key } : { replaces });
      if (status === "Rejected") say("the Central System does not issue a certificate: SignCertificate was Rejected");
    });
    void this.send(); // One that was made meanwhile.
  }

  /** Decides on a CertificateSigned. What is Accepted would survive a power cut. [SEC-A02-06, SEC-A02-07] */
  signed({ certificateChain }: Req<"CertificateSigned">): Promise<Decided<CertificateStatus<"CertificateSigned">>> {
    return this.#inTurn(async () => {
      const read = await this.#readChain(certificateChain);
      if (typeof read === "string") return this.#refused(read);
      const [certificate] = read;
      const { changed, kept, noticed, say } = this.#parts;
      // Once more, because the answer was lost.
      if (kept.own.some(({ pem }) => pem === certificate?.pem)) return { status: "Accepted", takeEffect: () => {} };
      const { key, replaces = 0 } = kept.request ?? {};
      if (certificate === undefined || key === undefined) return this.#refused("none was asked for");
      const judged = await this.#judge(certificate, read.slice(1), key);
      if (typeof judged === "string") return this.#refused(judged);
      if (!(await kept.addOwn(certificate, judged))) return this.#refused("the store did not take it");
      await kept.changeRequest({ replaces });
      await this.#forgetOld();
      const takeEffect = (): void => {
        say(`there is a new Charge Point certificate, from ${new Date(certificate.notBefore).toISOString()} on`);
        noticed("ReconfigurationOfSecurityParameters", "The Charge Point certificate was replaced."); // SEC-EV-08
        changed();
      };
      return { status: "Accepted", takeEffect };
    });
  }

  /** What SignCertificate is answered with; `undefined`: it is not, or has not left. */
  async #statusOf(csr: string): Promise<Conf<"SignCertificate">["status"] | undefined> {
    try {
      return (await this.#parts.sign(csr)).status;
    } catch (error) {
      const { name } = error as Error;
      if (name === "ConnectionClosedError" || name === "NotAcceptedError") return undefined;
      this.#parts.fault(error);
      return name === "CallError" ? "Rejected" : undefined;
    }
  }

  async #readChain(pem: string): Promise<readonly ReadCertificate[] | string> {
    const maxSize = this.#parts.maxChainSize();
    if (pem.length > maxSize) return `it has ${pem.length} characters, and ${maxSize} are allowed`;
    try {
      return await this.#parts.tools.read(pem);
    } catch {
      return "it cannot be read";
    }
  }

  /** What a certificate is kept as, or what is wrong with it. */
  async #judge(
    certificate: ReadCertificate,
    others: readonly ReadCertificate[],
    key: string,
  ): Promise<Pick<OwnCertificate, "chain" | "key" | "issuer"> | string> {
    const { checksCpoName, cpoName, kept, now, serialNumber, tools } = this.#parts;
    const at = now();
    if (!(await tools.isKeyOf(key, certificate.pem))) return "it is not of the key that was asked for last";
    if (certificate.notAfter <= at) return "it has expired";
    if (!certificate.mayAuthenticate) return "it may not be used to authenticate a Charge Point";
    if (!certificate.isStrong) return "its key or its signature is too weak";
    if (!certificate.commonNames.includes(serialNumber)) return "its commonName is not the serial number";
    if (checksCpoName && !certificate.organizationNames.includes(cpoName() ?? "")) {
      return "its organizationName is not the CpoName";
    }
    const roots = kept.rootsFor("CentralSystemRootCertificate");
    const path = await certificationPath(certificate, others, { tools, roots, now: at });
    if (path === undefined) return "it does not come from an installed CentralSystemRootCertificate";
    const [issuer = path.root] = path.between;
    const chain = [certificate, ...path.between].map(({ pem }) => `${pem.trim()}\n`).join("");
    return { chain, key, issuer: issuer.pem };
  }

  #refused(why: string): Decided<"Rejected"> {
    const { noticed, say } = this.#parts;
    const takeEffect = (): void => {
      say(`a Charge Point certificate was refused: ${why}`);
      noticed("InvalidChargePointCertificate", `CertificateSigned: ${why}`); // SEC-EV-16
    };
    return { status: "Rejected", takeEffect };
  }

  /** What has worked last stays. [SEC-A02-10] */
  async #forgetOld(): Promise<void> {
    const { kept } = this.#parts;
    const others = kept.own.filter(({ number }) => number !== kept.worked.own);
    const surplus = kept.own.length - mostOwn;
    const oldestFirst = [...others].sort((a, b) => a.notBefore - b.notBefore || a.number - b.number);
    for (const own of oldestFirst.slice(0, Math.max(0, surplus))) await kept.removeOwn(own);
  }
}
