/** Which shards of a batch take so long, near its end, that a second worker is to have them too. Pure. */

export interface ShardTime {
  /** Place of the shard. */
  readonly index: number;
  /** Waiting: for its first worker, or for another one. Done: a result came, whether it is judged yet or not. */
  readonly state: "Waiting" | "Running" | "Done";
  /** Since when it runs, or how long it took; left out while it waits. By the operator's clock, not by the worker's word. */
  readonly ms?: number;
  /** There is a second copy, or was one. */
  readonly isDuplicated: boolean;
}

export interface DuplicateRule {
  /** How many times the median of the shards that are done. */
  readonly factor: number;
  /** And so long at least. */
  readonly floorMs: number;
}

export interface DuplicateDecision {
  readonly indices: readonly number[];
  /** Nothing is due before; left out where only a change can make it so. */
  readonly againMs?: number;
}

/** @param shards all of one batch, `ms` of running ones up to now */
export function decideDuplicates(shards: readonly ShardTime[], rule: DuplicateRule): DuplicateDecision {
  const times = shards.flatMap(({ state, ms }) => (state === "Done" && ms !== undefined ? [ms] : []));
  // While one still waits, a free worker has better to do; and of a few no median says what is slow.
  if (shards.some(({ state }) => state === "Waiting") || times.length * 2 < shards.length) return { indices: [] };
  const limitMs = Math.max(rule.floorMs, medianOf(times) * rule.factor);
  const running = shards.filter(({ state, isDuplicated }) => state === "Running" && !isDuplicated);
  const indices = running.filter(({ ms = 0 }) => ms >= limitMs).map(({ index }) => index);
  const left = running.map(({ ms = 0 }) => limitMs - ms).filter((leftMs) => leftMs > 0);
  return { indices, ...(left.length > 0 ? { againMs: Math.min(...left) } : {}) };
}

/** Of an even number the lower one of the two in the middle. */
function medianOf(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
