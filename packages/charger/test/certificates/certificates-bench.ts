import { generateKeyPairSync } from "node:crypto";
import {
  type ConfigurationKey,
  HandshakeError,
  type HandshakeFailure,
  memoryStore,
  type RecordStore,
} from "@ocppj/core";
import { certificateTools } from "@ocppj/node/certificates";
import { FakeClock } from "@ocppj/testing";
import { OpensslAuthority, requestOf, type Wish } from "../../../node/test/openssl.ts";
import type { CertificateTools } from "../../src/certificates/certificate-tools.ts";
import { type CertificatesOptions, certificates, type OpenCertificates } from "../../src/certificates/certificates.ts";
import type { ConnectingTls } from "../../src/certificates/connecting.ts";

export const day = 24 * 60 * 60 * 1000;
/** What time a {@link FakeClock} shows at first. */
export const start = Date.UTC(2026, 0, 1);

/** A root that is valid on the fake clock. */
export const rootOf = (wish: Partial<Wish> = {}, issuer?: OpensslAuthority): OpensslAuthority =>
  OpensslAuthority.create({ from: start - 10 * day, to: start + 4000 * day, ...wish }, issuer);

/**
 * The tools of Node, but for keys and requests, which openssl makes at once: no thread is waited for that the fake clock
 * knows nothing of.
 */
export const tools: CertificateTools = {
  ...certificateTools(),
  newKey: async () =>
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  request: async (key, { commonName, organizationName }) => requestOf(key, `/O=${organizationName}/CN=${commonName}`),
};

type Keys = { [Key in ConfigurationKey]?: unknown };

/** The certificates of a charger without the charger. */
export class CertificatesBench {
  readonly clock = new FakeClock();
  readonly store: RecordStore;
  readonly said: string[] = [];
  readonly noticed: string[] = [];
  readonly faults: unknown[] = [];
  /** The requests that were sent. */
  readonly requests: string[] = [];
  /** What SignCertificate is answered with. */
  answer: () => Promise<{ status: "Accepted" | "Rejected" }> = async () => ({ status: "Accepted" });
  reconnects = 0;
  readonly keys: Keys = {
    CpoName: "CPO",
    CertificateStoreMaxLength: 4,
    CertificateSignedMaxChainSize: 10_000,
    AdditionalRootCertificateCheck: false,
  };
  opened!: OpenCertificates;
  readonly #options: Partial<CertificatesOptions>;

  constructor(options: Partial<CertificatesOptions> & { readonly store?: RecordStore; readonly keys?: Keys } = {}) {
    const { keys, store = memoryStore(), ...rest } = options;
    Object.assign(this.keys, keys);
    this.store = store;
    this.#options = rest;
  }

  /** Begins, or begins anew after a power cut. */
  async open(): Promise<this> {
    const report = (error: unknown): void => void this.faults.push(error);
    this.opened = await certificates({ tools, ...this.#options }).open({
      store: this.store,
      configuration: { get: (key: string) => this.keys[key as ConfigurationKey] } as never,
      clock: this.clock,
      report,
      serialNumber: "CP001",
    });
    this.opened.use({
      now: () => this.clock.now(),
      sign: (csr) => {
        this.requests.push(csr);
        return this.answer();
      },
      reconnect: () => void this.reconnects++,
      say: (text) => this.said.push(text),
      fault: report,
      noticed: (type) => this.noticed.push(type),
      run: () => {},
    });
    return this;
  }

  /** The machine at its time, and everything that follows. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    const { machine, perform } = this.opened;
    machine.advance(this.clock.now());
    for (let output = machine.poll(); output !== undefined; output = machine.poll()) perform(output);
    await this.clock.advance(0);
  }

  async install(certificate: string, certificateType: "CentralSystemRootCertificate" | "ManufacturerRootCertificate") {
    return this.#answered(await this.opened.install({ certificate, certificateType }));
  }

  installRoot = (certificate: string) => this.install(certificate, "CentralSystemRootCertificate");
  installManufacturer = (certificate: string) => this.install(certificate, "ManufacturerRootCertificate");

  async delete(certificate: string, issuer = certificate, algorithm: "SHA256" | "SHA384" | "SHA512" = "SHA256") {
    const certificateHashData = await (this.#options.tools ?? tools).hashData(certificate, issuer, algorithm);
    return this.#answered(await this.opened.delete({ certificateHashData }));
  }

  async signed(certificateChain: string) {
    return this.#answered(await this.opened.signed({ certificateChain }));
  }

  /** Which roots are told of, by their serial numbers. */
  async ids(certificateType: "CentralSystemRootCertificate" | "ManufacturerRootCertificate") {
    const { certificateHashData, status } = await this.opened.ids({ certificateType });
    return certificateHashData?.map(({ serialNumber }) => serialNumber) ?? status;
  }

  /** Asks for a certificate and gives the request to an authority. */
  async askedFrom(authority: OpensslAuthority, wish: Partial<Wish> = {}): Promise<string> {
    await this.opened.ask();
    await this.clock.advance(0);
    return authority.sign(this.requests.at(-1) ?? "", { from: start - day, to: start + 365 * day, ...wish });
  }

  /**
   * Connects.
   *
   * @param refuses - Why the handshake fails with these certificates, if it does.
   * @returns What it has come about with, and how often it was tried; or why it has not.
   */
  async connect(
    refuses: (tls: ConnectingTls) => HandshakeFailure | undefined,
    securityProfile: 0 | 1 | 2 | 3 = 3,
    url = "wss://central.example.com",
  ): Promise<{ readonly tried: readonly ConnectingTls[]; readonly error?: unknown }> {
    const tried: ConnectingTls[] = [];
    const open = this.opened.opening((_, tls) => async () => {
      tried.push(tls);
      const reason = refuses(tls);
      if (reason !== undefined) throw new HandshakeError(reason, `No: ${tried.length}.`, { url });
      return { listen() {}, send() {}, close() {} };
    });
    const outcome = await open({ securityProfile })({ url, identity: "CP001" }).then(
      () => ({}),
      (error: unknown) => ({ error }),
    );
    await this.clock.advance(0);
    return { tried, ...outcome };
  }

  async #answered<Status>({ status, takeEffect }: { status: Status; takeEffect: () => void }): Promise<Status> {
    takeEffect();
    await this.clock.advance(0);
    return status;
  }
}

/** A Central System with the certificate of one root, which lets in who shows one of these; everybody, where there are none. */
export const centralSystem =
  (root: OpensslAuthority, shown?: readonly string[]) =>
  ({ ca, cert }: ConnectingTls): HandshakeFailure | undefined => {
    if (ca?.trim() !== root.cert.trim()) return "certificate-untrusted";
    return shown === undefined || shown.some((each) => cert?.includes(each.trim())) ? undefined : "certificate-refused";
  };

/** The number of a certificate, as it is told. */
export const serialNumberOf = async (certificate: string): Promise<string> =>
  (await tools.hashData(certificate, certificate, "SHA256")).serialNumber;
