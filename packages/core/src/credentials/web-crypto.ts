/** What is needed of the Web Crypto API, which browsers, Node, Deno, Bun and Workers all have. */
declare const crypto:
  | {
      getRandomValues?(bytes: Uint8Array): Uint8Array;
      readonly subtle?: {
        importKey(
          format: "raw",
          key: Uint8Array,
          algorithm: "PBKDF2",
          extractable: false,
          usages: readonly ["deriveBits"],
        ): Promise<unknown>;
        deriveBits(
          algorithm: { name: "PBKDF2"; hash: "SHA-256"; salt: Uint8Array; iterations: number },
          key: unknown,
          length: number,
        ): Promise<ArrayBuffer>;
      };
    }
  | undefined;

const webCrypto = () => (typeof crypto === "undefined" ? undefined : crypto);

/**
 * Random bytes that nobody can guess.
 *
 * @param instead - What to do where the runtime has no source of them: there is no fallback.
 * @throws Error The runtime has none.
 */
export function randomBytes(length: number, instead: string): Uint8Array {
  const bytes = new Uint8Array(length);
  const source = webCrypto();
  if (source?.getRandomValues === undefined) {
    throw new Error(`This runtime has no crypto.getRandomValues. ${instead}`);
  }
  source.getRandomValues(bytes);
  return bytes;
}

/** What to do without Web Crypto where passwords are hashed. */
export const ownPasswordHash = "Give a passwordHash of your own.";

/**
 * Derives 32 bytes from a password, followed by a byte 1, with PBKDF2-HMAC-SHA-256.
 *
 * @throws Error The runtime has no `crypto.subtle`, as on pages without TLS.
 */
export async function derived(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
  const subtle = webCrypto()?.subtle;
  if (subtle === undefined) throw new Error(`This runtime has no crypto.subtle. ${ownPasswordHash}`);
  // HMAC fills up its key with zero bytes; after a 1 they are no longer those at the end of another password.
  const key = await subtle.importKey("raw", Uint8Array.from([...password, 1]), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256));
}
