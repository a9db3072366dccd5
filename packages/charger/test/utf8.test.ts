import fc from "fast-check";
import { expect, test } from "vitest";
import { utf8 } from "../src/utf8.ts";

test("a text becomes the bytes that everybody else makes of it, half characters too", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\ud800", "\udc00", "%4")) }),
      (text) => {
        expect([...utf8(text)]).toEqual([...new TextEncoder().encode(text)]);
      },
    ),
  );
});
