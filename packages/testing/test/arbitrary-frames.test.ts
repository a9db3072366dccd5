import { type Action, actions, decode, encode, errorCodes, type Frame, type Malformed } from "@ocppj/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryFrame, arbitraryMutatedFrame } from "../src/index.ts";

const frames = fc.sample(arbitraryFrame(), { numRuns: 2000, seed: 16 });
const texts = fc.sample(arbitraryMutatedFrame(), { numRuns: 5000, seed: 16 });

describe("arbitraryFrame", () => {
  test("generates frames that survive the wire unchanged", () => {
    for (const frame of frames) expect(decode(encode(frame))).toStrictEqual(frame);
  });

  test("generates CALLs with the payloads of their action", () => {
    for (const frame of frames) {
      if (frame.type === "CALL")
        expect(actions[frame.action as Action].req.safeParse(frame.payload).success).toBe(true);
    }
  });

  test("reaches every type of frame, every action and every error code", () => {
    const reached = (select: (frame: Frame) => string | undefined): unknown[] => [
      ...new Set(frames.map(select).filter((value) => value !== undefined)),
    ];
    expect(reached((frame) => frame.type).sort()).toEqual(["CALL", "CALLERROR", "CALLRESULT"]);
    expect(reached((frame) => (frame.type === "CALL" ? frame.action : undefined)).sort()).toEqual(
      Object.keys(actions).sort(),
    );
    expect(reached((frame) => (frame.type === "CALLERROR" ? frame.errorCode : undefined)).sort()).toEqual(
      Object.keys(errorCodes).sort(),
    );
  });

  test("reaches message ids of 1 and of 36 characters, beyond the basic plane, and names that objects inherit [J-050]", () => {
    const ids = new Set(frames.map(({ messageId }) => messageId));
    const lengths = [...ids].map((id) => [...id].length);
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([1, 36]);
    for (const id of ["x".repeat(36), "🔌".repeat(36), "__proto__", "toString", "constructor"])
      expect(ids).toContain(id);
  });

  test("reaches CALLERRORs with and without description and details", () => {
    const errors = frames.filter((frame) => frame.type === "CALLERROR");
    const details = errors.map(({ errorDetails }) => Object.keys(errorDetails).length);
    expect(errors.some(({ errorDescription }) => errorDescription === "")).toBe(true);
    expect(errors.some(({ errorDescription }) => errorDescription.length > 10)).toBe(true);
    expect([Math.min(...details), Math.max(...details)]).toEqual([0, 3]);
  });
});

describe("arbitraryMutatedFrame", () => {
  const decoded = texts.map((text) => decode(text));
  const malformed = decoded.filter((frame): frame is Malformed => frame.type === "MALFORMED");

  test("reaches every way in which a text is no frame, and leaves some frames intact", () => {
    const reasons = new Set(malformed.map((frame) => `${frame.intended ?? ""} ${frame.reason}`));
    expect([...reasons].sort()).toEqual([
      " message-type",
      " not-an-array",
      " not-json",
      "CALL call-shape",
      "CALL message-id",
      "CALLERROR answer-shape",
      "CALLERROR not-json",
      "CALLRESULT answer-shape",
      "CALLRESULT not-json",
    ]);
    const intact = texts.length - malformed.length;
    expect(intact).toBeGreaterThan(texts.length / 10);
    expect(intact).toBeLessThan(texts.length / 2);
    expect(malformed.filter(({ reason }) => reason === "not-json").length).toBeLessThan(texts.length / 2);
  });

  test("reaches CALLERRORs that can be repaired, and CALLs that can be answered", () => {
    expect(malformed.some(({ repaired }) => repaired !== undefined)).toBe(true);
    expect(malformed.some(({ intended, messageId }) => intended === "CALL" && messageId !== undefined)).toBe(true);
    expect(malformed.some(({ intended, messageId }) => intended === "CALL" && messageId === undefined)).toBe(true);
  });

  test.each(["__proto__", "constructor", "toString"])("reaches %s as message id, action, code and key", (name) => {
    const intact = decoded.filter((frame): frame is Frame => frame.type !== "MALFORMED");
    expect(intact.some(({ messageId }) => messageId === name)).toBe(true);
    expect(intact.some((frame) => frame.type === "CALL" && frame.action === name)).toBe(true);
    expect(intact.some((frame) => frame.type === "CALLERROR" && frame.errorCode === name)).toBe(true);
    const hasKey = (value: unknown): boolean =>
      typeof value === "object" && value !== null && Object.hasOwn(value, name);
    expect(intact.some((frame) => frame.type === "CALL" && hasKey(frame.payload))).toBe(true);
  });

  test.each([
    ["the codes of later versions", /^\[4,"[^"]*","(OccurrenceConstraintViolation|FormatViolation)",/],
    ["message types of later versions", /^\[[56],/],
    ["a message type as text", /^\["2",/],
    ["an empty message id", /^\[2,"",/],
    ["a message id of 37 characters", /^\[2,"x{37}",/],
    ["a message id of 1000 characters", /^\[[234],"x{1000}"/],
    ["a message id that is a number", /^\[2,-?\d/],
    ["a number beyond all limits", /1e400/],
    ["deep nesting", /\[{10000}\]{10000}|(\{"a":){10000}/],
    ["half a surrogate pair", /\p{Surrogate}/u],
    ["half a surrogate pair, escaped", /\\ud800/],
    ["a byte order mark", /^\ufeff\[2,.*\]$/],
    ["a trailing NUL", /^\[2,.*\]\0+$/],
    ["whitespace between the elements", /^\[2 ,\r\n\t"/],
    ["whitespace around the frame", /^\r\n\t\[2,.*\]/],
    ["two frames in one text", /^(\[2,.*\])\n\1$/],
    ["a frame that is cut off", /^\[2,"[^"]*","[A-Z][A-Za-z]*"?$/],
    ["no text at all", /^$/],
  ])("reaches %s", (_, pattern) => {
    expect(texts.some((text) => pattern.test(text))).toBe(true);
  });
});
