/**
 * Stage 6 for policy ZeroKnowledge: one member of the panel proves, the others check its proof and endorse it. Where there is no
 * proof in time, or too few endorse it, the whole panel re-executes and votes as for Exact. Pure: times in milliseconds of one clock.
 */
import type { Because } from "../status-change.ts";
import { endOfWait } from "./panel.ts";

export interface ProofTiming {
  /** From the start to the proof. */
  readonly provingMs: number;
  /** From the proof to the last endorsement. */
  readonly endorsingMs: number;
  /** How long a quorum waits for the rest. */
  readonly stragglerMs: number;
}

export interface ProofProgress {
  readonly members: number;
  readonly quorum: number;
  readonly startedMs: number;
  /** When each endorsement came, in any order; the first is the prover's own and comes with the proof. Empty before that. */
  readonly endorsedMs: readonly number[];
  /** Members that looked at the proof and do not endorse it. */
  readonly declined: number;
  /** Why its prover cannot make a proof. */
  readonly failure: Because | undefined;
}

export type ProofStep =
  | { readonly step: "Prove" | "Endorse" /** Look again then, at the latest. */; readonly untilMs: number }
  | { readonly step: "Decide" }
  | ({ readonly step: "FallBack" } & Because);

export function decideProofStep(progress: ProofProgress, timing: ProofTiming, nowMs: number): ProofStep {
  const { members, quorum, startedMs, endorsedMs, declined, failure } = progress;
  if (failure) return { step: "FallBack", ...failure };
  if (endorsedMs.length === 0) {
    const untilMs = startedMs + timing.provingMs;
    if (nowMs < untilMs) return { step: "Prove", untilMs };
    return fallBack("ProofTimedOut", `There was no proof within ${timing.provingMs / 1_000} s.`);
  }
  const endMs = Math.min(...endorsedMs) + timing.endorsingMs;
  const wanted = { members: members - declined, quorum };
  const untilMs = endOfWait(endorsedMs, wanted, { stragglerMs: timing.stragglerMs, endMs });
  if (nowMs < untilMs) return { step: "Endorse", untilMs };
  if (endorsedMs.length >= quorum) return { step: "Decide" };
  const message = `${endorsedMs.length} of ${members} validators endorsed the proof in time, ${declined} declined, ${quorum} are needed.`;
  return fallBack("ProofNotEndorsed", message);
}

const fallBack = (reason: string, message: string): ProofStep => ({ step: "FallBack", reason, message });
