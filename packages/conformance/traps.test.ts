import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** What at least one published OCPP library does. A test whose title ends with the number of a trap proves that ocppj does not. */
const traps = [
  "malformed percent-encoding in the URL ends the process, before anybody is authenticated",
  "an authentication hook that rejects ends the process",
  "a CALL made while reconnecting is sent after its caller was told that it failed",
  "close never resolves when the peer vanishes meanwhile",
  "a repeated message id runs the handler twice",
  "a CALLERROR whose code is the name of an object's method breaks the CALL that waits",
  "a CALLERROR that is not quite right leaves the caller waiting for the time-out",
  "an aborted signal is ignored, sends all the same, or leaks listeners",
  "an answer after the time-out gets a slow charger disconnected",
  "a CALL inside a handler waits for ever, or a handler without a result stops the reading",
  "an action that is no text, or an object's method, reaches a handler",
  "what arrives unasked, or is to be sent, is kept without bound",
  "everybody gets in where nobody checks credentials, or a binary key does not survive",
  "a client gets a subprotocol that the server does not speak",
  "the answer to an invalid payload repeats the payload",
  "the spellings of later versions are sent to peers of version 1.6",
  "a limit of 8.1 is refused because it is no multiple of 0.1",
  "the types let misspelt actions and wrong payloads pass",
  "the first attempt to connect is the last one, or the attempts never end",
  "importing takes as long as everything that there is to import",
] as const;

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The numbers of traps in a file, as the texts in it, not the comments, name them. */
function trapsIn(source: string): readonly number[] {
  const texts = source.match(/(["`])(?:(?!\1).)*\[trap \d+\](?:(?!\1).)*\1/g) ?? [];
  return texts.flatMap((text) => [...text.matchAll(/\[trap (\d+)\]/g)].map(([, number]) => Number(number)));
}

const named = new Set(
  ["packages", "docs", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(({ name }) => /\.test(-d)?\.ts$/.test(name))
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((path) => !path.includes("node_modules") && path !== fileURLToPath(import.meta.url))
      .flatMap((path) => trapsIn(readFileSync(path, "utf8"))),
  ),
);

describe("a test is named after the trap that", () => {
  test.each(traps.map((trap, index) => [trap, index + 1] as const))("%s (%i)", (_, number) => {
    expect(named).toContain(number);
  });
});

test("no test is named after a trap that there is not", () => {
  expect([...named].filter((number) => traps[number - 1] === undefined)).toEqual([]);
});
