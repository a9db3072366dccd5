import type { RecordStore } from "@ocppj/core";

/** A store as on a slow disk: one operation after the other, each up to 10 ms late. */
export function onSlowDisk(store: RecordStore, random: () => number): RecordStore {
  let idle: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(operation: () => Promise<Result>): Promise<Result> => {
    const result = idle.then(() => new Promise((resolve) => setTimeout(resolve, 10 * random()))).then(operation);
    idle = result.catch(() => {});
    return result;
  };
  return {
    load: (prefix) => inTurn(() => store.load(prefix)),
    put: (key, value) => inTurn(() => store.put(key, value)),
    delete: (key) => inTurn(() => store.delete(key)),
    close: () => inTurn(() => store.close()),
  };
}
