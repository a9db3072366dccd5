/** Changes to payloads, most of which make them invalid. */
import { schemas } from "./json-schema.ts";

/** What a change does to a value. */
export type EditKind = "remove" | "add" | "type" | "length" | "literal" | "range" | "format" | "nesting";

/** One change to one value in a payload. */
export interface Edit {
  readonly kind: EditKind;
  /** The payload with the change. */
  readonly payload: unknown;
}

type Path = readonly (string | number)[];

/** Every change to every value in a payload. */
export function* edits(payload: unknown): Generator<Edit> {
  for (const path of pathsIn(payload)) {
    for (const { kind, payload: value } of editsOf(at(payload, path))) {
      yield { kind, payload: replaced(payload, path, value) };
    }
    if (path.length > 0) yield { kind: "remove", payload: removed(payload, path) };
  }
}

const literals = new Set(JSON.stringify([...schemas.values()]).match(/(?<="enum":\[[^\]]*")[^",\]]+(?=")/g));

const lengths = [20, 25, 40, 50, 128, 255, 500, 512, 800, 5500, 10_000];

const types = [null, true, 0, 1.5, "text", [], {}];

const moments = [
  "2026-01-01",
  "2026-01-01T00:00:00",
  "2026-01-01 00:00:00Z",
  "2026-01-01t00:00:00z",
  "2026-02-29T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2016-12-31T23:59:60Z",
  "2026-01-01T00:00:00+0100",
  "2026-01-01T00:00:00+24:00",
  "2026-01-01T00:00:00.5-23:59",
];

const uris = ["files.example.com", "//files.example.com/", "http://a b/", "http://é/", "http://a/%4", "urn:a:b"];

/** Changes to a value, as if it were the payload. */
function* editsOf(value: unknown): Generator<Edit> {
  for (const other of types) yield { kind: "type", payload: other };
  yield { kind: "nesting", payload: [value] };
  yield { kind: "nesting", payload: { value } };
  if (typeof value === "string") {
    for (const length of lengths) {
      for (const char of ["x", "🔌"]) {
        yield { kind: "length", payload: char.repeat(length) };
        yield { kind: "length", payload: char.repeat(length + 1) };
      }
    }
    yield { kind: "literal", payload: "" };
    yield { kind: "literal", payload: `${value} ` };
    yield { kind: "literal", payload: value.toUpperCase() };
    if (literals.has(value)) for (const literal of literals) yield { kind: "literal", payload: literal };
    for (const payload of [...moments, ...uris]) yield { kind: "format", payload };
  } else if (typeof value === "number") {
    const numbers = [-1, 0, 1, 1e9, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e300, 0.1, 8.1, 0.1 + 0.2, 8.15, -1.99];
    for (const payload of numbers) yield { kind: "range", payload };
  } else if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) yield { kind: "nesting", payload: inner };
    if (Array.isArray(value)) yield { kind: "range", payload: [] };
    else {
      for (const name of ["vendorExtension", "IdTag", "status", "connectorId", "__proto__", "toString"]) {
        if (!Object.hasOwn(value, name)) yield { kind: "add", payload: withField(value, name, "Accepted") };
      }
    }
  }
}

function* pathsIn(value: unknown, path: Path = []): Generator<Path> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const name of Object.keys(value)) yield* pathsIn(at(value, [name]), [...path, name]);
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, name) => (inner as Record<string | number, unknown>)[name], value);

function replaced(value: unknown, [name, ...path]: Path, inner: unknown): unknown {
  if (name === undefined) return inner;
  const changed = replaced(at(value, [name]), path, inner);
  if (Array.isArray(value)) return value.map((element, index) => (index === Number(name) ? changed : element));
  return withField(value as object, String(name), changed);
}

function removed(value: unknown, path: Path): unknown {
  const parent = path.slice(0, -1);
  const name = String(path.at(-1));
  const holder = at(value, parent);
  const left = Array.isArray(holder)
    ? holder.filter((_, index) => index !== Number(name))
    : Object.fromEntries(Object.entries(holder as object).filter(([field]) => field !== name));
  return replaced(value, parent, left);
}

/** As JSON.parse does it: a field called `__proto__` is a field. */
const withField = (value: object, name: string, field: unknown): object => ({ ...value, [name]: field });
