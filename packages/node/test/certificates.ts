import "./reflect.ts";
import { randomBytes, webcrypto, X509Certificate } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from "@peculiar/x509";

const { subtle } = webcrypto;

/** Kinds of keys, by the words of WebCrypto. */
const algorithms = {
  ECDSA: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RSA: { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
  "weak RSA": {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 1024,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: "SHA-256",
  },
} as const;

/** What a certificate says. */
export interface CertificateOptions {
  /** Common name; none where it is the empty string. */
  readonly commonName: string;
  readonly organizationName?: string;
  /** subjectAltName. Default: none. */
  readonly names?: JsonGeneralNames;
  /** From when to when it is valid, in days from now. Default: from yesterday for a month and more. */
  readonly days?: readonly [from: number, to: number];
  readonly algorithm?: keyof typeof algorithms;
  /** What it may be used for. Default: for anything. */
  readonly usages?: readonly ExtendedKeyUsage[];
}

/** A certificate and its private key, PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** The serial number of a certificate, in lower case. */
export const serialNumberOf = ({ cert }: Certified): string => new X509Certificate(cert).serialNumber.toLowerCase();

const days = (count: number): Date => new Date(Date.now() + count * 24 * 60 * 60 * 1000);

/** A certification authority made on the fly. */
export class Authority {
  /** Its own certificate, PEM. */
  readonly certificate: string;
  readonly #subject: JsonName;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: string, subject: JsonName, keys: webcrypto.CryptoKeyPair) {
    this.certificate = certificate;
    this.#subject = subject;
    this.#keys = keys;
  }

  /** Makes one that trusts itself, or that `issuer` trusts. */
  static async create(commonName = "Root", issuer?: Authority): Promise<Authority> {
    const keys = await generate("ECDSA");
    const subject: JsonName = [{ CN: [commonName] }];
    const certificate = await X509CertificateGenerator.create({
      subject,
      issuer: issuer === undefined ? subject : issuer.#subject,
      serialNumber: serial(),
      notBefore: days(-10),
      notAfter: days(50),
      publicKey: keys.publicKey,
      signingKey: (issuer === undefined ? keys : issuer.#keys).privateKey,
      signingAlgorithm: algorithms.ECDSA,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new Authority(certificate.toString("pem"), subject, keys);
  }

  async issue(options: CertificateOptions): Promise<Certified> {
    const { algorithm = "ECDSA", commonName, names, organizationName, usages } = options;
    const [from, to] = options.days ?? [-1, 40];
    const keys = await generate(algorithm);
    const certificate = await X509CertificateGenerator.create({
      subject: [
        ...(organizationName === undefined ? [] : [{ O: [organizationName] }]),
        ...(commonName === "" ? [] : [{ CN: [commonName] }]),
      ],
      issuer: this.#subject,
      serialNumber: serial(),
      notBefore: days(from),
      notAfter: days(to),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithms.ECDSA,
      extensions: [
        ...(names === undefined ? [] : [new SubjectAlternativeNameExtension(names)]),
        ...(usages === undefined ? [] : [new ExtendedKeyUsageExtension([...usages])]),
      ],
    });
    const pkcs8 = await subtle.exportKey("pkcs8", keys.privateKey);
    return { cert: certificate.toString("pem"), key: PemConverter.encode(pkcs8, "PRIVATE KEY") };
  }

  /** The list of those of its certificates that are revoked. */
  async revoke(...certificates: readonly Certified[]): Promise<string> {
    return this.list(certificates, 1);
  }

  /** The same, as of yesterday, with the days from now when the next one is due. */
  async list(certificates: readonly Certified[], nextUpdate: number): Promise<string> {
    const crl = await X509CrlGenerator.create({
      issuer: this.#subject,
      thisUpdate: days(-2),
      nextUpdate: days(nextUpdate),
      signingAlgorithm: algorithms.ECDSA,
      signingKey: this.#keys.privateKey,
      entries: certificates.map((certified) => ({ serialNumber: serialNumberOf(certified) })),
    });
    return PemConverter.encode(crl.rawData, "X509 CRL");
  }
}

const generate = (algorithm: keyof typeof algorithms): Promise<webcrypto.CryptoKeyPair> =>
  subtle.generateKey(algorithms[algorithm], true, ["sign", "verify"]);

/** A positive serial number. */
const serial = (): string => `01${randomBytes(8).toString("hex")}`;

export { ExtendedKeyUsage };
