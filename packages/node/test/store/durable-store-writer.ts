/*
 * A process for the tests of the store: writes into the store in the folder argv[2] until it is killed, under keys that
 * begin with argv[3], deletes one of argv[4] again (default 3), and tells its parent what has been done.
 */
import { durableStore } from "../../src/store/durable-store.ts";

/** What became of one operation. */
export interface Report {
  readonly type: "put" | "deleted" | "failed";
  readonly key: string;
}

const [, , location = "", prefix = "", deleted = "3"] = process.argv;
const store = durableStore(location);
let written = 0;

/** Several at once, so that writes wait for each other. */
for (let writer = 0; writer < 3; writer++) void write();

async function write(): Promise<void> {
  for (;;) {
    const number = written++;
    const key = `${prefix}${number}`;
    await report("put", key, store.put(key, key.repeat(100)));
    if (number % Number(deleted) === 0) await report("deleted", key, store.delete(key));
  }
}

async function report(type: "put" | "deleted", key: string, operation: Promise<void>): Promise<void> {
  const done = await operation.then(
    () => type,
    () => "failed" as const,
  );
  process.send?.({ type: done, key } satisfies Report);
}
