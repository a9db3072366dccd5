/*
 * A process for the tests of the store: opens damaged stores in the folder argv[2], argv[3] of them. It ends with 0 if all
 * keep the contract; whatever they do to the process is seen by its parent.
 */

import { join } from "node:path";
import { recordStoreContract } from "@ocppj/testing";
import { durableStore } from "../../src/store/durable-store.ts";
import { storeFilesIn } from "./store-files.ts";

const [, , folder = "", times, seed] = process.argv;
const rules = recordStoreContract((name, damaged) => durableStore(join(folder, name), { damaged }), {
  damage: {
    ...storeFilesIn(folder),
    times: Number(times),
    ...(seed !== undefined && { seed: Number(seed) }),
  },
});
await rules.at(-1)?.run();
