import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { type Action, actions } from "../../src/messages/actions.ts";
import { guardOf } from "../../src/messages/guard.ts";
import { goldenExamples } from "./golden-examples.ts";

describe("guardOf", () => {
  it("is built once per schema", () => {
    const schema = z.strictObject({ idTag: z.string() });
    expect(guardOf(schema)).toBe(guardOf(schema));
    expect(guardOf(schema)).not.toBe(guardOf(z.strictObject({ idTag: z.string() })));
  });

  it.each(Object.keys(actions) as Action[])("accepts the examples of %s", (action) => {
    expect(guardOf(actions[action].req)(goldenExamples[action].req)).toBe(true);
    expect(guardOf(actions[action].conf)(goldenExamples[action].conf)).toBe(true);
  });

  it.each([
    ["a field of the wrong type", { idTag: 5 }],
    ["a missing field", {}],
    ["an unknown field", { idTag: "TAG", connectorId: 1 }],
    ["an own field named __proto__", JSON.parse('{ "idTag": "TAG", "__proto__": {} }')],
    ["a list", []],
    ["null", null],
    ["a text", "idTag"],
  ])("refuses %s", (_, payload) => {
    expect(guardOf(actions.Authorize.req)(payload)).toBe(false);
  });

  it("refuses a list with a hole and ignores further properties of a list, as zod does", () => {
    const guard = guardOf(z.array(z.string()));
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
    expect(guard(["a", , "c"])).toBe(false);
    expect(guard(Object.assign(["a"], { more: 1 }))).toBe(true);
  });

  it("does not know schemas that messages are not made of", () => {
    expect(() => guardOf(z.strictObject({ a: z.nullable(z.string()) }))).toThrow(TypeError);
    expect(() => guardOf(z.object({}))).toThrow(TypeError);
    expect(() => guardOf(z.looseObject({}))).toThrow(TypeError);
  });
});
