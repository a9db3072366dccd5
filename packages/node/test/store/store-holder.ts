/*
 * A process for the tests of the store: whenever it is told to, opens the store in the folder argv[2] and says whether it
 * could, then keeps it until it is told to close it.
 */
import type { RecordStore } from "@ocppj/core";
import { durableStore } from "../../src/store/durable-store.ts";

const [, , location = ""] = process.argv;
let store: RecordStore | undefined;

process.on("message", async (order) => {
  if (order === "close") {
    await store?.close();
    process.send?.("closed");
    return;
  }
  store = durableStore(location);
  const outcome = await store.load("").then(
    () => "opened",
    (error: Error) => error.message,
  );
  process.send?.(outcome);
});
process.send?.("ready");
