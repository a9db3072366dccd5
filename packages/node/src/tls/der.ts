/* Reading DER, as far as Node does not do it: the elements of certificates and of lists of revoked ones. */

/** An element of DER. */
export interface Element {
  readonly tag: number;
  /** Where it begins, where its content does, and where it ends. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  /** `[0]` and `[3]` of a certificate, which hold one element each. */
  version: 0xa0,
  extensions: 0xa3,
} as const;

/** @throws RangeError There is no whole element. */
export function elementAt(der: Buffer, at: number): Element {
  const short = der.readUInt8(at + 1);
  const lengthBytes = short < 0x80 ? 0 : short - 0x80;
  const from = at + 2 + lengthBytes;
  const to = from + (lengthBytes === 0 ? short : der.readUIntBE(at + 2, lengthBytes));
  if (to > der.length) throw new RangeError("It ends too early.");
  return { tag: der.readUInt8(at), at, from, to };
}

/** @throws RangeError One of them is not whole. */
export function elementsOf(der: Buffer, { from, to }: Pick<Element, "from" | "to">): Element[] {
  const elements: Element[] = [];
  for (let at = from; at < to; ) {
    const element = elementAt(der, at);
    elements.push(element);
    at = element.to;
  }
  return elements;
}

/** An element as it is encoded. */
export const bytesOf = (der: Buffer, { at, to }: Element): Buffer => der.subarray(at, to);

/** The content of an element. */
export const contentOf = (der: Buffer, { from, to }: Element): Buffer => der.subarray(from, to);

export const hexOf = (der: Buffer, { from, to }: Element): string => der.toString("hex", from, to);

/** The fields of a certificate that begin with its number, however many come before it. @throws RangeError It is none. */
export function fieldsOf(certificate: Buffer): readonly Element[] {
  const [tbs] = elementsOf(certificate, elementAt(certificate, 0)) as [Element];
  const parts = elementsOf(certificate, tbs);
  return parts[0]?.tag === tags.version ? parts.slice(1) : parts;
}
