/** Who wants energy, and how much of it. In W, as all here. */
export interface Demand {
  readonly connectorId: number;
  /** The most that may be offered to it. */
  readonly most: number;
  /** The least that is of any use; less is nothing. */
  readonly least: number;
}

/**
 * Divides power fairly: everybody gets the same, what somebody cannot use goes to the others, and who would get less than the
 * least that is of use gets nothing. Where it does not suffice for all, the last ones pause.
 *
 * @param demands - In the order in which they get something.
 * @returns By connector; those that pause get 0. The sum is never more than `total`, nor any more than its most.
 * @spec OCPP 1.6 §3.13.2 [SC-23]
 */
export function shareOut(total: number, demands: readonly Demand[]): ReadonlyMap<number, number> {
  const shares = new Map(demands.map(({ connectorId }) => [connectorId, 0]));
  const served: Demand[] = [];
  let reserved = 0;
  for (const demand of demands) {
    if (demand.most < demand.least || demand.most <= 0 || reserved + demand.least > total) continue;
    reserved += demand.least;
    served.push(demand);
  }
  const level = fairLevel(total - reserved, served);
  for (const { connectorId, least, most } of served) shares.set(connectorId, Math.max(least, Math.min(most, level)));
  return shares;
}

/** How much everybody gets who can use it, if `left` is there beyond the least of each. */
function fairLevel(left: number, demands: readonly Demand[]): number {
  const edges = [...new Set(demands.flatMap(({ least, most }) => [least, most]))].sort((a, b) => a - b);
  let rest = left;
  let level = edges[0] ?? 0;
  for (const edge of edges.slice(1)) {
    const takers = demands.filter(({ least, most }) => least <= level && most > level).length;
    const needed = takers * (edge - level);
    if (needed > rest) return level + rest / takers;
    rest -= needed;
    level = edge;
  }
  return level;
}
