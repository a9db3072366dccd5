/*
 * Lists of revoked certificates. OpenSSL looks certificates up in them during TLS handshakes, and reads one list of a PEM
 * text; what it does not do is done here: all lists of a text, how long each is current, and connections that are open
 * already. Whether a list is genuine OpenSSL finds out in the next handshake; here it is its owner's.
 */
import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { bytesOf, type Element, elementAt, elementsOf, fieldsOf, hexOf, tags } from "./der.ts";

/** One list, as {@link Listener.revocationLists} tells of it. */
export interface RevocationList {
  /** When it was made. */
  readonly thisUpdate: Date;
  /** When the next one is due; with a list that is older nobody is let in. `undefined` where it does not say. */
  readonly nextUpdate: Date | undefined;
  /** How many certificates it revokes. */
  readonly revoked: number;
}

/** The same, to look certificates up in. */
export interface ReadRevocationList extends RevocationList {
  readonly pem: string;
  /** The name of its authority, as it is encoded. */
  readonly issuer: Buffer;
  /** The numbers of the certificates, in hexadecimal. */
  readonly serialNumbers: ReadonlySet<string>;
}

/**
 * Reads every list in PEM texts and files.
 *
 * @throws Error A file cannot be read, there is no list in a text, or one that cannot be read.
 */
export function readRevocationLists(sources: readonly (string | Buffer | URL)[]): ReadRevocationList[] {
  return sources.flatMap((source) => {
    const text = source instanceof URL ? readFileSync(source, "utf8") : source.toString();
    const blocks = text.match(/-----BEGIN X509 CRL-----[^-]*-----END X509 CRL-----/g) ?? [];
    const begun = text.split("-----BEGIN ").length - 1;
    if (blocks.length === 0 || blocks.length !== begun) {
      throw new Error(`of ${begun} PEM blocks in crl, ${blocks.length} are whole lists of revoked certificates`);
    }
    return blocks.map(read);
  });
}

function read(pem: string): ReadRevocationList {
  try {
    const der = Buffer.from(pem.replace(/-----[^-]*-----|\s/g, ""), "base64");
    const [tbs] = elementsOf(der, elementAt(der, 0)) as [Element];
    const parts = elementsOf(der, tbs);
    const [, issuer, thisUpdate, next, ...more] = parts[0]?.tag === tags.integer ? parts.slice(1) : parts;
    const nextUpdate = next !== undefined && isTime(next) ? timeIn(der, next) : undefined;
    const entries = [...(next === undefined ? [] : [next]), ...more].find(({ tag }) => tag === tags.sequence);
    const serialNumbers = (entries === undefined ? [] : elementsOf(der, entries)).map((entry) =>
      hexOf(der, elementsOf(der, entry)[0] as Element),
    );
    return {
      pem,
      issuer: bytesOf(der, issuer as Element),
      thisUpdate: timeIn(der, thisUpdate as Element),
      nextUpdate,
      revoked: serialNumbers.length,
      serialNumbers: new Set(serialNumbers),
    };
  } catch (cause) {
    throw new Error("a list of revoked certificates in crl cannot be read", { cause });
  }
}

/** Whether one of the lists revokes a certificate, or one of those between it and its root. */
export function isRevoked(certificate: X509Certificate, lists: readonly ReadRevocationList[]): boolean {
  const revokes = ({ raw }: X509Certificate): boolean => {
    const [serialNumber, , issuer] = fieldsOf(raw);
    const number = hexOf(raw, serialNumber as Element);
    const name = bytesOf(raw, issuer as Element);
    return lists.some((list) => list.serialNumbers.has(number) && list.issuer.equals(name));
  };
  let link: X509Certificate | undefined = certificate;
  // A root is its own issuer; no chain is longer than this.
  for (let length = 0; link !== undefined && length < 10; length++, link = link.issuerCertificate) {
    if (revokes(link)) return true;
  }
  return false;
}

const isTime = ({ tag }: Element): boolean => tag === tags.utcTime || tag === tags.generalizedTime;

/** RFC 5280 §4.1.2.5: always of UTC and with seconds; two digits of a year are those from 1950 to 2049. */
function timeIn(der: Buffer, { from, tag, to }: Element): Date {
  const text = der.toString("latin1", from, to);
  const digits = tag === tags.utcTime ? `${text < "5" ? "20" : "19"}${text}` : text;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime())) throw new RangeError("It has no time.");
  return time;
}
