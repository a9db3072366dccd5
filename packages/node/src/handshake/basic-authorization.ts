import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { type OptionRule, optionRules } from "@ocppj/core";

/** The option `authorizationKey`. What is wrong with a string is said below. */
export const authorizationKeyRule: OptionRule = optionRules.secret({
  give: "32 to 40 hexadecimal digits, two for each byte, or the bytes of the password",
  takes: (key) => typeof key === "string" || key instanceof Uint8Array,
});

/**
 * The bytes of an AuthorizationKey: a string is the value of the configuration key, a `Uint8Array` the bytes themselves.
 *
 * @throws TypeError A string is not 32 to 40 hexadecimal digits, two for each byte.
 * @spec OCPP-J 1.6 §6.2.2; J errata 3.10 [J-176, J-181, SEC-A00-205, SEC-A00-304]
 */
export function authorizationKeyBytes(authorizationKey: string | Uint8Array): Uint8Array {
  if (typeof authorizationKey !== "string") return Uint8Array.from(authorizationKey);
  if (!/^(?:[0-9a-f]{2}){16,20}$/i.test(authorizationKey)) {
    throw new TypeError(
      "authorizationKey is not 32 to 40 hexadecimal digits, two for each byte. " +
        "For a password that is not written in hexadecimal pass its bytes, for example new TextEncoder().encode(password).",
    );
  }
  return Uint8Array.from(Buffer.from(authorizationKey, "hex"));
}

/** The fewest bytes of a password that the security profiles allow. [SEC-A00-205, SEC-A00-304] */
export const shortestPassword = 16;

/**
 * Whether the password that a Charge Point sent is its AuthorizationKey, byte for byte. How long that takes tells nothing
 * about the key, not even its length.
 *
 * @param password - What `authenticate` is given; `undefined` is nobody's.
 * @param authorizationKey - The value of the configuration key, 32 to 40 hexadecimal digits, or the bytes themselves.
 * @throws TypeError `authorizationKey` is a string, but not 32 to 40 hexadecimal digits.
 * @spec OCPP-J 1.6 §6.2.2 [J-176]
 */
export function isAuthorizationKey(password: Uint8Array | undefined, authorizationKey: string | Uint8Array): boolean {
  const key = authorizationKeyBytes(authorizationKey);
  if (password === undefined) return false;
  const secret = randomBytes(32);
  const digest = (bytes: Uint8Array): Buffer => createHmac("sha256", secret).update(bytes).digest();
  return timingSafeEqual(digest(password), digest(key));
}

/**
 * The `Authorization` header of a Charge Point: its identity and the raw bytes of its key.
 *
 * @param identity - Not percent-encoded. [J-175]
 * @param password - The bytes themselves, not their hexadecimal text. [J-176]
 * @spec OCPP-J 1.6 §6.2.2 [J-174, J-175, J-176, SEC-A00-303]
 */
export function basicAuthorization(identity: string, password: Uint8Array): string {
  return `Basic ${Buffer.concat([Buffer.from(`${identity}:`), password]).toString("base64")}`;
}

/** The bytes in an `Authorization` header of the scheme Basic; `undefined` when there is none. */
export function basicCredentials(authorization: string | undefined): Uint8Array | undefined {
  const [, base64] = /^basic +(\S+)\s*$/i.exec(authorization ?? "") ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}

/**
 * The password in the credentials of a Charge Point; `undefined` when their user name is not its identity.
 *
 * The identity is known beforehand, so one with a colon in it can be told from the password.
 */
export function passwordOf(identity: string, credentials: Uint8Array): Uint8Array | undefined {
  const userName = Buffer.from(`${identity}:`);
  if (!userName.equals(credentials.subarray(0, userName.length))) return undefined;
  return Uint8Array.from(credentials.subarray(userName.length));
}
