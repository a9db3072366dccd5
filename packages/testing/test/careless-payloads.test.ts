import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryCarelessPayload } from "../src/careless-payloads.ts";

test.each(["toString", "valueOf", "toJSON", "__proto__", "constructor"])(
  "spoils an object whose %s is none, and makes JSON of it",
  (name) => {
    const payload: unknown = JSON.parse(`{"data":{"${name}":1,"inner":{"${name}":null}},"list":[{"${name}":"x"}]}`);
    fc.assert(
      fc.property(arbitraryCarelessPayload(payload), (spoilt) => {
        expect(JSON.parse(JSON.stringify(spoilt))).toEqual(spoilt);
      }),
      { numRuns: 300 },
    );
  },
);
