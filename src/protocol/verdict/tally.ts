/**
 * Stage 6: votes to verdicts. A verdict needs `quorum` votes of one kind; who abstains or is missing has not voted, so
 * that a validator that cannot judge never tips the scale. Pure; replayable from a Validation alone.
 */
import type { Vote } from "../merkle.ts";

export type Verdict = "Accepted" | "Rejected" | "Inconclusive";

export interface Tally {
  readonly verdict: Verdict;
  readonly accept: number;
  readonly reject: number;
  /** Abstained or missing. */
  readonly abstain: number;
}

/** @param votes one per member of the panel; undefined for one that is missing */
export function tallyVotes(votes: readonly (Vote | undefined)[], quorum: number): Tally {
  const count = (kind: Vote) => votes.filter((vote) => vote === kind).length;
  const accept = count("Accept");
  const reject = count("Reject");
  return { verdict: decide(accept, reject, quorum), accept, reject, abstain: votes.length - accept - reject };
}

/** Both sides can only reach it where the quorum is no majority, and then nothing is decided. */
function decide(accept: number, reject: number, quorum: number): Verdict {
  if (accept >= quorum && reject < quorum) return "Accepted";
  if (reject >= quorum && accept < quorum) return "Rejected";
  return "Inconclusive";
}

/** Whether the votes that are in decide, whatever the missing ones say. */
export function isDecided(votes: readonly (Vote | undefined)[], quorum: number): boolean {
  if (votes.every((vote) => vote !== undefined)) return true;
  return tallyVotes(votes, quorum).verdict !== "Inconclusive" && quorum * 2 > votes.length;
}

export interface Escalation {
  readonly validators: number;
  readonly quorum: number;
}

/**
 * The panel that hears an inconclusive case: about twice as large, as far as there are validators. Undefined where it was
 * heard twice, or where no larger panel can be drawn: then the task fails without pay or penalty.
 */
export function decideEscalation(panel: {
  round: number;
  validators: number;
  eligible: number;
}): Escalation | undefined {
  if (panel.round >= 2) return undefined;
  const validators = Math.min(panel.validators * 2 + 1, panel.eligible, 31);
  if (validators <= panel.validators) return undefined;
  return { validators, quorum: Math.floor(validators / 2) + 1 };
}
