/**
 * Stage 6: where a panel's vote stands. All commit before anyone reveals, so that no one copies; whoever is late holds up
 * the others for a moment only, once enough have spoken. Pure: times in milliseconds of one clock.
 */
export interface PanelTiming {
  /** From the start to the end of the vote. */
  readonly deadlineMs: number;
  /** How long a quorum waits for the rest. */
  readonly stragglerMs: number;
}

/** Part of the time that is for committing; the rest is for revealing. */
export const commitShare = 2 / 3;

export interface PanelVote {
  readonly members: number;
  readonly quorum: number;
  readonly startedMs: number;
  /** When each commitment came, in any order. */
  readonly commitsMs: readonly number[];
  readonly revealsMs: readonly number[];
  /** Once revealing has begun no commitment is taken any more. */
  readonly revealing: boolean;
}

export type PanelStep =
  | { readonly step: "Commit" | "Reveal" /** Look again then, at the latest. */; readonly untilMs: number }
  | { readonly step: "Decide" };

export function decidePanelStep(vote: PanelVote, timing: PanelTiming, nowMs: number): PanelStep {
  const endMs = vote.startedMs + timing.deadlineMs;
  const commitEndMs = vote.startedMs + timing.deadlineMs * commitShare;
  if (!vote.revealing) {
    const untilMs = endOfWait(vote.commitsMs, vote, { stragglerMs: timing.stragglerMs, endMs: commitEndMs });
    if (nowMs < untilMs) return { step: "Commit", untilMs };
    if (vote.commitsMs.length === 0) return { step: "Decide" };
  }
  const committed = { members: vote.commitsMs.length, quorum: vote.quorum };
  const untilMs = endOfWait(vote.revealsMs, committed, { stragglerMs: timing.stragglerMs, endMs });
  return nowMs < untilMs ? { step: "Reveal", untilMs } : { step: "Decide" };
}

/** When to wait no longer. All: at once. A quorum: after the grace for the rest. Fewer: at the end. */
export function endOfWait(
  timesMs: readonly number[],
  wanted: { readonly members: number; readonly quorum: number },
  bounds: { readonly stragglerMs: number; readonly endMs: number },
): number {
  if (timesMs.length >= wanted.members) return Number.NEGATIVE_INFINITY;
  const quorumMs = [...timesMs].sort((a, b) => a - b)[wanted.quorum - 1];
  return quorumMs === undefined ? bounds.endMs : Math.min(bounds.endMs, quorumMs + bounds.stragglerMs);
}
