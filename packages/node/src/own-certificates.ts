/*
 * Certificates with their keys, and which of them is shown: those for the name that a peer asks for (SNI), by the names that
 * are in them. OpenSSL keeps one certificate of each kind of key, so those of different names need contexts of their own.
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
  readonly #pairs: readonly Pair[];
  /** By the places of the certificates that they have; there are no more than combinations that names can ask for. */
  readonly #contexts = new Map<string, SecureContext>();

  /** @throws Error A certificate or a key cannot be read or used, or a certificate has no key. */
  constructor(options: SecureContextOptions) {
    this.#options = options;
    const { passphrase } = options;
    const keys = ([options.key ?? []].flat() as Pem[]).map((pem) => ({
      pem,
      key: createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) }),
    }));
    this.#pairs = ([options.cert ?? []].flat() as Pem[]).map((cert) => pairOf(cert, keys));
    createSecureContext(this.usual);
    for (const pair of this.#pairs) createSecureContext(this.#optionsOf([pair]));
  }

  /** What is shown to whoever asks for no name, or for one that nobody has: the first certificate of each kind of key. */
  get usual(): SecureContextOptions {
    return this.#optionsOf(this.#pairs);
  }

  /** What is shown to a peer that asks for a name; `undefined` for the usual. */
  contextFor(name: string): SecureContext | undefined {
    const fitting = this.#pairs.filter(({ certificate }) => certificate.checkHost(name, { subject: "always" }));
    if (fitting.length === 0 || fitting.length === this.#pairs.length) return undefined;
    const which = fitting.map((pair) => this.#pairs.indexOf(pair)).join();
    const context = this.#contexts.get(which) ?? createSecureContext(this.#optionsOf(fitting));
    this.#contexts.set(which, context);
    return context;
  }

  #optionsOf(pairs: readonly Pair[]): SecureContextOptions {
    const kindOf = ({ certificate }: Pair): string | undefined => certificate.publicKey.asymmetricKeyType;
    const first = pairs.filter((pair) => pairs.find((other) => kindOf(other) === kindOf(pair)) === pair);
    const [cert, key] = [first.map(({ cert }) => cert), first.map(({ key }) => key)];
    return { ...this.#options, ...(pairs.length > 0 && { cert, key }) };
  }
}

/** Node notices a key that is wrong, but not one that is missing beside others. */
function pairOf(cert: Pem, keys: readonly { readonly pem: Pem; readonly key: KeyObject }[]): Pair {
  const certificate = new X509Certificate(cert);
  const own = keys.find(({ key }) => certificate.checkPrivateKey(key));
  if (own !== undefined) return { cert, key: own.pem, certificate };
  throw new Error(`the certificate with the subject ${certificate.subject.replaceAll("\n", ", ")} has no key`);
}
