import { encode } from "@ocppj/core";
import fc from "fast-check";
import { arbitraryFrame } from "./arbitrary-frames.ts";

/**
 * What careless software makes of a valid payload: one to three places hold a placeholder, another type, another spelling,
 * too much or nothing. It is JSON; it may be valid by chance.
 */
export function arbitraryCarelessPayload(payload: unknown): fc.Arbitrary<unknown> {
  return fc.array(fc.tuple(fc.nat(), change), { minLength: 1, maxLength: 3 }).map((changes) => {
    const spoilt = changes.reduce<unknown>((before, [at, spoil]) => {
      const paths = pathsIn(before);
      return changed(before, paths[at % paths.length] ?? [], spoil);
    }, payload);
    return JSON.parse(JSON.stringify(spoilt) ?? "null");
  });
}

/** A text that is nearly the JSON of a frame: values left out, commas too many, brackets missing at the end. */
export function arbitraryCarelessJson(): fc.Arbitrary<string> {
  return fc
    .tuple(arbitraryFrame().map(encode), fc.array(fc.tuple(fc.nat(), textChange), { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) => changes.reduce((before, [at, spoil]) => spoil(before, at), text));
}

type Change = (value: unknown) => unknown;

const placeholders = [null, undefined, "", " ", "0", 0, [], {}];

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(...placeholders).map((value) => () => value),
  fc.constantFrom<Change>(
    (value) => textOf(value).toUpperCase(),
    (value) => ` ${textOf(value).toLowerCase()} `,
    textOf,
    (value) => (typeof value === "string" ? Number(value) : Number(textOf(value)) + 0.25),
    (value) => (Array.isArray(value) ? value[0] : [value]),
    (value) => (typeof value === "string" ? value.replace(/Z$|:\d\d$/, "") : value),
    (value) => (typeof value === "string" ? value.replace(/0(\d)/g, "$1").replace("T", " ") : value),
    (value) => `${textOf(value)}${"x".repeat(60)}`,
    () => "Accepted",
    () => 2 ** 63,
    (value) => (typeof value === "object" ? { ...value, vendor: { a: [null] } } : value),
  ),
  fc.jsonValue({ maxDepth: 2 }).map((value) => () => value),
);

const textChange = fc.constantFrom<(text: string, at: number) => string>(
  (text, at) => nth(text, /"[^"]*":("[^"]*"|[\d.]+|true|false)/g, at, (field) => field.replace(/:.*/s, ":")),
  (text, at) => nth(text, /[,[{}\]]/g, at, (mark) => `${mark},`),
  (text, at) => nth(text, /[}\]]/g, at, (mark) => `,${mark}`),
  (text, at) => text.slice(0, text.length - 1 - (at % 4)),
);

/** An object may have a `toString` that is none. */
function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Replaces one of the parts that a pattern finds. */
function nth(text: string, pattern: RegExp, at: number, spoil: (part: string) => string): string {
  const found = [...text.matchAll(pattern)];
  const match = found[at % found.length];
  if (match === undefined) return text;
  return text.slice(0, match.index) + spoil(match[0]) + text.slice(match.index + match[0].length);
}

type Path = readonly string[];

/** The paths of a value itself and of everything in it. */
function pathsIn(value: unknown): Path[] {
  if (typeof value !== "object" || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([name, part]) => pathsIn(part).map((path) => [name, ...path]))];
}

/** A copy in which one place is changed. */
function changed(value: unknown, [name, ...rest]: Path, spoil: Change): unknown {
  if (name === undefined) return spoil(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[name] = changed(copy[name], rest, spoil);
  return copy;
}
