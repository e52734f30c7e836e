/**
 * The evidence that a task was accepted: enough votes of distinct validators, each an Accept of exactly this receipt under
 * a root that the validator signed. Pure.
 */
import type { VoteEvidence } from "../../pool/batch-evidence.ts";
import { hashVoteLeaf, verifyMerkleProof } from "../../protocol/merkle.ts";
import { attestationTypes, type ProtocolDomain, recoverSigner } from "../../protocol/typed-data.ts";
import { isCompact } from "../check-receipt.ts";
import { type Finding, finding } from "./finding.ts";
import type { ParsedTask } from "./parse-batch.ts";

export interface VoteRules {
  readonly domain: ProtocolDomain;
  readonly minimumQuorum: number;
  readonly allowUnverified: boolean;
  /** Members of the validator set; undefined where the chain is not read. */
  readonly validators: ReadonlySet<string> | undefined;
  /** Signers of attestations that were recovered before: many tasks share one. */
  readonly signers: Map<string, string | undefined>;
}

export function checkVotes(task: ParsedTask, rules: VoteRules): Finding | undefined {
  if (task.votes.length === 0 && (task.rewardWei === 0n || rules.allowUnverified)) return undefined;
  const voters = new Set(task.votes.map((vote) => vote.validator));
  if (voters.size !== task.votes.length) {
    return finding("DuplicateVote", `Task ${task.taskId} names a validator's vote more than once.`);
  }
  for (const vote of task.votes) {
    const found = checkVote(task, vote, rules);
    if (found !== undefined) return found;
  }
  if (voters.size >= rules.minimumQuorum) return undefined;
  const message = `Task ${task.taskId} has ${voters.size} accepting votes; at least ${rules.minimumQuorum} are needed.`;
  return finding("QuorumNotReached", message);
}

function checkVote(task: ParsedTask, vote: VoteEvidence, rules: VoteRules): Finding | undefined {
  const { validator } = vote;
  if (vote.vote !== "Accept") return finding("NotAccepted", `${validator} voted ${vote.vote} on task ${task.taskId}.`);
  if (validator === task.worker) return finding("OwnVote", `${validator} voted on its own work, task ${task.taskId}.`);
  if (rules.validators?.has(validator) === false) {
    return finding("UnknownValidator", `${validator} voted on task ${task.taskId} and is not in the validator set.`);
  }
  const { taskId, attempt, receiptDigest } = task;
  const leaf = hashVoteLeaf({ taskId, attempt, receiptDigest, vote: vote.vote, outputDigest: vote.outputDigest });
  if (!verifyMerkleProof(vote.votesRoot, leaf, vote.proof)) {
    return finding("VoteNotProven", `The vote of ${validator} on task ${task.taskId} is not under its root.`);
  }
  const signer = recoverAttester(vote, rules);
  if (signer === validator) return undefined;
  return finding(
    "VoteNotSigned",
    `The vote of ${validator} on task ${task.taskId} is signed by ${signer ?? "nobody"}.`,
  );
}

function recoverAttester(vote: VoteEvidence, { domain, signers }: VoteRules): string | undefined {
  const { validationId, votesRoot, validator, signature } = vote;
  const key = `${validationId} ${votesRoot} ${validator} ${signature}`;
  if (signers.has(key)) return signers.get(key);
  const message = { validationId, votesRoot, validator };
  const signer = isCompact(signature) ? recoverSigner(domain, attestationTypes, message, signature) : undefined;
  signers.set(key, signer);
  return signer;
}
