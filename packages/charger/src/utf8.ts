/** A text as bytes: not every runtime has a `TextEncoder`. */
export function utf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\uFFFD"));
  const bytes = escaped.match(/%..|./g) ?? [];
  return Uint8Array.from(bytes, (each) => (each.length > 1 ? Number.parseInt(each.slice(1), 16) : each.charCodeAt(0)));
}
