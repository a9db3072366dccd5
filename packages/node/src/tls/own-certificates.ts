/*
 * Certificates with their keys, and which of them is shown: that for the name which a peer asks for (SNI), by the names that
 * are in them. OpenSSL has one certificate of each kind of key, and Node exchanges one of these by name, so those of
 * different names have keys of one kind. One of another kind is shown to peers that can use nothing else, whatever they ask
 * for, and so must have all names.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";

type Pem = string | Buffer;

/** A certificate, with those between it and its root, and its key. */
interface Pair {
  readonly cert: Pem;
  readonly key: Pem;
  readonly certificate: X509Certificate;
}

/** The certificates of one side. */
export class OwnCertificates {
  readonly #options: SecureContextOptions;
  /** The first of each kind of key. */
  readonly #usual: readonly Pair[];
  /** Those of one kind, where it has several; the first is the usual one. */
  readonly #named: readonly Pair[];
  readonly #contexts = new Map<Pair, SecureContext>();

  /** @throws Error A certificate or a key cannot be read, has none of the other, or is in the way of another one. */
  constructor(options: SecureContextOptions) {
    this.#options = options;
    const { passphrase } = options;
    const keys = ([options.key ?? []].flat() as Pem[]).map((pem) => ({
      pem,
      key: createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) }),
    }));
    const pairs = ([options.cert ?? []].flat() as Pem[]).map((cert) => pairOf(cert, keys));
    this.#usual = pairs.filter((pair) => pairs.find((other) => kindOf(other) === kindOf(pair)) === pair);
    const others = pairs.filter((pair) => !this.#usual.includes(pair));
    this.#named = pairs.filter((pair) => others[0] !== undefined && kindOf(pair) === kindOf(others[0]));
    checkNames(pairs, this.#named);
  }

  /** @throws Error They cannot be used. */
  check(): void {
    createSecureContext(this.usual);
    for (const pair of this.#named) createSecureContext(this.#optionsOf([pair]));
  }

  /** What is shown to whoever asks for no name, or for one that nobody has. */
  get usual(): SecureContextOptions {
    return this.#optionsOf(this.#usual);
  }

  /** What is shown to a peer that asks for a name; `undefined` for the usual. */
  contextFor(name: string): SecureContext | undefined {
    const pair = this.#named.find((pair) => hasName(pair, name));
    if (pair === undefined || pair === this.#named[0]) return undefined;
    const context = this.#contexts.get(pair) ?? createSecureContext(this.#optionsOf([pair]));
    this.#contexts.set(pair, context);
    return context;
  }

  #optionsOf(pairs: readonly Pair[]): SecureContextOptions {
    const [cert, key] = [pairs.map(({ cert }) => cert), pairs.map(({ key }) => key)];
    return { ...this.#options, ...(pairs.length > 0 && { cert, key }) };
  }
}

const kindOf = ({ certificate }: Pair): string | undefined => certificate.publicKey.asymmetricKeyType;

/** The white paper has the name in the subject, authorities of today in subjectAltName. [SEC-A00-511] */
const hasName = ({ certificate }: Pair, name: string): boolean =>
  !name.includes("\0") && certificate.checkHost(name, { subject: "always" }) !== undefined;

/** @throws Error A certificate of another kind of key would be shown to peers that ask for a name which it does not have. */
function checkNames(pairs: readonly Pair[], named: readonly Pair[]): void {
  const names = named.flatMap(({ certificate: { subjectAltName = "" } }) =>
    [...subjectAltName.matchAll(/DNS:([^,]+)/g)].map(([, name = ""]) => name.replace("*", "any")),
  );
  for (const pair of pairs) {
    const missing = named.includes(pair) ? undefined : names.find((name) => !hasName(pair, name));
    if (missing === undefined) continue;
    throw new Error(
      `the certificates of different names have keys of several kinds, of which only one can be chosen by name; give them ` +
        `keys of one kind, or the one of the kind "${kindOf(pair)}" all names, also ${missing}`,
    );
  }
}

/** Node notices a key that is wrong, but not one that is missing beside others. */
function pairOf(cert: Pem, keys: readonly { readonly pem: Pem; readonly key: KeyObject }[]): Pair {
  const certificate = new X509Certificate(cert);
  const own = keys.find(({ key }) => certificate.checkPrivateKey(key));
  if (own !== undefined) return { cert, key: own.pem, certificate };
  throw new Error(`the certificate with the subject ${certificate.subject.replaceAll("\n", ", ")} has no key`);
}
