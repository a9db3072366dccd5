import { type Figures, median } from "./figures.ts";

/** All that was reported: by title, by contender, the median. */
export const reported: Record<string, Record<string, { readonly median: number; readonly ratio: number }>> = {};

/**
 * Prints a table: medians over the rounds, and medians of the ratios to the first contender in the same round.
 *
 * @param decimals - How many of them are shown.
 */
export function report(title: string, unit: string, figures: Figures, decimals = 1): void {
  console.log(`\n${title}, ${unit}`);
  const base = Object.values(figures)[0] ?? [];
  const table: Record<string, { median: number; ratio: number }> = {};
  for (const [name, values] of Object.entries(figures)) {
    const ratio = median(values.map((value, round) => value / (base[round] ?? Number.NaN)));
    table[name] = { median: median(values), ratio };
    console.log(
      `  ${name.padEnd(66)}${median(values).toFixed(decimals).padStart(12)}${ratio.toFixed(2).padStart(9)} ×`,
    );
  }
  reported[`${title}, ${unit}`] = table;
}
