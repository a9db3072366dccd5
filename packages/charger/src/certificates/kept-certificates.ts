/*
 * The certificates of a charger and its keys, as a store keeps them: under `certificate/`, each a record of its own.
 *
 * What is here says nothing about what may be installed or deleted; whoever changes something has decided that, and does one
 * thing after the other.
 */

import type { Clock, RecordStore } from "@ocppj/core";
import { KeptRecords } from "../kept-records.ts";
import type { CertificateTools, ReadCertificate, RootType } from "./certificate-tools.ts";

/** An installed root. */
export interface Root extends ReadCertificate {
  /** Those that were installed later have higher numbers. */
  readonly number: number;
  /** The name of its record. */
  readonly record: string;
  readonly type: RootType;
  /** Who has issued it: itself, or a root that need not be installed any more. */
  readonly issuer: string;
}

/** A Charge Point certificate with its key. */
export interface OwnCertificate extends ReadCertificate {
  readonly number: number;
  /** What is shown in TLS: the certificate, then those between it and its root. */
  readonly chain: string;
  readonly key: string;
  /** Who has issued it, where that is known. */
  readonly issuer?: string | undefined;
}

/** A certificate that was asked for. */
export interface CertificateRequest {
  /** The number of the certificate that it is to replace; 0 if there was none. */
  readonly replaces: number;
  /** Absent: the Central System has refused it, or the certificate is here. */
  readonly key?: string | undefined;
  /** Absent: it has answered it. */
  readonly csr?: string | undefined;
}

/** With what a connection has come about last, by number. */
export interface Worked {
  readonly root?: number | undefined;
  readonly own?: number | undefined;
}

type Kept =
  | { readonly root: Pick<Root, "number" | "type" | "pem" | "issuer"> }
  | { readonly own: Pick<OwnCertificate, "chain" | "key" | "issuer"> }
  | { readonly request: CertificateRequest }
  | { readonly worked: Worked }
  /** What comes from the factory was taken over. */
  | { readonly factory: true };

/** What comes from the factory. */
export interface FactoryCertificates {
  readonly roots: readonly { readonly type: RootType; readonly pem: string }[];
  readonly own: { readonly cert: string; readonly key: string } | undefined;
}

export interface KeptCertificatesOptions {
  readonly tools: CertificateTools;
  readonly clock: Clock;
  readonly report: (error: Error) => void;
}

export class KeptCertificates {
  readonly #records: KeptRecords<Kept>;
  readonly #options: KeptCertificatesOptions;
  #roots: readonly Root[] = [];
  #own: readonly OwnCertificate[] = [];
  #request: CertificateRequest | undefined;
  #worked: Worked = {};
  /** The highest number that was given. */
  #latest = 0;

  private constructor(store: RecordStore, options: KeptCertificatesOptions) {
    this.#records = new KeptRecords<Kept>(store, "certificate", options);
    this.#options = options;
  }

  /**
   * Reads what a store keeps, and takes over what comes from the factory, once.
   *
   * @throws What the store rejects with when it cannot be read.
   * @throws TypeError What comes from the factory cannot be read.
   */
  static async load(
    store: RecordStore,
    factory: FactoryCertificates,
    options: KeptCertificatesOptions,
  ): Promise<KeptCertificates> {
    const kept = new KeptCertificates(store, options);
    const names = new Map<Kept, string>();
    const records = await kept.#records.load((name, value) => {
      const record = readKept(name, value);
      if (record !== undefined) names.set(record, name);
      return record;
    });
    for (const record of records) await kept.#restore(names.get(record) ?? "", record);
    if (!records.some((record) => "factory" in record)) await kept.#takeOver(factory);
    return kept;
  }

  /** Those that were installed first come first. */
  get roots(): readonly Root[] {
    return this.#roots;
  }

  rootsFor(type: RootType): readonly Root[] {
    return this.#roots.filter((root) => root.type === type);
  }

  /** The Charge Point certificates; those that came first come first. */
  get own(): readonly OwnCertificate[] {
    return this.#own;
  }

  /** The latest. */
  get request(): CertificateRequest | undefined {
    return this.#request;
  }

  get worked(): Worked {
    return this.#worked;
  }

  /**
   * Installs a root. Whether it would survive a power cut; where not, it is not there.
   *
   * @param replaced - What it takes the place of, in one write.
   */
  async addRoot(type: RootType, read: ReadCertificate, issuer: string, replaced?: Root): Promise<boolean> {
    const number = this.#nextNumber();
    const record = replaced?.record ?? `${number}`;
    if (!(await this.#records.put(record, { root: { number, type, pem: read.pem, issuer } }))) return false;
    this.#roots = inOrder([
      ...this.#roots.filter((root) => root !== replaced),
      { ...read, number, record, type, issuer },
    ]);
    return true;
  }

  /** Whether a root is gone; where not, it is there. */
  async removeRoot(root: Root): Promise<boolean> {
    const { issuer, number, pem, record, type } = root;
    await this.#records.forget(record);
    if (this.#records.isOwing) {
      await this.#records.restore(record, { root: { number, type, pem, issuer } });
      return false;
    }
    this.#roots = this.#roots.filter((other) => other !== root);
    return true;
  }

  /** Adds a Charge Point certificate. Whether it would survive a power cut; where not, it is not there. */
  async addOwn(
    read: ReadCertificate,
    { chain, issuer, key }: Pick<OwnCertificate, "chain" | "key" | "issuer">,
  ): Promise<boolean> {
    const number = this.#nextNumber();
    const record = { chain, key, ...(issuer !== undefined && { issuer }) };
    if (!(await this.#records.put(`${number}`, { own: record }))) return false;
    this.#own = inOrder([...this.#own, { ...read, ...record, number }]);
    return true;
  }

  /** Forgets a Charge Point certificate and its key, sooner or later. */
  async removeOwn(own: OwnCertificate): Promise<void> {
    this.#own = this.#own.filter((other) => other !== own);
    await this.#records.forget(`${own.number}`);
  }

  /** Keeps what was asked for. Whether it would survive a power cut; where not, it is as before. */
  async putRequest(request: CertificateRequest): Promise<boolean> {
    if (!(await this.#records.put("request", { request }))) return false;
    this.#request = request;
    return true;
  }

  /** More is known of what was asked for; in the store sooner or later. */
  async changeRequest(request: CertificateRequest): Promise<void> {
    this.#request = request;
    await this.#records.restore("request", { request });
  }

  /** What a connection has come about with; in the store sooner or later. */
  async setWorked(worked: Worked): Promise<void> {
    if (worked.root === this.#worked.root && worked.own === this.#worked.own) return;
    this.#worked = worked;
    await this.#records.restore("worked", { worked });
  }

  #nextNumber(): number {
    this.#latest += 1;
    return this.#latest;
  }

  /** Tries again what the store has refused. */
  settle(): Promise<void> {
    return this.#records.settle();
  }

  async #restore(record: string, kept: Kept): Promise<void> {
    if ("request" in kept) this.#request = kept.request;
    else if ("worked" in kept) this.#worked = kept.worked;
    else if ("root" in kept) {
      this.#latest = Math.max(this.#latest, kept.root.number);
      const [read] = await this.#read(record, kept.root.pem);
      if (read !== undefined) this.#roots = inOrder([...this.#roots, { ...kept.root, ...read, record }]);
    } else if ("own" in kept) {
      const number = numberIn(record);
      const [read] = await this.#read(record, kept.own.chain);
      if (read !== undefined) this.#own = inOrder([...this.#own, { ...kept.own, ...read, number }]);
    }
    // Those that are gone do not give their numbers to others.
    const { own = 0, root = 0 } = this.#worked;
    this.#latest = Math.max(this.#latest, own, root, numberIn(record));
  }

  /** What the tools do not read is left alone: those of another version may. */
  async #read(record: string, pem: string): Promise<readonly ReadCertificate[]> {
    try {
      return await this.#options.tools.read(pem);
    } catch (cause) {
      this.#options.report(new Error(`The certificate ${record} in the store cannot be read.`, { cause }));
      return [];
    }
  }

  /** After a power cut in the middle of it, what is there already is not taken twice. */
  async #takeOver({ own, roots }: FactoryCertificates): Promise<void> {
    for (const { pem, type } of roots) {
      for (const read of await this.#readGiven("roots", pem)) {
        if (this.#roots.some((root) => root.type === type && root.pem === read.pem)) continue;
        if (!(await this.addRoot(type, read, read.pem))) {
          const number = this.#nextNumber();
          const added = { ...read, number, record: `${number}`, type, issuer: read.pem };
          this.#roots = inOrder([...this.#roots, added]);
        }
      }
    }
    if (own !== undefined) {
      const [read] = await this.#readGiven("own.cert", own.cert);
      const added = { chain: own.cert, key: own.key };
      if (read !== undefined && !(await this.#options.tools.isKeyOf(own.key, read.pem))) {
        throw new TypeError("own.key of certificates is not the key of own.cert.");
      }
      if (read !== undefined && !this.#own.some(({ pem }) => pem === read.pem) && !(await this.addOwn(read, added))) {
        this.#own = [{ ...read, ...added, number: this.#nextNumber() }];
      }
    }
    if (!this.#records.isOwing) await this.#records.put("factory", { factory: true });
  }

  async #readGiven(name: string, pem: string): Promise<readonly ReadCertificate[]> {
    try {
      return await this.#options.tools.read(pem);
    } catch (cause) {
      throw new TypeError(`${name} of certificates cannot be read. Give certificates in PEM.`, { cause });
    }
  }
}

const inOrder = <T extends { readonly number: number }>(certificates: readonly T[]): readonly T[] =>
  [...certificates].sort((a, b) => a.number - b.number);

const numberIn = (name: string): number => (/^\d+$/.test(name) ? Number(name) : 0);

const rootTypes: readonly unknown[] = [
  "CentralSystemRootCertificate",
  "ManufacturerRootCertificate",
] satisfies readonly RootType[];

const isText = (value: unknown): value is string => typeof value === "string";
const isTextOrAbsent = (value: unknown): boolean => value === undefined || isText(value);
const isNumberOrAbsent = (value: unknown): boolean => value === undefined || Number.isInteger(value);

/** What a record says; `undefined`: it makes no sense. */
function readKept(name: string, value: unknown): Kept | undefined {
  const { factory, own, request, root, worked } = (value ?? {}) as {
    readonly [Name in "factory" | "own" | "request" | "root" | "worked"]?: Readonly<Record<string, unknown>> | null;
  };
  const isNumbered = numberIn(name) > 0;
  const isKept =
    (isNumbered &&
      root &&
      Number.isInteger(root.number) &&
      rootTypes.includes(root.type) &&
      isText(root.pem) &&
      isText(root.issuer)) ||
    (isNumbered && own && isText(own.chain) && isText(own.key) && isTextOrAbsent(own.issuer)) ||
    (request && Number.isInteger(request.replaces) && isTextOrAbsent(request.key) && isTextOrAbsent(request.csr)) ||
    (worked && isNumberOrAbsent(worked.root) && isNumberOrAbsent(worked.own)) ||
    (factory as unknown) === true;
  return isKept ? (value as Kept) : undefined;
}
