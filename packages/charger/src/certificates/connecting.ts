/*
 * Which root and which certificate of its own a charger connects with.
 *
 * Theory of operation. Each attempt begins with the best root and the best own certificate, and goes on to others only when a
 * certificate was the trouble; so every one of them is tried before the credential counts as refused, and there is always one
 * that works as long as there was one. Which it was is remembered.
 */

import type { Connect, Credential } from "@ocppj/core";
import type { KeptCertificates, OwnCertificate, Root } from "./kept-certificates.ts";
import { Rotation } from "./rotation.ts";

/** What an attempt to connect uses of TLS, as PEM: what is absent is not used. */
export interface ConnectingTls {
  /** The root that the certificate of the Central System has to come from. */
  readonly ca?: string;
  /** The Charge Point certificate, followed by those between it and its root. */
  readonly cert?: string;
  /** Its key, by what the tools call it. */
  readonly key?: string;
}

/** Opens a WebSocket with a credential. */
export type OpenConnection = (credential: Credential, tls: ConnectingTls) => Connect;

export interface ConnectingOptions {
  /** The time of the Central System, in milliseconds since the epoch. */
  readonly now: () => number;
  /** AdditionalRootCertificateCheck. */
  readonly additionalCheck: () => boolean;
  /** A connection has come about, perhaps with others than the one before. */
  readonly connected: () => void;
}

export class Connecting {
  readonly #kept: KeptCertificates;
  readonly #options: ConnectingOptions;
  #root: Root | undefined;
  #own: OwnCertificate | undefined;
  /** The numbers of those that were shown since the start, while they were valid. */
  readonly #shown = new Set<number>();

  constructor(kept: KeptCertificates, options: ConnectingOptions) {
    this.#kept = kept;
    this.#options = options;
  }

  /** What the latest connection has come about with; `undefined`: it is not verified by a root from here. */
  get root(): Root | undefined {
    return this.#root;
  }

  /** What was shown there. */
  get own(): OwnCertificate | undefined {
    return this.#own;
  }

  /** Whether a certificate was shown since the start while it was valid, whatever has come of it. */
  wasShown({ number }: OwnCertificate): boolean {
    return this.#shown.has(number);
  }

  /** Makes of what opens WebSockets with certificates one that chooses them. */
  opening(open: OpenConnection): (credential: Credential) => Connect {
    return (credential) => async (target) => {
      const { securityProfile } = credential;
      const hasTls = securityProfile >= 2 || (securityProfile === 0 && /^wss:/i.test(target.url));
      const now = this.#options.now();
      const roots = hasTls ? rootsInOrder(this.#kept, this.#options.additionalCheck()) : [];
      const rotation = new Rotation(roots, securityProfile === 3 ? ownInOrder(this.#kept, now) : []);
      for (;;) {
        const { own, root } = rotation;
        if (own !== undefined && isValid(own, now)) this.#shown.add(own.number);
        try {
          const transport = await open(credential, tlsOf(root, own))(target);
          this.#root = root;
          this.#own = own;
          this.#options.connected();
          return transport;
        } catch (error) {
          if (!rotation.failed(error) || target.signal?.aborted) throw rotation.error;
        }
      }
    };
  }
}

const tlsOf = (root: Root | undefined, own: OwnCertificate | undefined): ConnectingTls => ({
  ...(root !== undefined && { ca: root.pem }),
  ...(own !== undefined && { cert: own.chain, key: own.key }),
});

/**
 * The roots of the Central System, best first: the one that worked last, then the newest. With AdditionalRootCertificateCheck
 * the newest is to take the place of the other, which is there in case that does not work. [SEC-M05-11, SEC-M05-13]
 */
export function rootsInOrder(kept: KeptCertificates, additionalCheck: boolean): readonly Root[] {
  const newestFirst = [...kept.rootsFor("CentralSystemRootCertificate")].reverse();
  return additionalCheck ? newestFirst : bestFirst(newestFirst, ({ number }) => number === kept.worked.root);
}

/**
 * The own certificates, best first: of those that are valid the one that is valid since last, then the one that worked last.
 * Those that are not valid are tried in the end, because the clock may be wrong. [SEC-A02-08, SEC-A02-09]
 */
export function ownInOrder(kept: KeptCertificates, now: number): readonly OwnCertificate[] {
  const newestFirst = [...kept.own].reverse().sort((a, b) => b.notBefore - a.notBefore);
  const valid = newestFirst.filter((each) => isValid(each, now));
  const others = bestFirst(newestFirst, (each) => valid.includes(each));
  const [newest] = valid;
  return bestFirst(
    bestFirst(others, ({ number }) => number === kept.worked.own),
    (each) => each === newest,
  );
}

export const isValid = ({ notAfter, notBefore }: OwnCertificate | Root, now: number): boolean =>
  notBefore <= now && now < notAfter;

const bestFirst = <T>(all: readonly T[], isBest: (each: T) => boolean): readonly T[] => [
  ...all.filter(isBest),
  ...all.filter((each) => !isBest(each)),
];
