/** Figures of each contender, round by round. */
export type Figures = Readonly<Record<string, readonly number[]>>;

/** Adds a figure to those of a contender. */
export function add(figures: Record<string, number[]>, name: string, figure: number): void {
  figures[name] ??= [];
  figures[name].push(figure);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
