import { X509Certificate } from "node:crypto";
import { type Stats, unwatchFile, watchFile } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ReadRevocationList, type RevocationList, readRevocationLists } from "./revocation-list.ts";
import { filesOf, type ServerTls, type TlsOptions } from "./security-profile.ts";

/** How often files and dates are looked at, in milliseconds. */
const lookMs = 2000;

/** How long before its end the certificate of the Central System is told of, and how long it is not told again. */
const warningMs = 21 * 24 * 60 * 60 * 1000;
const quietMs = 24 * 60 * 60 * 1000;

/** What is done about what has been found out. */
export interface TlsWatchListener {
  /** A file has changed: everything is to be read again. Throws if it cannot be used. */
  readonly changed: () => void;
  /** These certificates are revoked from now on. */
  readonly revoked: (lists: readonly ReadRevocationList[]) => void;
  readonly fault: (error: Error) => void;
}

/** Looks after what does not stay as it is: files with lists of revoked certificates, lists and certificates that expire. */
export class TlsWatch {
  readonly #listener: TlsWatchListener;
  readonly #timer: NodeJS.Timeout;
  readonly #look = (now: Stats, before: Stats): void => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size) this.#reread();
  };
  #files: readonly string[] = [];
  #lists: readonly ReadRevocationList[] = [];
  #own: readonly X509Certificate[] = [];
  readonly #told = new WeakSet<ReadRevocationList>();
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(listener: TlsWatchListener) {
    this.#listener = listener;
    this.#timer = setInterval(() => this.#tellEnds(), lookMs).unref();
  }

  get lists(): readonly RevocationList[] {
    return this.#lists.map(({ thisUpdate, nextUpdate, revoked }) => ({ thisUpdate, nextUpdate, revoked }));
  }

  /**
   * Takes what is used from now on.
   *
   * @param given - Where it comes from.
   */
  use({ cert = [], crl = [] }: ServerTls, given: TlsOptions): void {
    this.#unwatch();
    this.#files = filesOf(given).map((file) => fileURLToPath(file));
    for (const file of this.#files) watchFile(file, { interval: lookMs, persistent: false }, this.#look);
    this.#lists = readRevocationLists([crl].flat());
    this.#own = [cert].flat().map((pem) => new X509Certificate(pem));
    this.#warnedAt = Number.NEGATIVE_INFINITY;
    this.#listener.revoked(this.#lists);
    this.#tellEnds();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#unwatch();
  }

  #unwatch(): void {
    for (const file of this.#files) unwatchFile(file, this.#look);
  }

  #reread(): void {
    try {
      this.#listener.changed();
    } catch (error) {
      this.#listener.fault(error as Error);
    }
  }

  #tellEnds(): void {
    const now = Date.now();
    for (const list of this.#lists) {
      if (list.nextUpdate === undefined || list.nextUpdate.getTime() > now || this.#told.has(list)) continue;
      this.#told.add(list);
      const since = list.nextUpdate.toISOString();
      const message = `A list of revoked certificates has expired, at ${since}: nobody whom it is asked about is let in.`;
      this.#listener.fault(new Error(`${message} Put a current one in the place of tls.crl.`));
    }
    if (now - this.#warnedAt < quietMs) return;
    for (const { validTo } of this.#own) {
      if (new Date(validTo).getTime() - now > warningMs) continue;
      this.#warnedAt = now;
      const message = `The certificate of the Central System ends at ${new Date(validTo).toISOString()}.`;
      this.#listener.fault(new Error(`${message} Renew it, and call replaceCertificates.`));
    }
  }
}
