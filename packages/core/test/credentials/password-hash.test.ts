import { describe, expect, test, vi } from "vitest";
import { sameBytes } from "../../src/credentials/password-hash.ts";
import { passwordHash } from "../../src/index.ts";

const password = Uint8Array.from({ length: 20 }, (_, at) => at * 13);

describe("passwordHash", () => {
  test("knows the password again, and no other [J-185] [SEC-A01-08]", async () => {
    const hash = passwordHash();
    const sealed = await hash.seal(password);
    expect(await hash.verify(password, sealed)).toBe(true);
    const others = [
      password.slice(0, 19),
      Uint8Array.from([...password, 0]),
      password.map((byte, at) => (at === 19 ? byte ^ 1 : byte)),
      new Uint8Array(),
    ];
    for (const other of others) expect(await hash.verify(other, sealed)).toBe(false);
  });

  test("seals the same password differently each time, and without its bytes [J-185] [SEC-A01-08]", async () => {
    const hash = passwordHash();
    const [one, other] = [await hash.seal(password), await hash.seal(password)];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^pbkdf2-sha256\$10000\$[\da-f]{32}\$[\da-f]{64}$/);
    expect(one).not.toContain(Buffer.from(password).toString("hex"));
  });

  test("is PBKDF2 with HMAC-SHA-256, of the password and a byte that ends it", async () => {
    const salt = Buffer.from("NaCl-NaCl-NaCl-0").toString("hex");
    const { pbkdf2Sync } = await import("node:crypto");
    const expected = pbkdf2Sync(Buffer.from([...password, 1]), Buffer.from(salt, "hex"), 3, 32, "sha256").toString(
      "hex",
    );
    expect(await passwordHash().verify(password, `pbkdf2-sha256$3$${salt}$${expected}`)).toBe(true);
    expect(await passwordHash().verify(password, `pbkdf2-sha256$4$${salt}$${expected}`)).toBe(false);
  });

  test("verifies what was sealed with other iterations", async () => {
    const sealed = await passwordHash({ iterations: 2 }).seal(password);
    expect(sealed).toMatch(/^pbkdf2-sha256\$2\$/);
    expect(await passwordHash({ iterations: 50 }).verify(password, sealed)).toBe(true);
  });

  test.each(["", "plain", "pbkdf2-sha256$0$00$00", `pbkdf2-sha256$1$${"0".repeat(32)}$${"0".repeat(62)}`])(
    "takes no password for %j",
    async (sealed) => {
      expect(await passwordHash().verify(password, sealed)).toBe(false);
    },
  );

  test.each([0, -1, 1.5, Number.NaN, 1e9])("refuses %d iterations", (iterations) => {
    expect(() => passwordHash({ iterations })).toThrow(TypeError);
  });

  test("says so where the runtime has no Web Crypto, instead of doing without", async () => {
    vi.stubGlobal("crypto", undefined);
    try {
      await expect(passwordHash().seal(password)).rejects.toThrow(
        /no crypto.getRandomValues. Give a passwordHash of your own/,
      );
      const sealed = `pbkdf2-sha256$1$${"0".repeat(32)}$${"0".repeat(64)}`;
      await expect(passwordHash().verify(password, sealed)).rejects.toThrow(
        /no crypto.subtle. Give a passwordHash of your own/,
      );
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe("sameBytes", () => {
  test("compares content and length", () => {
    const bytes = (...values: number[]) => Uint8Array.from(values);
    expect(sameBytes(bytes(1, 2), bytes(1, 2))).toBe(true);
    expect(sameBytes(bytes(), bytes())).toBe(true);
    for (const other of [bytes(1, 3), bytes(0, 2), bytes(1), bytes(1, 2, 0), bytes()]) {
      expect(sameBytes(bytes(1, 2), other)).toBe(false);
      expect(sameBytes(other, bytes(1, 2))).toBe(false);
    }
  });
});
