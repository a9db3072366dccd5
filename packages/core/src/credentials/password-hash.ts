import { type OptionRules, optionRules, takeOptions } from "../options.ts";
import { derived, ownPasswordHash, randomBytes } from "./web-crypto.ts";

/** Turns passwords into what may be stored, and tells whether a password is the one that was stored. */
export interface PasswordHash {
  /** What is stored of a password; never twice the same, because it is salted. */
  seal(password: Uint8Array): string | Promise<string>;
  /** Whether `sealed` was made of this password; false for what was sealed in another way. */
  verify(password: Uint8Array, sealed: string): boolean | Promise<boolean>;
}

/** Settings of {@link passwordHash}. */
export interface PasswordHashOptions {
  /**
   * How often the hash is repeated, for passwords that are sealed from now on. Default 10 000, a few milliseconds.
   *
   * An AuthorizationKey of 16 random bytes or more cannot be guessed, however fast the guesses are; repeating makes it
   * harder for those that were not random, and for whole fleets to come back at once. For keys that somebody thought up
   * 600 000 is right.
   */
  readonly iterations?: number | undefined;
}

const rules: OptionRules<PasswordHashOptions> = { iterations: /* @__PURE__ */ optionRules.whole(1, 999_999_999) };

const name = "pbkdf2-sha256";

/**
 * Makes the default {@link PasswordHash}: PBKDF2 with HMAC-SHA-256 and a salt of 16 random bytes.
 *
 * @throws TypeError `iterations` is not what it may be, or there is another option.
 * @spec OCPP-J 1.6 §6.2.2; security white paper A01.FR.08 [J-185, SEC-A01-08]
 */
export function passwordHash(options: PasswordHashOptions = {}): PasswordHash {
  const { iterations = 10_000 } = takeOptions("passwordHash", options, rules);
  return {
    async seal(password) {
      const salt = randomBytes(16, ownPasswordHash);
      return [name, iterations, hexOf(salt), hexOf(await derived(password, salt, iterations))].join("$");
    },
    async verify(password, sealed) {
      const [, times, salt, expected] =
        /^pbkdf2-sha256\$([1-9]\d{0,8})\$([\da-f]{32})\$([\da-f]{64})$/.exec(sealed) ?? [];
      if (times === undefined || salt === undefined || expected === undefined) return false;
      return sameBytes(await derived(password, bytesOf(salt), Number(times)), bytesOf(expected));
    },
  };
}

/**
 * Whether two byte strings are equal, without telling by its duration where they differ: it looks at every byte in any
 * case. That is as much as JavaScript can promise, whose compilers promise nothing about time; it is applied to salted
 * hashes, of which nobody outside can choose the bytes.
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= (a[at] as number) ^ (b[at] ?? 0);
  return difference === 0;
}

/** Bytes in hexadecimal, two lower-case digits for each. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of a text of hexadecimal digits, two for each. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}
