/* What an HTTP answer that refuses says in words. */
import type { IncomingMessage } from "node:http";
import type { Clock } from "@ocppj/core";

/** How long it may take to arrive, in milliseconds, and how much of it is read, in bytes. */
const patienceMs = 1000;
const mostBytes = 1000;

/**
 * Reads the text of an answer, as far as it comes soon. What is no plain text says nothing to a person: it is the page of
 * a proxy.
 *
 * @param told - Called once, soon.
 */
export function readText(answer: IncomingMessage, clock: Clock, told: (text: string) => void): void {
  if (!/^text\/plain\b/i.test(answer.headers["content-type"] ?? "")) {
    told("");
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  let ended = false;
  const disarm = clock.wakeAt(clock.now() + patienceMs, end);
  answer.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= mostBytes) end();
  });
  answer.on("error", () => {}); // The end follows.
  answer.once("end", end);
  answer.once("close", end);

  function end(): void {
    if (ended) return;
    ended = true;
    disarm();
    told(Buffer.concat(chunks).subarray(0, mostBytes).toString());
  }
}
