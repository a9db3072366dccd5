import { shortened } from "../peer-text.ts";
import { Failure, TransferError } from "./failure.ts";

/** What files travel by, as SupportedFileTransferProtocols names it. @spec errata 3.88 [FM-30] */
export type FileTransferProtocol = "FTP" | "FTPS" | "HTTP" | "HTTPS";

export const allProtocols: readonly FileTransferProtocol[] = ["HTTPS", "FTPS", "HTTP", "FTP"];

/** Where a file is, or is to go. */
export interface Location {
  readonly protocol: FileTransferProtocol;
  /** Of the scheme `ftp:` also for FTPS, which the standard of URLs does not know. */
  readonly url: URL;
  /** Decoded; empty where there is none. */
  readonly user: string;
  readonly password: string;
  /** As it was given: a URL may spell it in another way. */
  readonly query: string;
  /** Fit for a log. */
  readonly shown: string;
}

/**
 * Reads a URL; the scheme determines the protocol. [FM-31, FM-33]
 *
 * @throws Failure It is none, or there is no such protocol here.
 */
export function readLocation(text: string, protocols: readonly FileTransferProtocol[]): Location {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*)(:.*)$/is.exec(text.trim()) ?? [];
  const protocol = protocols.find((known) => known === scheme.toUpperCase());
  if (scheme === "") throw new Failure("the location is no URL", "BadMessage");
  if (protocol === undefined) {
    const what = `the location begins with "${shortened(scheme.toLowerCase())}:"; supported here are ${protocols.join(", ")}`;
    throw new Failure(what, "NotSupportedOperation");
  }
  const parsable = `${protocol.replace("FTPS", "FTP").toLowerCase()}${rest}`;
  if (!rest.startsWith("://") || !URL.canParse(parsable)) throw new Failure("the location is no URL", "BadMessage");
  const url = new URL(parsable);
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if (hasControls(user + password + decoded(url.pathname))) {
    throw new Failure("the location holds control characters", "BadMessage");
  }
  const [, query = ""] = /\?([^#]*)/.exec(rest) ?? [];
  return {
    protocol,
    url,
    user,
    password,
    query,
    shown: shortened(`${protocol.toLowerCase()}://${url.host}${url.pathname}`),
  };
}

/** The host, without what brackets IPv6 addresses. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

/** The path on an FTP server: from the folder that the user begins in, as RFC 1738 §3.2.2 says; `//` begins at the root. */
export const ftpPath = ({ url }: Location): string => decoded(url.pathname.replace(/^\//, ""));

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Would be more than one line to an FTP server. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
export const hasControls = (text: string): boolean => /[\x00-\x1f\x7f]/.test(text);

/** What an error says of a transfer, without secrets: also those that a library or a server has put into its words. */
export function told(doing: string, location: Location | undefined, error: unknown): TransferError {
  const { code, message, reason } = Object(error) as Partial<Failure>;
  const said = String(message || code || "nobody knows why").replace(/\.+$/, "");
  const what = shortened(withoutSecrets(lost.includes(said) ? "the connection was lost" : said, location), 300);
  const where = location === undefined ? "" : ` ${location.shown}`;
  const of = typeof code === "string" ? code : undefined;
  return new TransferError(`${doing}${where} failed: ${what}.`, reason ?? reasonOf(of), of);
}

/** How Node says that a server has hung up. */
const lost = ["aborted", "socket hang up"];

/** What cannot be read is a bad message; node:http says so by its codes. */
const reasonOf = (code = ""): Failure["reason"] => (code.startsWith("HPE_") ? "BadMessage" : "UploadFailure");

function withoutSecrets(text: string, location: Location | undefined): string {
  if (location === undefined) return text;
  const { password, query, url, user } = location;
  return [password, url.password, user, url.username, query, decoded(query), url.search.slice(1)]
    .filter((secret) => secret !== "")
    .sort((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
}
