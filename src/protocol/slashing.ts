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

/** What Kubernetes says of the node that a worker runs on. */
export interface NodeState {
  /** Its Ready condition; undefined where it has none. */
  readonly ready?: "True" | "False" | "Unknown";
  /** When that changed last. */
  readonly readySinceMs?: number;
  readonly unschedulable: boolean;
}

export interface MissedInput {
  readonly claimedAtMs: number;
  readonly deadlineMs: number;
  /** When the worker spoke last to the pool. */
  readonly lastSeenMs: number | undefined;
  /** Its WorkerNode exists and is not being deleted. */
  readonly isThere: boolean;
  readonly isCordoned: boolean;
  /** Undefined where the worker names no node of this cluster. */
  readonly node: NodeState | undefined;
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

/**
 * Whether a worker is to blame that signed a claim and did not answer in time. Only one that speaks to the pool after the
 * deadline was there to answer: what a cluster can do to a worker (a lost node, a drain, an eviction) costs no stake.
 */
export function decideMissed(input: MissedInput): PenaltyDecision {
  const excuse = findExcuse(input);
  return excuse === undefined ? { slash: true, penalty: penalties.DeadlineMissed } : { slash: false, reason: excuse };
}

function findExcuse({ claimedAtMs, deadlineMs, lastSeenMs, isThere, isCordoned, node }: MissedInput) {
  if (!isThere) return "The WorkerNode is gone.";
  if (lastSeenMs === undefined || lastSeenMs <= deadlineMs) return "The worker has not spoken since the deadline.";
  if (isCordoned) return "The WorkerNode is cordoned.";
  if (node === undefined) return undefined;
  if (node.unschedulable) return "Its node is cordoned.";
  if (node.ready !== undefined && node.ready !== "True") return `Its node is not ready: Ready is ${node.ready}.`;
  if ((node.readySinceMs ?? 0) >= claimedAtMs) return "Its node was not ready while the claim ran.";
  return undefined;
}
