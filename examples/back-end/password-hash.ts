import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import type { PasswordHash } from "@ocppj/core";

/** What one hash costs: about 50 ms and 16 MiB, which is what each guess costs, too. */
const cost: ScryptOptions = { N: 2 ** 14, r: 8, p: 1 };

/** What is stored of an AuthorizationKey: a hash that is slow on purpose, with a salt of its own. */
export const scryptHash: PasswordHash = {
  async seal(password) {
    const salt = randomBytes(16);
    return `scrypt$${salt.toString("hex")}$${(await derive(password, salt)).toString("hex")}`;
  },

  async verify(password, sealed) {
    const [, salt, hash] = /^scrypt\$([\da-f]{32})\$([\da-f]{64})$/.exec(sealed) ?? [];
    if (salt === undefined || hash === undefined) return false;
    // The time it takes tells nothing about where the two differ.
    return timingSafeEqual(await derive(password, Buffer.from(salt, "hex")), Buffer.from(hash, "hex"));
  },
};

function derive(password: Uint8Array, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, cost, (error, hash) => (error === null ? resolve(hash) : reject(error)));
  });
}
