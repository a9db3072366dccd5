import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Register } from "../../src/metering/register.ts";

const after = (register: Register, ...shown: readonly (number | undefined)[]): number[] =>
  shown.map((raw) => {
    register.read(raw);
    return register.value;
  });

const nonsense = fc.constantFrom(undefined, Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300, "5" as unknown as number);

describe("The register of a transaction", () => {
  test("begins with what the meter shows, rounded once [CORE-MTR-14] [CORE-MTR-16] [CORE-START-06]", () => {
    const register = new Register(123_456.5);
    expect(register.value).toBe(123_457);
    expect(after(register, 123_456.9, 123_457.4, 123_457.5)).toEqual([123_457, 123_457, 123_458]);
  });

  test("goes on from where it was when the meter begins anew, also twice [CORE-MTR-15]", () => {
    expect(after(new Register(1500), 1600, 0, 50, 80, 0, 20)).toEqual([1600, 1600, 1650, 1680, 1680, 1700]);
  });

  test("goes on from where it was when the meter falls back to what it has last written down [CORE-MTR-15]", () => {
    expect(after(new Register(5000), 4900, 4950)).toEqual([5000, 5050]);
  });

  test("stands still while the meter flickers, so that flickering is not billed [CORE-MTR-15]", () => {
    const register = new Register(1000);
    for (let count = 0; count < 100; count++) after(register, 999, 1000);
    expect(after(register, 991, 1000, 1001)).toEqual([1000, 1000, 1001]);
  });

  test("what is no reading changes nothing [CORE-MTR-15]", () => {
    expect(after(new Register(100), -50, 100, Number.NaN, 1e300, undefined, 101)).toEqual([
      100, 100, 100, 100, 100, 101,
    ]);
  });

  test("a fall in small steps is one, too [CORE-MTR-15]", () => {
    expect(after(new Register(1000), 995, 990, 1000)).toEqual([1000, 1000, 1010]);
  });

  test("without a reading at the start, what the meter has counted before is not billed [CORE-MTR-17]", () => {
    const register = new Register(undefined);
    expect([register.value, register.isKnown]).toEqual([0, false]);
    expect(after(Register.from(JSON.parse(JSON.stringify(register.state))), 123_456, 123_460)).toEqual([0, 4]);
    expect(after(register, Number.NaN, 5_000_000, 5_000_010)).toEqual([0, 0, 10]);
    expect(register.isKnown).toBe(true);
  });

  test("does not fall below what was told after it was last kept [CORE-MTR-15]", () => {
    const register = Register.from(new Register(1000).state);
    register.told(1300);
    register.told(undefined);
    register.told(Number.NaN);
    expect(after(register, 1299.6, 1350)).toEqual([1300, 1350]);
    const anew = Register.from(new Register(1000).state);
    anew.told(1300);
    expect(after(anew, 0, 5)).toEqual([1300, 1305]);
  });
});

describe("Whatever a meter shows, the register", () => {
  const shown = fc.array(fc.oneof(fc.nat(100), fc.double({ min: 0, max: 1e9, noNaN: true }), nonsense));

  test("never falls, is whole, and is the same after a power cut [CORE-MTR-15] [CORE-START-06]", () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(1000), nonsense), shown, fc.nat(20), (start, shown, cut) => {
        let register = new Register(start);
        const steady = new Register(start);
        let last = register.value;
        for (const [index, raw] of shown.entries()) {
          if (index === cut) register = Register.from(JSON.parse(JSON.stringify(register.state)));
          register.read(raw);
          steady.read(raw);
          expect(register.value).toBeGreaterThanOrEqual(last);
          expect(Number.isSafeInteger(register.value)).toBe(true);
          expect(register.value).toBe(steady.value);
          last = register.value;
        }
      }),
    );
  });

  test("is what the meter shows while that rises [CORE-MTR-14] [CORE-MTR-16]", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 }), (shown) => {
        const [start = 0, ...rising] = shown.sort((a, b) => a - b);
        expect(after(new Register(start), ...rising)).toEqual(rising.map(Math.round));
      }),
    );
  });

  test("has counted no more than the meter, but for its flicker [CORE-MTR-17]", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1 }), (shown) => {
        const [start = 0, ...rest] = shown;
        const register = new Register(start);
        after(register, ...rest);
        // Each fall begins anew from what is shown then.
        const rises = shown.map((raw, index) => Math.max(0, raw - (shown[index - 1] ?? start)));
        expect(register.value - start).toBeLessThanOrEqual(rises.reduce((sum, rise) => sum + rise, 0));
      }),
    );
  });
});
