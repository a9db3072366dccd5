import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CallError, CentralSystem, ConnectionClosedError, type TransportListener } from "../src/index.ts";
import { oneLine } from "../src/one-line.ts";

/** What a log may be given. */
const clean = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

const nasty = fc.oneof(
  fc.string({ unit: "binary", maxLength: 400 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 9 }).map((text) => text.repeat(100)),
  fc.constantFrom("bye\n2026 forged: line", "\u001b[2J", "\u2028", "\u202Egnp.exe"),
);

describe("What a peer has said", () => {
  test("is one line, and not much of it", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const line = oneLine(text);
        expect(line).toMatch(clean);
        expect(line.length).toBeLessThanOrEqual(303);
      }),
    );
  });

  test("stays what it is if it is one short line already", () => {
    for (const text of ["", "Grüße", "server is restarting (1012)", "再见"]) expect(oneLine(text)).toBe(text);
  });

  test("is so in `disconnected`, and in the errors of CALLs that were waiting", async () => {
    await fc.assert(
      fc.asyncProperty(nasty, async (reason) => {
        const centralSystem = new CentralSystem();
        const reasons: string[] = [];
        let listener: TransportListener | undefined;
        centralSystem.on("disconnected", (event) => reasons.push(event.reason));
        const connection = centralSystem.accept(
          {
            listen(given) {
              listener = given;
            },
            send: () => {},
            close: () => {},
          },
          "CP001",
        );
        const call = connection.call("ClearCache", {});
        listener?.close(1000, reason);
        const error = await call.catch((error: unknown) => error);
        expect(error).toBeInstanceOf(ConnectionClosedError);
        expect((error as Error).message).toMatch(clean);
        expect(reasons).toEqual([expect.stringMatching(clean)]);
      }),
    );
  });

  test("is so in the message of a CallError, which keeps it as it is besides", () => {
    fc.assert(
      fc.property(nasty, nasty, (description, receivedCode) => {
        const error = new CallError("GenericError", description, { receivedCode });
        expect(error.message).toMatch(clean);
        expect(error.message.length).toBeLessThan(700);
        expect([error.description, error.receivedCode]).toEqual([description, receivedCode]);
      }),
    );
  });
});
