/** 64 bits of a text in hexadecimal: two multiplicative hashes, mixed as the last step of MurmurHash3 does. */
export function digest(text: string): string {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x85ebca77);
  }
  const mixed = [mix(high ^ (low >>> 15)), mix(low ^ (high >>> 13))];
  return mixed.map((part) => part.toString(16).padStart(8, "0")).join("");
}

function mix(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
