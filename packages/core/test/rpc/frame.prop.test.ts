import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode, type Frame } from "../../src/rpc/frame.ts";

const messageId = fc.string({ minLength: 1, maxLength: 36, unit: "binary" });
const payload = fc.jsonValue({ depthSize: "medium", stringUnit: "binary" });
const details = fc.dictionary(fc.string(), payload);

const frames: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant("CALL" as const), messageId, action: fc.string(), payload }),
  fc.record({ type: fc.constant("CALLRESULT" as const), messageId, payload }),
  fc.record({
    type: fc.constant("CALLERROR" as const),
    messageId,
    errorCode: fc.string(),
    errorDescription: fc.string(),
    errorDetails: details,
  }),
);

/** What the documents call a frame, said once more and independently: by its JSON alone. */
function isFrame(text: string): boolean {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, "").replace(/[\0\t\n\r ]*$/, ""));
  } catch {
    return false;
  }
  if (!Array.isArray(json)) return false;
  const [type, id, third, fourth, fifth] = json;
  if (typeof id !== "string") return false;
  const isId = id !== "" && [...id].length <= 36;
  const isDetails = typeof fifth === "object" && fifth !== null && !Array.isArray(fifth);
  if (type === 2) return json.length === 4 && isId && typeof third === "string";
  if (type === 3) return json.length === 3;
  return type === 4 && json.length === 5 && typeof third === "string" && typeof fourth === "string" && isDetails;
}

/** A frame as JSON in which something was replaced, dropped, doubled, cut off or wrapped. */
const damaged = fc
  .tuple(
    frames.map((frame) => JSON.parse(encode(frame)) as unknown[]),
    fc.nat(5),
    payload,
    fc.nat(5),
  )
  .chain(([json, index, value, how]) => {
    const at = index % json.length;
    const text = JSON.stringify(json);
    return fc.constantFrom(
      JSON.stringify([...json.slice(0, at), value, ...json.slice(at + 1)]),
      JSON.stringify([...json.slice(0, at), ...json.slice(at + 1)]),
      JSON.stringify([...json, value]),
      text.slice(0, text.length - 1 - how),
      `\uFEFF${text}\0`,
      `${text}${text}`,
      text.replace('"', '\\"'),
    );
  });

const hostile = fc.constantFrom(
  "[".repeat(100_000),
  `[2,"1","Heartbeat",${"[".repeat(5000)}${"]".repeat(5000)}]`,
  `[3,"1",${'{"a":'.repeat(5000)}1${"}".repeat(5000)}]`,
  '[2,"__proto__","__proto__",{"__proto__":{"__proto__":1}}]',
  '[4,"constructor","__proto__","toString",{"__proto__":1}]',
  '[2,"\\ud800","Heartbeat",{"a":"\\udc00"}]',
  '[2,"1","Heartbeat",{"a":1e400,"b":-1e400,"c":123456789012345678901234567890}]',
  '[1e400,"1","Heartbeat",{}]',
  "\uFEFF",
  "\0\0\0",
);

describe("decode", () => {
  test("is undone by encode: what is sent is what is read [J-040] [J-052]", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        // JSON knows no -0.
        expect(decode(encode(frame))).toStrictEqual({ ...frame, ...jsonOf(frame) });
      }),
    );
  });

  test.each([
    ["arbitrary strings", fc.string({ unit: "binary" })],
    ["arbitrary JSON", payload.map((value) => JSON.stringify(value))],
    [
      "arbitrary arrays",
      fc.array(fc.oneof(fc.constantFrom(2, 3, 4, "2"), payload)).map((value) => JSON.stringify(value)),
    ],
    ["frames", frames.map(encode)],
    ["damaged frames", damaged],
    ["hostile texts", hostile],
  ])("never throws, and makes a frame of %s exactly when they are one [J-065] [J-127]", (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(decode(text).type === "MALFORMED").toBe(!isFrame(text));
      }),
      { numRuns: 500 },
    );
  });
});

const jsonOf = (frame: Frame): object => JSON.parse(JSON.stringify(frame));
