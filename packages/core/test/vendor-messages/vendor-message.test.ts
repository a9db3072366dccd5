import { describe, expect, test } from "vitest";
import { vendorMessage } from "../../src/index.ts";
import { vendorId } from "./vocabulary.ts";

describe("vendorMessage", () => {
  test.each([{ vendorId: "x".repeat(256) }, { vendorId, messageId: "x".repeat(51) }])(
    "refuses a name that DataTransfer has no room for",
    (message) => {
      expect(() => vendorMessage(message)).toThrow(
        expect.objectContaining({ name: "PayloadError", origin: "local", code: "PropertyConstraintViolation" }),
      );
    },
  );
});
