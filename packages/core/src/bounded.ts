/**
 * Puts an entry into a map as the latest; of more than `most`, the one that was put longest ago is forgotten.
 *
 * @returns What was forgotten.
 */
export function putLatest<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): Value | undefined {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return undefined;
  const [[oldest, forgotten] = [key, value]] = map;
  map.delete(oldest);
  return forgotten;
}
