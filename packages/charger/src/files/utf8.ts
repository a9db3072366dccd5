/** A text as UTF-8; not every runtime of a charger has a TextEncoder. */
export function utf8(text: string): Uint8Array {
  const sound = text.replace(/\p{Surrogate}/gu, "\ufffd");
  const bytes = encodeURIComponent(sound).match(/%..|./g) ?? [];
  return Uint8Array.from(bytes, (byte) => (byte.length > 1 ? Number.parseInt(byte.slice(1), 16) : byte.charCodeAt(0)));
}
