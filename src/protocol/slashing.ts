/**
 * Stage 8: which outcome is a fault, and what it costs. Fault is not fraud: what a cluster can do to an honest worker
 * costs reputation at most, and only signed evidence costs stake. The contract decides the final amount; this is what the
 * operator asks for and shows. Pure.
 */
import type { Outcome } from "./reputation.ts";

export type Fault = "ResultRejected" | "Contradiction" | "DeadlineMissed";

export interface Penalty {
  readonly fault: Fault;
  /** Of the worker's bond. */
  readonly bps: number;
  readonly disqualifies: boolean;
}

/** Defaults of the contracts; governed there. */
export const penalties: Readonly<Record<Fault, Penalty>> = {
  ResultRejected: { fault: "ResultRejected", bps: 1_000, disqualifies: false },
  Contradiction: { fault: "Contradiction", bps: 10_000, disqualifies: true },
  DeadlineMissed: { fault: "DeadlineMissed", bps: 100, disqualifies: false },
};

export interface PenaltyInput {
  readonly outcome: Outcome;
  /** Signed rejections of the receipt, each by another validator. */
  readonly rejections: number;
  /** Votes that decide in the panel. */
  readonly quorum: number;
  /** The contract's own floor. */
  readonly contractQuorum: number;
}

export type PenaltyDecision =
  | { readonly slash: true; readonly penalty: Penalty }
  | { readonly slash: false; readonly reason: string };

export function decidePenalty(input: PenaltyInput): PenaltyDecision {
  if (input.outcome !== "Rejected") {
    return { slash: false, reason: `${input.outcome} is no signed fault; it costs reputation only.` };
  }
  const needed = Math.max(input.quorum, input.contractQuorum);
  if (input.rejections >= needed) return { slash: true, penalty: penalties.ResultRejected };
  return { slash: false, reason: `${input.rejections} signed rejections; ${needed} are needed to slash.` };
}
