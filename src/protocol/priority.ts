/**
 * Stage 2: in what order tasks are offered, and to whom first. Two numbers that never change while a task waits, so that
 * the pool is a heap and not a sort. Pure.
 */

export interface QueueOrder {
  readonly priority: number;
  readonly enqueuedAtMs: number;
}

/**
 * How much later a task may come and still go first, per level of priority. The bound on starvation follows: whoever waits
 * longer than 2,000 levels times this is passed by nobody who comes after.
 */
export const agingMsPerLevel = 1_800;

/** Smaller goes first. A task that waits gains on every later one at the same rate, whatever their priorities. */
export function computeQueueKey(order: QueueOrder, msPerLevel = agingMsPerLevel): number {
  return order.enqueuedAtMs - order.priority * msPerLevel;
}

/** The most that a perfect record is worth against waiting: it opens a door and never closes one. */
export const maxHeadStartMs = 2_000;

export interface Offer {
  /** Expected success between 0 and 1. */
  readonly reputation: number;
  readonly waitedMs: number;
}

/** Workers are offered the next task in descending order: by time waited plus a capped head start for their record. */
export function computeOfferRank(offer: Offer): number {
  const score = Number.isFinite(offer.reputation) ? Math.min(1, Math.max(0, offer.reputation)) : 0;
  return offer.waitedMs + score * maxHeadStartMs;
}
