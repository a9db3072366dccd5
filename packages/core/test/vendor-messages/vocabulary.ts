import { z } from "zod";
import { type StandardIssue, type StandardSchema, vendorMessage } from "../../src/index.ts";

export const limits = vendorMessage({
  vendorId: "com.example",
  messageId: "SetLimits",
  req: z.object({ amperes: z.number(), phases: z.optional(z.array(z.string())) }),
  conf: z.object({ applied: z.boolean() }),
});
export const ping = vendorMessage({ vendorId: "com.example", messageId: "Ping" });
export const label = vendorMessage({
  vendorId: "com.example",
  messageId: "Label",
  format: "text",
  req: z.string(),
  conf: z.string(),
});
export const only = vendorMessage({
  vendorId: "org.example",
  req: z.optional(z.number()),
  conf: z.optional(z.number()),
});

export const vendorId = "com.example";

/** A schema that finds what it is told to find, now or later. */
export const finding = (issues: readonly StandardIssue[] | undefined, later = false): StandardSchema => ({
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      const result = issues === undefined ? { value } : { issues };
      return later ? Promise.resolve(result) : result;
    },
  },
});
