/*
 * What the Central System installs and deletes.
 *
 * Theory of operation. With AdditionalRootCertificateCheck there is one root of the Central System, the present one, and for
 * some time a second one that it has issued: its successor. The present one stays until a connection has come about with the
 * successor; until then another successor takes the place of the first.
 */

import type { Conf, Req } from "@ocppj/core";
import type { Decided } from "../decided.ts";
import { oneAfterAnother } from "../one-after-another.ts";
import type { SecurityEventType } from "../security/security-event.ts";
import type {
  CertificateHashData,
  CertificateStatus,
  CertificateTools,
  ReadCertificate,
  RootType,
} from "./certificate-tools.ts";
import type { Connecting } from "./connecting.ts";
import type { KeptCertificates, OwnCertificate, Root } from "./kept-certificates.ts";

/** Who hears of what happens to certificates. */
export interface CertificatesOutlet {
  /** A line for a log. */
  say(text: string): void;
  /** A security event, by its type. */
  noticed(type: SecurityEventType, techInfo?: string): void;
}

export interface InstalledRootsParts extends CertificatesOutlet {
  readonly kept: KeptCertificates;
  readonly tools: CertificateTools;
  readonly connecting: Connecting;
  /** The time of the Central System, in milliseconds since the epoch. */
  readonly now: () => number;
  /** CertificateStoreMaxLength. */
  readonly maxLength: () => number;
  /** AdditionalRootCertificateCheck. */
  readonly additionalCheck: () => boolean;
  /** With which the hash data are made that are told. */
  readonly hashAlgorithm: CertificateHashData["hashAlgorithm"];
}

/** @spec security white paper M03, M04, M05 */
export class InstalledRoots {
  readonly #parts: InstalledRootsParts;
  readonly #inTurn = oneAfterAnother();

  constructor(parts: InstalledRootsParts) {
    this.#parts = parts;
  }

  /** Decides on an InstallCertificate. What is Accepted would survive a power cut. [SEC-M05-01 … SEC-M05-11] */
  install(req: Req<"InstallCertificate">): Promise<Decided<CertificateStatus<"InstallCertificate">>> {
    const type = req.certificateType;
    return this.#inTurn(async () => {
      const read = await this.#readOne(req.certificate);
      if (typeof read === "string") return this.#refused(type, read);
      const { additionalCheck, kept, maxLength, tools } = this.#parts;
      if (kept.rootsFor(type).some(({ pem }) => pem === read.pem)) return done("Accepted");
      const fault = await this.#faultOf(read);
      if (fault !== undefined) return this.#refused(type, fault);
      const isSuccessor = type === "CentralSystemRootCertificate" && additionalCheck();
      const present = isSuccessor ? this.#present : undefined;
      if (present !== undefined && !(await tools.isIssuedBy(read.pem, present.pem))) {
        return this.#refused(type, "it is not issued by the root that is installed"); // SEC-M05-10
      }
      const replaced = present && kept.rootsFor(type).find((root) => root !== present);
      if (replaced === undefined && kept.roots.length >= maxLength()) {
        return this.#rejected(type, `there is room for ${maxLength()}`); // SEC-M05-03
      }
      const issuer = await this.#issuerOf(read);
      if (!(await kept.addRoot(type, read, issuer, replaced))) return done("Failed"); // SEC-M05-04
      return this.#changed("Accepted", `a ${type} was installed: ${nameOf(read)}`);
    });
  }

  /** Decides on a DeleteCertificate. [SEC-M04-01 … SEC-M04-06] */
  delete({ certificateHashData }: Req<"DeleteCertificate">): Promise<Decided<CertificateStatus<"DeleteCertificate">>> {
    return this.#inTurn(async () => {
      const { connecting, kept } = this.#parts;
      const roots = await this.#matching(kept.roots, certificateHashData);
      if (roots.length === 0) {
        const own = await this.#matching(kept.own, certificateHashData);
        return done(own.length === 0 ? "NotFound" : "Failed"); // SEC-M04-05
      }
      if (roots.some((root) => root === connecting.root)) return done("Failed"); // SEC-M04-06
      const left = kept.rootsFor("CentralSystemRootCertificate").filter((root) => !roots.includes(root));
      const isLast = roots.some(({ type }) => type === "CentralSystemRootCertificate") && left.length === 0;
      if (isLast) return done("Failed"); // It would never be found again. [SEC-M04-08]
      for (const root of roots) if (!(await kept.removeRoot(root))) return done("Failed"); // SEC-M04-03
      return this.#changed("Accepted", `deleted: ${roots.map(nameOf).join(", ")}`);
    });
  }

  /** Answers GetInstalledCertificateIds. [SEC-M03-01 … SEC-M03-04] */
  async ids({ certificateType }: Req<"GetInstalledCertificateIds">): Promise<Conf<"GetInstalledCertificateIds">> {
    const { hashAlgorithm, kept, tools } = this.#parts;
    const roots = kept.rootsFor(certificateType);
    const [first, ...more] = await Promise.all(
      roots.map(({ issuer, pem }) => tools.hashData(pem, issuer, hashAlgorithm)),
    );
    if (first === undefined) return { status: "NotFound" };
    return { status: "Accepted", certificateHashData: [first, ...more] };
  }

  /** A connection has come about: the successor needs no fall-back any more. [SEC-M05-12] */
  connected(): void {
    void this.#inTurn(async () => {
      const { additionalCheck, connecting, kept, say } = this.#parts;
      const roots = kept.rootsFor("CentralSystemRootCertificate");
      if (!additionalCheck() || connecting.root === undefined || connecting.root !== roots.at(-1)) return;
      for (const root of roots.slice(0, -1)) {
        if (await kept.removeRoot(root)) say(`${nameOf(root)} has a successor that works, and was removed`);
      }
    });
  }

  /** The one that a successor has to be issued by: that which has worked, or the first. */
  get #present(): Root | undefined {
    const { kept } = this.#parts;
    const roots = kept.rootsFor("CentralSystemRootCertificate");
    return roots.find(({ number }) => number === kept.worked.root) ?? roots[0];
  }

  async #readOne(pem: string): Promise<ReadCertificate | string> {
    let read: readonly ReadCertificate[];
    try {
      read = await this.#parts.tools.read(pem);
    } catch {
      return "it cannot be read";
    }
    const [certificate] = read;
    return read.length === 1 && certificate !== undefined ? certificate : `there are ${read.length}`;
  }

  /** SEC-M05-06 */
  async #faultOf(read: ReadCertificate): Promise<string | undefined> {
    const { now, tools } = this.#parts;
    if (!read.mayIssue) return "it may not issue any";
    if (!read.isStrong) return "its key or its signature is too weak";
    if (read.notAfter <= now()) return "it has expired";
    const isDamaged = read.isSelfIssued && !(await tools.isIssuedBy(read.pem, read.pem));
    return isDamaged ? "its signature is wrong" : undefined;
  }

  /** Who has issued it, if anybody here has. */
  async #issuerOf({ isSelfIssued, pem }: ReadCertificate): Promise<string> {
    if (isSelfIssued) return pem;
    for (const root of this.#parts.kept.roots) if (await this.#parts.tools.isIssuedBy(pem, root.pem)) return root.pem;
    return pem;
  }

  async #matching<C extends Root | OwnCertificate>(
    certificates: readonly C[],
    asked: CertificateHashData,
  ): Promise<readonly C[]> {
    const { tools } = this.#parts;
    const matching: C[] = [];
    for (const each of certificates) {
      const hashData = await tools.hashData(each.pem, each.issuer ?? each.pem, asked.hashAlgorithm);
      if (isSame(hashData, asked)) matching.push(each);
    }
    return matching;
  }

  #refused(type: RootType, why: string): Decided<"Rejected"> {
    const isCentralSystem = type === "CentralSystemRootCertificate";
    const { noticed } = this.#parts;
    const decided = this.#rejected(type, why);
    const takeEffect = (): void => {
      decided.takeEffect();
      if (isCentralSystem) noticed("InvalidCentralSystemCertificate", `InstallCertificate: ${why}`); // SEC-EV-15
    };
    return { ...decided, takeEffect };
  }

  #rejected(type: RootType, why: string): Decided<"Rejected"> {
    return { status: "Rejected", takeEffect: () => this.#parts.say(`a ${type} was not installed: ${why}`) };
  }

  #changed<Status>(status: Status, text: string): Decided<Status> {
    const { noticed, say } = this.#parts;
    const takeEffect = (): void => {
      say(text);
      noticed("ReconfigurationOfSecurityParameters", text.slice(0, 255)); // SEC-EV-08
    };
    return { status, takeEffect };
  }
}

const done = <Status>(status: Status): Decided<Status> => ({ status, takeEffect: () => {} });

const nameOf = ({ commonNames, organizationNames }: ReadCertificate): string =>
  [...organizationNames.map((name) => `O=${name}`), ...commonNames.map((name) => `CN=${name}`)].join(", ");

/** Hexadecimal in any case, and numbers with zeros in front. */
function isSame(a: CertificateHashData, b: CertificateHashData): boolean {
  const folded = (hex: string): string => hex.trim().toLowerCase().replace(/^0+/, "");
  return (["issuerNameHash", "issuerKeyHash", "serialNumber"] as const).every(
    (name) => folded(a[name]) === folded(b[name]),
  );
}
