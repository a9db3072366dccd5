import {
  type Clock,
  type Conf,
  type Configuration,
  type ConfigurationVerdict,
  type Connect,
  type Credential,
  type Machine,
  type OptionRules,
  optionRules,
  type RecordStore,
  type Req,
  takeOptions,
} from "@ocppj/core";
import type { Decided } from "../decided.ts";
import type { SecurityEventType } from "../security/security-event.ts";
import type { CertificateHashData, CertificateStatus, CertificateTools, RootType } from "./certificate-tools.ts";
import { ChargePointCertificate } from "./charge-point-certificate.ts";
import { Connecting, isValid, type OpenConnection } from "./connecting.ts";
import { InstalledRoots } from "./installed-roots.ts";
import { type FactoryCertificates, KeptCertificates } from "./kept-certificates.ts";
import { Renewal, type RenewalOutput } from "./renewal.ts";
import { checkSigningCertificate, type SigningVerdict } from "./signing-certificate.ts";

/** Settings of {@link certificates}. */
export interface CertificatesOptions {
  /** Who reads and verifies certificates, and makes keys: `certificateTools()` of `@ocppj/node/certificates`. */
  readonly tools: CertificateTools;
  /**
   * The roots that it leaves the factory with, as PEM with one or several of them. They are taken into the store at the first
   * start; from then on the Central System installs and deletes. Default: none.
   */
  readonly roots?: { readonly [Type in RootType]?: string | undefined } | undefined;
  /**
   * The Charge Point certificate that it leaves the factory with, followed by those between it and its root, as PEM, and the
   * key, by what the tools call it. Default: none.
   */
  readonly own?: { readonly cert: string; readonly key: string } | undefined;
  /**
   * The unique serial number, commonName of the Charge Point certificate. Default: `chargePointSerialNumber` of `boot`, else
   * the identity. [SEC-A00-511]
   */
  readonly serialNumber?: string | undefined;
  /**
   * Whether a new Charge Point certificate has to name the CpoName as its organizationName. The tool for certification may
   * want false. Default true. [TCK-N03]
   */
  readonly checksCpoName?: boolean | undefined;
  /** How the hashes are made by which the Central System is told of roots. Default `SHA256`. */
  readonly hashAlgorithm?: CertificateHashData["hashAlgorithm"] | undefined;
  /**
   * Gives the lists of revoked certificates of the manufacturer, as PEM, whenever firmware is to be installed. Default: none,
   * nothing is revoked.
   */
  readonly revocationLists?: (() => string | undefined | Promise<string | undefined>) | undefined;
}

/** The certificates of a `Charger`: its option `certificates`. */
export interface Certificates {
  /** @internal */
  open(parts: CertificatesParts): Promise<OpenCertificates>;
}

/** What certificates are opened with. */
export interface CertificatesParts {
  readonly store: RecordStore;
  readonly configuration: Pick<Configuration, "get">;
  readonly clock: Clock;
  readonly report: (error: Error) => void;
  /** The serial number, where the options have none. */
  readonly serialNumber: string;
}

/** What certificates are used with, once there is a ChargePoint. */
export interface CertificatesUse {
  /** The time of the Central System, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly sign: (csr: string) => Promise<Conf<"SignCertificate">>;
  readonly reconnect: () => void;
  readonly say: (text: string) => void;
  readonly fault: (error: unknown) => void;
  /** A security event, by its type. */
  readonly noticed: (type: SecurityEventType, techInfo?: string) => void;
  /** Takes what the machine says. */
  readonly run: () => void;
}

/** The certificates of a charger that was started. */
export interface OpenCertificates {
  /** Says when it is to ask for a certificate, and when to connect with another one. By the clock of the Central System. */
  readonly machine: Machine<RenewalOutput>;
  readonly perform: (output: RenewalOutput) => void;
  /** From now on they are used. */
  use(use: CertificatesUse): void;
  /** Makes of what opens WebSockets with certificates one that chooses them. */
  opening(open: OpenConnection): (credential: Credential) => Connect;
  /** Whether a configuration key may have this value: a security profile needs its certificates. */
  approve(change: { readonly key: string; readonly value: unknown }): ConfigurationVerdict;
  install(req: Req<"InstallCertificate">): Promise<Decided<CertificateStatus<"InstallCertificate">>>;
  delete(req: Req<"DeleteCertificate">): Promise<Decided<CertificateStatus<"DeleteCertificate">>>;
  ids(req: Req<"GetInstalledCertificateIds">): Promise<Conf<"GetInstalledCertificateIds">>;
  signed(req: Req<"CertificateSigned">): Promise<Decided<CertificateStatus<"CertificateSigned">>>;
  /** Whether a certificate can be asked for. */
  readonly mayAsk: boolean;
  /** Asks for a certificate; resolves once that is written down. */
  ask(): Promise<void>;
  /** Sends what was not answered yet. */
  online(): void;
  /** Whether firmware may be signed with a certificate. */
  check(pem: string): Promise<SigningVerdict>;
}

const { callback, flag, object, oneOf, required, secret, text } = optionRules;

const toolNames = [
  "read",
  "isIssuedBy",
  "hashData",
  "newKey",
  "isKeyOf",
  "request",
  "isRevoked",
] as const satisfies readonly (keyof CertificateTools)[];

const rules: OptionRules<CertificatesOptions> = {
  tools: required(object("certificate tools, as certificateTools() makes them", ...toolNames)),
  roots: object("an object with CentralSystemRootCertificate and ManufacturerRootCertificate"),
  own: secret(object("an object with cert and key")),
  serialNumber: text,
  checksCpoName: flag,
  hashAlgorithm: oneOf("SHA256", "SHA384", "SHA512"),
  revocationLists: callback,
};

/**
 * Makes the option `certificates` of a `Charger`: it connects with certificates from its store, and the Central System
 * installs and replaces them.
 *
 * Private keys are in the store, and in what `connect` is given, nowhere else.
 *
 * @throws TypeError One of the options is not what it may be, or there is no such option.
 * @spec security white paper A02, A03, A05, L01, M03, M04, M05
 */
export function certificates(options: CertificatesOptions): Certificates {
  const taken = takeOptions("certificates", options, rules);
  const factory = factoryOf(taken);
  return { open: (parts) => open(parts, taken, factory) };
}

const ownRules: OptionRules<NonNullable<CertificatesOptions["own"]>> = {
  cert: required(text),
  key: { ...required(text), secret: true },
};

const rootsRules: OptionRules<NonNullable<CertificatesOptions["roots"]>> = {
  CentralSystemRootCertificate: text,
  ManufacturerRootCertificate: text,
};

function factoryOf({ own, roots = {} }: CertificatesOptions): FactoryCertificates {
  const taken = Object.entries(takeOptions("roots", roots, rootsRules)) as [RootType, string][];
  return {
    roots: taken.map(([type, pem]) => ({ type, pem })),
    own: own === undefined ? undefined : takeOptions("own", own, ownRules),
  };
}

async function open(
  { clock, configuration, report, serialNumber, store }: CertificatesParts,
  options: CertificatesOptions,
  factory: FactoryCertificates,
): Promise<OpenCertificates> {
  const { checksCpoName = true, hashAlgorithm = "SHA256", revocationLists = () => undefined, tools } = options;
  const kept = await KeptCertificates.load(store, factory, { tools, clock, report });
  const maxLength = (): number => configuration.get("CertificateStoreMaxLength") ?? 0;
  if (kept.roots.length > maxLength()) {
    throw new TypeError(`CertificateStoreMaxLength is ${maxLength()}, and there are ${kept.roots.length} roots.`);
  }
  let using: CertificatesUse = {
    now: () => clock.now(),
    sign: () => Promise.reject(new Error("There is no connection.")),
    reconnect: () => {},
    say: () => {},
    fault: report as (error: unknown) => void,
    noticed: () => {},
    run: () => {},
  };
  const outlet = {
    say: (line: string) => using.say(line),
    noticed: (type: SecurityEventType, techInfo?: string) => using.noticed(type, techInfo),
  };
  const now = (): number => using.now();
  const additionalCheck = (): boolean => configuration.get("AdditionalRootCertificateCheck") ?? false;
  const machine = new Renewal();
  const connecting = new Connecting(kept, { now, additionalCheck, connected: () => connected() });
  const roots = new InstalledRoots({
    ...outlet,
    kept,
    tools,
    connecting,
    now,
    maxLength,
    additionalCheck,
    hashAlgorithm,
  });
  const own = new ChargePointCertificate({
    ...outlet,
    kept,
    tools,
    serialNumber: options.serialNumber ?? serialNumber,
    checksCpoName,
    cpoName: () => configuration.get("CpoName"),
    maxChainSize: () => configuration.get("CertificateSignedMaxChainSize") ?? 10_000,
    now,
    sign: (csr) => using.sign(csr),
    fault: (error) => using.fault(error),
    changed: () => follow(),
  });

  function follow(): void {
    const { isAsked, latest } = own;
    const isBetter = latest !== undefined && connecting.own !== undefined && !connecting.wasShown(latest);
    machine.follow(latest, { isAsked, isBetter }, now());
    using.run();
  }

  function connected(): void {
    void kept.setWorked({
      root: connecting.root?.number ?? kept.worked.root,
      own: connecting.own?.number ?? kept.worked.own,
    });
    roots.connected();
    follow();
  }

  async function ask(): Promise<void> {
    try {
      await own.ask();
    } catch (error) {
      using.fault(error);
    }
  }

  return {
    machine,
    perform: (output) => {
      if (output === "ask") void ask();
      else using.reconnect();
    },
    use: (use) => {
      using = use;
      follow();
    },
    opening: (openConnection) => connecting.opening(openConnection),
    approve: ({ key, value }) => {
      const isMissing =
        key === "SecurityProfile" &&
        ((Number(value) >= 2 && !kept.rootsFor("CentralSystemRootCertificate").some((root) => isValid(root, now()))) ||
          (value === 3 && !kept.own.some((each) => isValid(each, now()))));
      return { status: isMissing ? "Rejected" : "Accepted" }; // SEC-A05-03, SEC-A05-04
    },
    install: (req) => roots.install(req),
    delete: (req) => roots.delete(req),
    ids: (req) => roots.ids(req),
    signed: (req) => own.signed(req),
    get mayAsk() {
      return own.mayAsk;
    },
    ask: () => own.ask(),
    online: () => {
      void kept.settle();
      void own.send();
    },
    check: (pem) => checkSigningCertificate(pem, { ...outlet, kept, tools, now, revocationLists }),
  };
}
