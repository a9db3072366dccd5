import { X509Certificate } from "node:crypto";
import { type Stats, unwatchFile, watchFile } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Whose } from "./certificate-ends.ts";
import { type ReadRevocationList, type RevocationList, readRevocationLists } from "./revocation-list.ts";
import { filesOf, type ServerTls, type TlsOptions } from "./security-profile.ts";

/** How often files and dates are looked at, in milliseconds. */
const lookMs = 2000;

/** What is done about what has been found out. */
export interface TlsWatchListener {
  /** A file has changed: everything is to be read again. Throws if it cannot be used. */
  readonly changed: () => void;
  /** These certificates are revoked from now on. */
  readonly revoked: (lists: readonly ReadRevocationList[]) => void;
  readonly fault: (error: Error) => void;
  /** This certificate is in use; it may end soon. */
  readonly inUse: (certificate: X509Certificate, whose: Whose) => void;
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
  #inUse: readonly { readonly certificate: X509Certificate; readonly whose: Whose }[] = [];
  readonly #told = new WeakSet<ReadRevocationList>();

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
  use({ ca = [], cert = [], crl = [] }: ServerTls, given: TlsOptions): void {
    this.#unwatch();
    this.#files = filesOf(given).map((file) => fileURLToPath(file));
    for (const file of this.#files) watchFile(file, { interval: lookMs, persistent: false }, this.#look);
    this.#lists = readRevocationLists([crl].flat());
    this.#inUse = [
      ...certificatesIn(cert).map((certificate) => ({ certificate, whose: { whose: "central-system" } as const })),
      ...certificatesIn(ca).map((certificate) => ({ certificate, whose: { whose: "authority" } as const })),
    ];
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
    for (const { certificate, whose } of this.#inUse) this.#listener.inUse(certificate, whose);
  }
}

/** Every certificate in PEM texts. */
const certificatesIn = (pems: NonNullable<ServerTls["cert"]>): X509Certificate[] =>
  [pems]
    .flat()
    .flatMap((pem) => pem.toString().match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]*-----END[^-]*-----/g) ?? [])
    .map((pem) => new X509Certificate(pem));
