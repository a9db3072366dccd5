import { describe, expect, test } from "vitest";
import { type ConnectOptions, connect } from "../src/index.ts";

/** Every option, with what it may not be: one that is missing is an error of the compiler. */
const bad: Readonly<Record<keyof Required<ConnectOptions>, readonly unknown[]>> = {
  handshakeTimeoutMs: [Number.NaN, 0, -1, Number.POSITIVE_INFINITY, "30", null],
  tolerate: ["missingSubprotocol", null, {}, [{}]],
  maxFrameBytes: [Number.NaN, 0, -1, 1.5, Number.POSITIVE_INFINITY, "30", null],
  maxBufferedBytes: [Number.NaN, 0, -1, 1.5, Number.POSITIVE_INFINITY, "30", null],
  closeTimeoutMs: [Number.NaN, 0, -1, Number.POSITIVE_INFINITY, "30", null],
};

describe("The options of connect", () => {
  test.each(Object.entries(bad))("%s is refused at once if it is none, by name and value", (name, values) => {
    for (const value of values) {
      const told = {
        string: `"${value}"`,
        object: value === null ? "null" : Array.isArray(value) ? "a list" : "an object",
      };
      expect(() => connect({ [name]: value })).toThrow(TypeError);
      expect(() => connect({ [name]: value })).toThrow(
        `${name} is ${told[typeof value as keyof typeof told] ?? value}. Give `,
      );
    }
    expect(() => connect({ [name]: undefined })).not.toThrow();
  });

  test("have no other names than these", () => {
    expect(() => connect({ authorizationKey: "00" } as never)).toThrow(
      new TypeError(`connect has no option "authorizationKey". It has ${Object.keys(bad).join(", ")}.`),
    );
  });
});
