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

  it("obeys the constraints of a format and those added to it alike", () => {
    expect([-1, 0, 0.5].map(guardOf(z.int()))).toEqual([true, true, false]);
    expect([-1, 0, 0.5].map(guardOf(z.int().check(z.gte(0))))).toEqual([false, true, false]);
  });

  it("obeys constraints on whole objects", () => {
    const guard = guardOf(z.strictObject({ a: z.int(), b: z.int() }).check(z.refine(({ a, b }) => a < b)));
    expect([guard({ a: 1, b: 2 }), guard({ a: 2, b: 1 }), guard({ a: 1 })]).toEqual([true, false, false]);
  });

  it("refuses what is of type number but no number", () => {
    expect([Number.NaN, Number.POSITIVE_INFINITY, 1.5].map(guardOf(z.number()))).toEqual([false, false, true]);
  });

  it("refuses a list with a hole and ignores further properties of a list, as zod does", () => {
    const guard = guardOf(z.array(z.string()));
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
    expect(guard(["a", , "c"])).toBe(false);
    expect(guard(Object.assign(["a"], { more: 1 }))).toBe(true);
    expect(guard({ 0: "a", length: 1 })).toBe(false);
  });

  it("does not know schemas that messages are not made of", () => {
    expect(() => guardOf(z.strictObject({ a: z.nullable(z.string()) }))).toThrow(TypeError);
    expect(() => guardOf(z.object({}))).toThrow(TypeError);
    expect(() => guardOf(z.looseObject({}))).toThrow(TypeError);
  });
});
