import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a certificate says. */
export interface Wish {
  /** For example `/O=CPO/CN=CP001`. */
  readonly subject: string;
  /** When it is valid, in milliseconds since the epoch. Default: from a day ago for 400 days. */
  readonly from?: number;
  readonly to?: number;
  /** Default: the P-256 curve. */
  readonly key?: "ec" | "ec-p192" | "rsa" | "rsa-1024";
  /** Its extensions, in the words of openssl. Default: none. */
  readonly extensions?: readonly string[];
  /** The hash that its issuer signs with. Default `sha256`. */
  readonly digest?: string;
  /** Whether the issuer signs with RSA-PSS. */
  readonly pss?: boolean;
}

/** A certificate with its private key, PEM, both made by openssl. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

const authorityExtensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];

const day = 24 * 60 * 60 * 1000;

const keyOptions = {
  ec: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  "ec-p192": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-192"],
  rsa: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  "rsa-1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
} as const;

/** Runs openssl; what it says is returned. */
export const openssl = (input: string | undefined, ...args: readonly string[]): string =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: ["pipe", "pipe", "pipe"], ...(input && { input }) });

/** A certification authority of openssl. */
export class OpensslAuthority {
  readonly cert: string;
  readonly key: string;

  constructor(issued: Issued) {
    this.cert = issued.cert;
    this.key = issued.key;
  }

  /** One that has issued its own certificate, or that of which `issuer` has. */
  static create(wish: Partial<Wish> = {}, issuer?: OpensslAuthority): OpensslAuthority {
    const full = { subject: "/O=CPO/CN=Root", extensions: authorityExtensions, to: Date.now() + 4000 * day, ...wish };
    return new OpensslAuthority(issuer === undefined ? make(full) : issuer.issue(full));
  }

  /** Makes a key and a certificate of it. */
  issue(wish: Wish): Issued {
    return make(wish, this);
  }

  /** Issues what a PKCS #10 request asks for. */
  sign(csr: string, wish: Partial<Wish> = {}): string {
    return certify(csr, { subject: "", ...wish }, this);
  }

  /** The list of those of its certificates that are revoked. */
  revoke(...certificates: readonly string[]): string {
    return inFolder((path) => {
      const database = certificates.map((cert) => {
        const serial = openssl(cert, "x509", "-noout", "-serial").trim().replace("serial=", "");
        return `R\t350101000000Z\t260101000000Z\t${serial}\tunknown\t/CN=any\n`;
      });
      prepare(path, { subject: "" }, this, database.join(""));
      return openssl(undefined, "ca", "-config", path("config"), "-gencrl", "-crldays", "4000");
    });
  }
}

/** Makes a PKCS #10 request for a private key. */
export const requestOf = (key: string, subject: string): string =>
  inFolder((path) => {
    writeFileSync(path("key"), key);
    return openssl(undefined, "req", "-new", "-key", path("key"), "-subj", subject);
  });

function make(wish: Wish, issuer?: OpensslAuthority): Issued {
  const key = openssl(undefined, "genpkey", ...keyOptions[wish.key ?? "ec"]);
  const csr = requestOf(key, wish.subject);
  return { key, cert: certify(csr, wish, issuer ?? new OpensslAuthority({ cert: "", key })) };
}

function certify(csr: string, wish: Wish, issuer: OpensslAuthority): string {
  const { digest = "sha256", from = Date.now() - day, pss = false, to = from + 400 * day } = wish;
  return inFolder((path) => {
    writeFileSync(path("csr"), csr);
    prepare(path, wish, issuer, "");
    const args = ["-config", path("config"), "-batch", "-notext", "-in", path("csr"), "-md", digest];
    const own = issuer.cert === "" ? ["-selfsign"] : [];
    const subject = wish.subject === "" ? [] : ["-subj", wish.subject];
    const padding = pss ? ["-sigopt", "rsa_padding_mode:pss"] : [];
    const times = ["-startdate", asn1Time(from), "-enddate", asn1Time(to)];
    return openssl(undefined, "ca", ...args, ...own, ...subject, ...padding, ...times);
  });
}

function prepare(path: (name: string) => string, wish: Wish, issuer: OpensslAuthority, database: string): void {
  writeFileSync(path("ca-key"), issuer.key);
  writeFileSync(path("ca-cert"), issuer.cert);
  writeFileSync(path("database"), database);
  writeFileSync(path("database.attr"), "unique_subject = no\n");
  const extensions = (wish.extensions ?? []).map((each) => each.replace("=", " = "));
  const files = `database=${path("database")}\nnew_certs_dir=${path("")}\ncertificate=${path("ca-cert")}\nprivate_key=${path("ca-key")}`;
  const names = ["countryName", "organizationName", "commonName"].map((name) => `${name}=optional`).join("\n");
  const lines = [
    "[ca]",
    "default_ca=own",
    "[own]",
    files,
    "policy=any",
    "default_md=sha256",
    "preserve=yes",
    "rand_serial=yes",
  ];
  const added = extensions.length === 0 ? [] : ["x509_extensions=added"];
  const end = ["[any]", names, "[added]", ...extensions, ""];
  writeFileSync(path("config"), [...lines, ...added, ...end].join("\n"));
}

function inFolder<T>(work: (path: (name: string) => string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "ocppj-openssl-"));
  try {
    return work((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const asn1Time = (time: number): string => new Date(time).toISOString().replace(/[-:T]|\.\d+/g, "");
