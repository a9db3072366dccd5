import type { ConnectionOptions } from "node:tls";
import type { Location } from "./location.ts";
import type { Watch } from "./watch.ts";

/** A transfer under way: what all that takes part in it knows. */
export interface Transfer {
  readonly location: Location;
  readonly watch: Watch;
  /** How TLS is done. */
  readonly tls: ConnectionOptions;
  /** Bytes have come, or gone: so many of so many there are now. */
  readonly moved: (bytes: number, total: number | undefined) => void;
}

/** So often a transfer that was interrupted is gone on with, at once and as long as something moves in between. */
const mostResumptions = 5;

/**
 * Tries again what was interrupted. [SEC-N01-13]
 *
 * @param isLasting - Whether what was thrown would be thrown again.
 * @param progress - How far it has come.
 */
export async function resumed<T>(
  attempt: () => Promise<T>,
  isLasting: (error: unknown) => boolean,
  progress: () => number,
): Promise<T> {
  for (let left = mostResumptions; ; left--) {
    const before = progress();
    try {
      return await attempt();
    } catch (error) {
      if (isLasting(error) || left === 0 || progress() <= before) throw error;
    }
  }
}
