import { add } from "./figures.ts";

/** One way to do a thing. */
export interface Contender {
  readonly name: string;
  /** Does it `times` times. */
  readonly run: (times: number) => void | Promise<void>;
}

const rounds = 15;
const roundMs = 40;

/**
 * Measures contenders in turns, so that what slows the machine slows all of them: the ratios are what counts.
 *
 * @param contenders - The first is what the others are compared with.
 * @returns By name, microseconds of CPU for one time, round by round.
 */
export async function sideBySide(contenders: readonly Contender[]): Promise<Record<string, readonly number[]>> {
  const times: number[] = [];
  for (const contender of contenders) times.push(await calibrated(contender));
  const samples: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [index, { name, run }] of contenders.entries()) {
      add(samples, name, await timed(run, times[index] ?? 1));
    }
  }
  return samples;
}

/** How many times make a round of about `roundMs`; warms up on the way. */
async function calibrated({ run }: Contender): Promise<number> {
  let times = 1;
  while ((await timed(run, times)) * times < roundMs * 1000) times *= 2;
  return times;
}

/** CPU, not time on the wall, which belongs to others as well. */
async function timed(run: Contender["run"], times: number): Promise<number> {
  const begin = process.cpuUsage();
  await run(times);
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / times;
}
