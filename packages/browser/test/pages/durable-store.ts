import { durableStore } from "@ocppj/browser";
import type { RecordStore } from "@ocppj/core";
import { recordStoreContract } from "@ocppj/testing";

declare global {
  /** Provided by the test: hears what has been done. */
  function writeDone(type: "put" | "deleted", key: string): Promise<void>;
  /** Opens a store. */
  function openStore(name: string): RecordStore;
  /** Runs one rule of the record store contract. */
  function obeyStoreRule(title: string): Promise<void>;
  /** Writes into a store until the page ends, under keys that begin with `prefix`; deletes every third record again. */
  function writeWithoutEnd(name: string, prefix: string): void;
}

globalThis.openStore = durableStore;

globalThis.obeyStoreRule = async (title) => {
  const rule = recordStoreContract(durableStore, { exclusive: true }).find((candidate) => candidate.title === title);
  if (rule === undefined) throw new Error(`The contract has no rule "${title}".`);
  await rule.run();
};

globalThis.writeWithoutEnd = (name, prefix) => {
  const store = durableStore(name);
  let written = 0;
  const write = async (): Promise<void> => {
    for (;;) {
      const number = written++;
      const key = `${prefix}${number}`;
      await store.put(key, key.repeat(100));
      void writeDone("put", key);
      if (number % 3 !== 0) continue;
      await store.delete(key);
      void writeDone("deleted", key);
    }
  };
  // Several at once, so that writes wait for each other.
  for (let writer = 0; writer < 3; writer++) void write();
};
