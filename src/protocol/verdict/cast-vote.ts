/**
 * Stage 6: one validator's vote on one receipt, from what it computed itself and what the worker signed. Pure.
 *
 * A Reject can cost the worker its bond, so it is only ever about the worker's own signed words against our own result.
 * Whatever may be another's fault (a receipt that is not signed or not about this task, an input we could not fetch, an
 * output that is not the one the receipt names) is an Abstain: it decides nothing.
 */
import { InferiumError } from "../../base/errors.ts";
import type { Vote } from "../merkle.ts";
import type { NamedTensors } from "../tensors/tensor.ts";
import { type ComparePolicy, compareOutputs } from "./compare.ts";

/** Digests as 0x-hex of 32 bytes. */
export interface ResultDigests {
  readonly modelDigest: string;
  readonly inputDigest: string;
  readonly outputDigest: string;
}

export type OwnResult =
  | ({
      readonly state: "Computed";
      readonly outputs: NamedTensors;
      /** What computed it, as receipts name it. */
      readonly runtime?: string;
    } & ResultDigests)
  | { readonly state: "Unable"; readonly reason: string };

export interface VoteCase {
  readonly policy: ComparePolicy;
  /** As the worker signed them. */
  readonly receipt: ResultDigests;
  readonly own: OwnResult;
  /** The worker's outputs as they were handed on, with their digest; needed for Tolerance. */
  readonly handedOn?: { readonly outputs: NamedTensors; readonly outputDigest: string };
}

export interface DecidedVote {
  readonly vote: Vote;
  /** Of what we computed; zeros where we abstain. */
  readonly outputDigest: string;
  /** Why it is not an Accept. */
  readonly reason?: string;
}

const noDigest = `0x${"0".repeat(64)}`;

export function decideVote({ policy, receipt, own, handedOn }: VoteCase): DecidedVote {
  if (own.state === "Unable") return abstain(own.reason);
  const { outputDigest } = own;
  const reject = (reason: string): DecidedVote => ({ vote: "Reject", outputDigest, reason });
  if (receipt.modelDigest !== own.modelDigest) {
    return reject(`the receipt is for model ${receipt.modelDigest}; the task names ${own.modelDigest}`);
  }
  if (receipt.inputDigest !== own.inputDigest) {
    return reject(`the receipt is for input ${receipt.inputDigest}; the task's is ${own.inputDigest}`);
  }
  if (receipt.outputDigest === outputDigest) return { vote: "Accept", outputDigest };
  if (policy.policy === "Exact") {
    return reject(`the output has digest ${receipt.outputDigest}; re-execution gives ${outputDigest}`);
  }
  if (handedOn === undefined) return abstain("the policy compares values, and no output was handed on");
  if (handedOn.outputDigest !== receipt.outputDigest) {
    return abstain(
      `the output handed on has digest ${handedOn.outputDigest}; the receipt names ${receipt.outputDigest}`,
    );
  }
  const comparison = compareOutputs(handedOn.outputs, own.outputs, policy);
  if (comparison.equal) return { vote: "Accept", outputDigest };
  const first = comparison.firstMismatch;
  const where = first === undefined ? "" : `; first in ${first.tensor}[${first.index ?? ""}]: ${first.reason}`;
  return reject(`${comparison.mismatches} values are out of tolerance${where}`);
}

export function abstain(reason: string): DecidedVote {
  return { vote: "Abstain", outputDigest: noDigest, reason };
}

export interface PolicyFields {
  readonly policy: "Exact" | "Tolerance" | "ZeroKnowledge" | "None";
  readonly tolerance?: { readonly absolute: number; readonly relative: number };
}

/** @throws InferiumError InvalidPolicy where there is nothing to judge by */
export function toComparePolicy({ policy, tolerance }: PolicyFields): ComparePolicy {
  // A proof is of bits: whoever re-executes in its place compares bits.
  if (policy === "Exact" || policy === "ZeroKnowledge") return { policy: "Exact" };
  if (policy === "Tolerance" && tolerance !== undefined) return { policy, ...tolerance };
  const message = `The policy is ${policy} ${policy === "None" ? "" : "without a tolerance"}; expected Exact, or Tolerance with its bounds.`;
  throw new InferiumError("InvalidPolicy", message);
}
