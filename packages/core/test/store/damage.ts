/** What may stand in a damaged record where something else belongs. */
const strange: readonly unknown[] = [null, true, 0, -1, 1.5, 2 ** 53, -(2 ** 53), "", "x", [], {}, [null]];

/**
 * Every way in which one thing is wrong with a record of JSON: each value in it, and the whole, replaced by something
 * strange or left out; the text cut off; and what was never a record.
 */
export function damages(record: string): readonly string[] {
  const whole: unknown = JSON.parse(record);
  const replaced = placesIn(whole).flatMap((place) => strange.map((value) => withValue(whole, place, value)));
  const without = placesIn(whole).flatMap((place) => (place.length === 0 ? [] : [withValue(whole, place, undefined)]));
  const cut = [0, record.length / 2, record.length - 1].map((length) => record.slice(0, length));
  const texts = [...replaced, ...without].map((value) => JSON.stringify(value));
  return [...new Set([...texts, ...cut, `${record}${record}`, "nonsense", "\0"])].filter((text) => text !== record);
}

type Place = readonly (string | number)[];

/** The way to each value within a value, its own first. */
function placesIn(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [[]];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [[], ...keys.flatMap((key) => placesIn(at(value, key)).map((place) => [key, ...place]))];
}

const at = (value: object, key: string | number): unknown => (value as Record<string | number, unknown>)[key];

/** A copy that differs at one place. */
function withValue(whole: unknown, [key, ...rest]: Place, value: unknown): unknown {
  if (key === undefined) return value;
  const copy = (Array.isArray(whole) ? [...whole] : { ...(whole as object) }) as Record<string | number, unknown>;
  copy[key] = withValue(copy[key], rest, value);
  return copy;
}
