import { describe, expect, test } from "vitest";
import { defineQuirks } from "../../src/messages/tolerance.ts";

const row = { id: "A1", evidence: [], forgives: "a mistake", repairs: "it is right then" };
const payload = { ...row, scope: "payload", mend: () => undefined };

describe("defineQuirks", () => {
  test.each<[string, object]>([
    ["payload", payload],
    ["frame", { ...row, scope: "frame", cleaned: (text: string) => text, elements: undefined }],
    ["handshake", { ...row, scope: "handshake", subprotocol: "ocpp1.6" }],
    ["guessing", { ...payload, guesses: true, evidence: ["owner/repository#1"] }],
  ])("takes a row: %s", (name, given) => {
    const defined = defineQuirks({ [name]: given } as never) as Record<string, unknown>;
    expect(defined[name]).toMatchObject({ name, id: "A1" });
  });

  test.each<[unknown, RegExp]>([
    [null, /^The quirk "mine" is no object\.$/],
    [{ ...payload, id: 5 }, /has as id what is no string/],
    [{ ...payload, repairs: undefined }, /repairs/],
    [{ ...payload, scope: "nonsense" }, /has no scope\. Give frame, payload or handshake\.$/],
    [{ ...payload, scope: "toString" }, /has no scope/],
    [{ ...row, scope: "payload" }, /mend what is no function/],
    [{ ...payload, mend: 3 }, /mend what is no function/],
    [{ ...row, scope: "frame", cleaned: "text" }, /cleaned what is no function/],
    [{ ...row, scope: "handshake", means: true }, /means what is no function/],
    [{ ...payload, guesses: "yes" }, /guesses what is no boolean/],
    [{ ...payload, evidence: "owner/repository#1" }, /evidence what is no list/],
    [{ ...payload, evidence: [5] }, /evidence what is no list/],
  ])("says at once what is wrong with a row: %j", (given, message) => {
    expect(() => defineQuirks({ mine: given } as never)).toThrow(TypeError);
    expect(() => defineQuirks({ mine: given } as never)).toThrow(message);
  });
});
