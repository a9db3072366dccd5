/** One way to do a thing. */
export interface Contender {
  readonly name: string;
  /** Does it `times` times. */
  readonly run: (times: number) => void | Promise<void>;
}

export interface Result {
  readonly name: string;
  /** Median over the rounds, in microseconds for one time. */
  readonly microseconds: number;
  /** Median over the rounds of this time ÷ that of the first contender in the same round. */
  readonly ratio: number;
}

const rounds = 15;
const roundMs = 40;

/**
 * Measures contenders in turns, so that a machine that slows down slows all of them: the ratios are what counts.
 *
 * @param contenders - The first is what the others are compared with.
 */
export async function sideBySide(contenders: readonly Contender[]): Promise<readonly Result[]> {
  const times: number[] = [];
  for (const contender of contenders) times.push(await calibrated(contender));
  const samples: number[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run }] of contenders.entries()) {
      samples[index]?.push(await timed(run, times[index] ?? 1));
    }
  }
  return contenders.map(({ name }, index) => ({
    name,
    microseconds: median(samples[index] ?? []),
    ratio: median((samples[index] ?? []).map((sample, round) => sample / (samples[0]?.[round] ?? Number.NaN))),
  }));
}

/** How many times make a round of about `roundMs`; warms up on the way. */
async function calibrated({ run }: Contender): Promise<number> {
  let times = 1;
  while ((await timed(run, times)) * times < roundMs * 1000) times *= 2;
  return times;
}

async function timed(run: Contender["run"], times: number): Promise<number> {
  const begin = process.hrtime.bigint();
  await run(times);
  return Number(process.hrtime.bigint() - begin) / 1000 / times;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
