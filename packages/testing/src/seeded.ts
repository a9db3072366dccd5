/**
 * Makes a function that returns numbers from 0 up to 1, the same row of them for the same seed (mulberry32): for the option
 * `random` of a ChargePoint, and for what else a test wants at random and repeatable.
 *
 * @param seed - Any whole number; of those, the lowest 32 bits count.
 */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
