import { describe, expect, test } from "vitest";
import type { ValidationSpec, ValidationStatus } from "../../../../src/api/v1alpha1/generated/validations.ts";
import { hashVoteLeaf, verifyMerkleProof } from "../../../../src/protocol/merkle.ts";
import { computeTaskId } from "../../../../src/protocol/typed-data.ts";
import { buildVoteTree, collectVotes } from "../../../../src/protocol/verdict/evidence.ts";

const hash = (byte: string) => `0x${byte.repeat(32)}`;
const receipts = ["a", "b", "c"].map((uid, index) => ({
  task: uid,
  uid,
  attempt: index + 1,
  worker: "0x1",
  digest: hash(`0${index + 1}`),
}));
const votes = [
  { vote: "Accept" as const, outputDigest: hash("aa") },
  { vote: "Reject" as const, outputDigest: hash("bb") },
  { vote: "Accept" as const, outputDigest: hash("cc") },
];

function aRecord(address: string, change: object = {}) {
  const { root } = buildVoteTree(receipts, votes);
  return {
    address,
    state: "Revealed" as const,
    votes: votes.map(({ vote }) => vote),
    outputDigests: votes.map(({ outputDigest }) => outputDigest),
    votesRoot: root,
    signature: "0xsig",
    ...change,
  };
}

const aValidation = (validators: NonNullable<ValidationStatus["validators"]>) => ({
  spec: { receipts } as unknown as ValidationSpec,
  status: { validators } as ValidationStatus,
});

describe("collectVotes", () => {
  test("each vote is proven by its leaf under the root that was signed", () => {
    const [vote] = collectVotes(aValidation([aRecord("0xb")]), 1, "Reject");
    const leaf = {
      taskId: computeTaskId("b"),
      attempt: 2,
      receiptDigest: hash("02"),
      vote: "Reject" as const,
      outputDigest: hash("bb"),
    };
    expect(verifyMerkleProof(vote!.votesRoot, hashVoteLeaf(leaf), vote!.proof)).toBe(true);
    expect(verifyMerkleProof(vote!.votesRoot, hashVoteLeaf({ ...leaf, vote: "Accept" }), vote!.proof)).toBe(false);
  });

  test("votes come ascending by validator, as the contract wants them", () => {
    const found = collectVotes(aValidation([aRecord("0xC"), aRecord("0xa"), aRecord("0xB")]), 0, "Accept");
    expect(found.map(({ validator }) => validator)).toEqual(["0xa", "0xB", "0xC"]);
  });

  test("votes of the other kind, and of who missed or abstained, are no evidence", () => {
    const missed = { address: "0xd", state: "Missed" as const };
    expect(
      collectVotes(aValidation([aRecord("0xa"), missed, aRecord("0xe", { state: "Abstained" })]), 0, "Accept"),
    ).toHaveLength(1);
    expect(collectVotes(aValidation([aRecord("0xa")]), 0, "Reject")).toEqual([]);
  });

  test("a vote without its signature is no evidence", () => {
    expect(collectVotes(aValidation([aRecord("0xa", { signature: undefined })]), 0, "Accept")).toEqual([]);
  });
});
