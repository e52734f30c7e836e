/**
 * Votes as evidence: the tree of one validator's votes on one Validation, and the proof of each. Rebuilt from the
 * Validation alone by whoever settles, slashes or checks. Pure.
 */
import type { ValidationSpec, ValidationStatus } from "../../api/v1alpha1/generated/validations.ts";
import { buildMerkleTree, hashVoteLeaf, type MerkleTree, type Vote } from "../merkle.ts";
import { computeTaskId } from "../typed-data.ts";

export type ValidationReceipt = ValidationSpec["receipts"][number];
export type ValidatorRecord = NonNullable<ValidationStatus["validators"]>[number];

export interface CastVote {
  readonly vote: Vote;
  readonly outputDigest: string;
}

/** Leaves in the order of the receipts. The caller has checked that there are as many votes as receipts. */
export function buildVoteTree(receipts: readonly ValidationReceipt[], votes: readonly CastVote[]): MerkleTree {
  return buildMerkleTree(
    receipts.map((receipt, index) => {
      const cast = votes[index] ?? { vote: "Abstain" as const, outputDigest: `0x${"0".repeat(64)}` };
      return hashVoteLeaf({
        taskId: computeTaskId(receipt.uid),
        attempt: receipt.attempt,
        receiptDigest: receipt.digest,
        ...cast,
      });
    }),
  );
}

/** One validator's signed vote on one receipt, with the way from its leaf to the root that it signed. */
export interface ProvenVote extends CastVote {
  readonly validator: string;
  readonly votesRoot: string;
  readonly signature: string;
  readonly proof: readonly string[];
}

/** The revealed votes of one kind on the receipt at `index`, ascending by validator. */
export function collectVotes(
  validation: { spec: ValidationSpec; status: ValidationStatus },
  index: number,
  kind: Vote,
): ProvenVote[] {
  return (validation.status.validators ?? [])
    .filter((record) => record.state === "Revealed" && record.votes?.[index] === kind)
    .map((record) => proveVote(validation.spec.receipts, record, index))
    .filter((vote) => vote !== undefined)
    .sort((a, b) => (a.validator.toLowerCase() < b.validator.toLowerCase() ? -1 : 1));
}

function proveVote(
  receipts: readonly ValidationReceipt[],
  record: ValidatorRecord,
  index: number,
): ProvenVote | undefined {
  const { votes, outputDigests, votesRoot, signature } = record;
  const vote = votes?.[index];
  const outputDigest = outputDigests?.[index];
  if (!votes || !outputDigests || !vote || !outputDigest || !votesRoot || !signature) return undefined;
  const cast = votes.map((kind, at) => ({ vote: kind, outputDigest: outputDigests[at] ?? "" }));
  const proof = buildVoteTree(receipts, cast).proof(index);
  return { validator: record.address, votesRoot, signature, vote, outputDigest, proof };
}
