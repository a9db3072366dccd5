/** Puts an entry into a map as the latest; of more than `most`, the one that was put longest ago is forgotten. */
export function putLatest<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest = ""] = map.keys();
  if (map.size > most) map.delete(oldest);
}
