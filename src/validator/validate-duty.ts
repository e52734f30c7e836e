/**
 * The two halves of a vote. Commit: judge every receipt, keep the votes and a fresh salt on the disk, then send their
 * commitment. Reveal: sign the root that was committed to, and send votes, salt and signature.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import type { PoolClient } from "../pool/client.ts";
import type { RevealDuty, ValidateDuty } from "../pool/duty.ts";
import type { ProtocolSigner } from "../pool/signer.ts";
import type { AttestResponse } from "../pool/wire.ts";
import { computeCommitment } from "../protocol/commitment.ts";
import { buildMerkleTree, hashVoteLeaf } from "../protocol/merkle.ts";
import { attestationTypes, type ProtocolDomain } from "../protocol/typed-data.ts";
import type { DecidedVote } from "../protocol/verdict/cast-vote.ts";
import { digestReceipt } from "./check-receipt.ts";
import type { CheckTraining } from "./check-training.ts";
import { type Execute, type Judge, judgeItem } from "./judge.ts";
import type { VoteRecord, VoteRecords } from "./vote-record.ts";

export interface VoteContext {
  readonly client: Pick<PoolClient, "attest">;
  readonly signer: ProtocolSigner;
  readonly domain: ProtocolDomain;
  readonly execute: Execute;
  readonly checkTraining?: CheckTraining;
  /** Default: run each item again. */
  readonly judge?: Judge;
  readonly records: VoteRecords;
  readonly clock: Clock;
}

/** Items of one Validation; more is not judged, for its time could not be bounded. */
const maxItems = 1024;

/** @throws InferiumError InvalidDuty, those of the records and of the client; or the signal's reason */
export async function commitVotes(
  context: VoteContext,
  duty: ValidateDuty,
  signal: AbortSignal,
): Promise<AttestResponse> {
  if (duty.items.length === 0 || duty.items.length > maxItems) {
    throw new InferiumError(
      "InvalidDuty",
      `A Validation has ${duty.items.length} receipts; expected 1 to ${maxItems}.`,
    );
  }
  const known = await context.records.find(duty.validationId);
  const record = known ?? (await vote(context, duty, signal));
  const { namespace, validation } = duty;
  return context.client.attest({ kind: "commit", namespace, validation, commitment: record.commitment }, signal);
}

async function vote(context: VoteContext, duty: ValidateDuty, signal: AbortSignal): Promise<VoteRecord> {
  const startedAt = context.clock.monotonic();
  const votes = await judgeAll(context, duty, signal);
  // A stop is no reason to abstain for good: the duty comes again after the restart.
  signal.throwIfAborted();
  const overheadMs = Math.round(context.clock.monotonic() - startedAt);
  const record = buildRecord(context, duty, { votes, overheadMs });
  await context.records.save(record);
  return record;
}

/** Up to the deadline; what is not judged by then is an Abstain. */
async function judgeAll(context: VoteContext, duty: ValidateDuty, signal: AbortSignal): Promise<DecidedVote[]> {
  const bounded = new AbortController();
  const onAbort = () => bounded.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const leftMs = Math.min(Math.max(0, duty.deadlineMs - context.clock.now()), 2 ** 31 - 1);
  const timer = setTimeout(() => bounded.abort(new Error("the deadline passed first")), leftMs);
  try {
    const votes: DecidedVote[] = [];
    const judge = context.judge ?? judgeItem;
    for (const item of duty.items) votes.push(await judge(context, item, bounded.signal));
    return votes;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

interface Votes {
  readonly votes: readonly DecidedVote[];
  readonly overheadMs: number;
}

function buildRecord({ domain, signer }: VoteContext, duty: ValidateDuty, { votes, overheadMs }: Votes): VoteRecord {
  const { validationId } = duty;
  const votesRoot = computeVotesRoot(domain, duty, votes);
  const salt = `0x${randomBytes(32).toString("hex")}`;
  const note = buildNote(votes);
  return {
    validationId,
    votesRoot,
    salt,
    commitment: computeCommitment({ validationId, votesRoot, validator: signer.address, salt }),
    votes: votes.map(({ vote, outputDigest }) => ({ vote, outputDigest })),
    attempts: duty.items.map(({ taskId, attempt }) => ({ taskId, attempt })),
    overheadMs,
    ...(note === undefined ? {} : { note }),
  };
}

/** Leaves in the order of the items. */
export function computeVotesRoot(
  domain: ProtocolDomain,
  { items }: Pick<ValidateDuty, "items">,
  votes: readonly Pick<DecidedVote, "vote" | "outputDigest">[],
): string {
  const leaves = items.map(({ taskId, attempt, receipt }, index) => {
    const cast = votes[index];
    if (cast === undefined) throw new InferiumError("InvalidDuty", `There is no vote for receipt ${index}.`);
    const receiptDigest = digestReceipt(domain, receipt);
    return hashVoteLeaf({ taskId, attempt, receiptDigest, vote: cast.vote, outputDigest: cast.outputDigest });
  });
  return buildMerkleTree(leaves).root;
}

function buildNote(votes: readonly DecidedVote[]): string | undefined {
  const reasons = votes.flatMap(({ vote, reason }, index) =>
    reason === undefined ? [] : [`${index}: ${vote}: ${reason}`],
  );
  return reasons.length === 0 ? undefined : reasons.join("; ").slice(0, 2000);
}

/** @throws InferiumError NotCommitted where there is no vote to reveal */
export async function revealVotes(
  context: VoteContext,
  duty: RevealDuty,
  signal: AbortSignal,
): Promise<AttestResponse> {
  const { validationId, namespace, validation } = duty;
  const record = await context.records.find(validationId);
  if (record === undefined) {
    throw new InferiumError("NotCommitted", `There is no vote of ours for ${validationId}; nothing can be revealed.`);
  }
  const { votes, salt, overheadMs, note, votesRoot } = record;
  const message = { validationId, votesRoot, validator: context.signer.address };
  const signature = await context.signer.signTypedData(context.domain, attestationTypes, message);
  const reveal = { kind: "reveal", namespace, validation, votes, salt, signature, overheadMs } as const;
  return context.client.attest({ ...reveal, ...(note === undefined ? {} : { note }) }, signal);
}
