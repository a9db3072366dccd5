import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  basicAuthorization,
  basicCredentials,
  isAuthorizationKey,
  passwordOf,
} from "../../src/handshake/basic-authorization.ts";

const key = Uint8Array.from(Buffer.from("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF", "hex"));
const golden = "Basic QUwxMDAwOgABAgMEBQYH////////////////";

describe("basicAuthorization", () => {
  test("writes the header that the document gives for a binary key [J-174] [J-176] [trap 13]", () => {
    expect(basicAuthorization("AL1000", key)).toBe(golden);
  });

  test("writes an identity beyond ASCII as UTF-8, not percent-encoded [J-175]", () => {
    expect(basicAuthorization("Säule 1", Uint8Array.of(0x21))).toBe(
      `Basic ${Buffer.from("Säule 1:!").toString("base64")}`,
    );
  });
});

describe("basicCredentials", () => {
  test("reads the bytes back, not a text made of them [J-176] [trap 13]", () => {
    expect(basicCredentials(golden)).toEqual(Buffer.concat([Buffer.from("AL1000:"), key]));
  });

  test.each(["basic", "BASIC", "Basic "])('takes the scheme "%s" in any case, after any number of spaces', (scheme) => {
    expect(String(basicCredentials(`${scheme} YTpi`))).toBe("a:b");
  });

  test.each([undefined, "", "Bearer YTpi", "Basic", "Basic ", "Basic a b"])("finds none in %j", (header) => {
    expect(basicCredentials(header)).toBeUndefined();
  });
});

describe("passwordOf", () => {
  const credentials = (text: string) => Buffer.from(text);

  test("is what follows the identity and a colon, colons included", () => {
    expect(passwordOf("CP001", credentials("CP001:a:b"))).toEqual(Uint8Array.from(credentials("a:b")));
  });

  test("is found behind an identity with a colon in it [J-011]", () => {
    expect(passwordOf("site:7", credentials("site:7:secret"))).toEqual(Uint8Array.from(credentials("secret")));
  });

  test("may be empty", () => {
    expect(passwordOf("CP001", credentials("CP001:"))).toEqual(new Uint8Array());
  });

  test.each(["CP002:secret", "CP0011:secret", "cp001:secret", "CP001", "", ":secret"])(
    'is not that of another user name: "%s" [SEC-A00-204]',
    (text) => {
      expect(passwordOf("CP001", credentials(text))).toBeUndefined();
    },
  );
});

describe("isAuthorizationKey", () => {
  const text = "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF";

  test("is true for the bytes of the key, however the key is given [J-176] [trap 13]", () => {
    expect(isAuthorizationKey(key, text)).toBe(true);
    expect(isAuthorizationKey(key, text.toLowerCase())).toBe(true);
    expect(isAuthorizationKey(key, Uint8Array.from(key))).toBe(true);
    expect(isAuthorizationKey(passwordOf("AL1000", basicCredentials(golden) ?? new Uint8Array()), text)).toBe(true);
  });

  test.each([
    ["the first byte is another one", Uint8Array.from([1, ...key.slice(1)])],
    ["the last byte is another one", Uint8Array.from([...key.slice(0, -1), 0xfe])],
    ["it is shorter", key.slice(0, -1)],
    ["it is longer", Uint8Array.from([...key, 0])],
    ["it is empty", new Uint8Array()],
    ["it is the hexadecimal text [Q23]", Uint8Array.from(Buffer.from(text))],
    ["it went through a text in UTF-8", Uint8Array.from(Buffer.from(Buffer.from(key).toString()))],
    ["there is none", undefined],
  ])("is false when %s", (_, password) => {
    expect(isAuthorizationKey(password, text)).toBe(false);
  });

  test("compares in constant time, whatever the lengths", () => {
    const compare = vi.spyOn(crypto, "timingSafeEqual");
    syncBuiltinESMExports();
    onTestFinished(() => {
      compare.mockRestore();
      syncBuiltinESMExports();
    });
    for (const password of [key, key.slice(1), new Uint8Array()]) isAuthorizationKey(password, text);
    expect(compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength])).toEqual([
      [32, 32],
      [32, 32],
      [32, 32],
    ]);
  });

  test("throws where the key is none, whatever the password [J-181]", () => {
    expect(() => isAuthorizationKey(key, "secret")).toThrow(TypeError);
    expect(() => isAuthorizationKey(undefined, "secret")).toThrow(TypeError);
  });
});
