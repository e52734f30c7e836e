/**
 * Merkle trees as OpenZeppelin's MerkleProof checks them: sorted pairs, keccak-256, double-hashed leaves so that no inner
 * node can pass for a leaf. Leaves keep the given order; an odd node moves up unchanged.
 */
import { AbiCoder, concat, encodeBytes32String, getBytes } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { keccak256 } from "../base/keccak.ts";
import { collectSiblings } from "./siblings.ts";
import type { ClaimMessage } from "./typed-data.ts";
import { createWordHasher, hashTwo, hashWords, writeBytes32 } from "./words.ts";

export interface MerkleTree {
  /** 0x-hex of 32 bytes. */
  readonly root: string;
  /** Siblings from the leaf upwards. @throws InferiumError LeafOutOfRange */
  proof(index: number): string[];
}

export const voteCode = { Accept: 1, Reject: 2, Abstain: 3 } as const;
export type Vote = keyof typeof voteCode;

export interface VoteLeaf {
  readonly taskId: string;
  readonly attempt: number;
  readonly receiptDigest: string;
  readonly vote: Vote;
  /** Digest of what the validator itself computed; 32 zero bytes when it abstained. */
  readonly outputDigest: string;
}

export interface TaskLeaf {
  readonly taskId: string;
  readonly attempt: number;
  readonly receiptDigest: string;
  readonly worker: string;
  readonly requester: string;
  readonly rewardWei: bigint;
  /** Of the statement that a proof showed (`hashStatement`); absent, and zero in the leaf, where validators re-executed. */
  readonly statementHash?: string | undefined;
}

const noStatement = `0x${"0".repeat(64)}`;
const coder = AbiCoder.defaultAbiCoder();
const missedMark = encodeBytes32String("missed");
const spentMark = encodeBytes32String("spent");

const hashVote = createLeafHasher(["bytes32", "uint32", "bytes32", "uint8", "bytes32"]);
const hashTask = createLeafHasher(["bytes32", "uint32", "bytes32", "address", "address", "uint256", "bytes32"]);
const hashMissed = createLeafHasher(["bytes32", "bytes32", "uint32", "address", "uint64"]);
const hashBalance = createLeafHasher(["address", "uint256"]);
const hashSpent = createLeafHasher(["bytes32", "address", "uint256"]);

/** ethers decides about everything that is not written in the usual form. */
function createLeafHasher(types: string[]): (values: unknown[]) => string {
  const hashValues = createWordHasher(types);
  return (values) => {
    const once = hashValues(values) ?? keccak256(getBytes(coder.encode(types, values)));
    writeBytes32(once, 0);
    return hashWords(1);
  };
}

export function hashVoteLeaf(leaf: VoteLeaf): string {
  return hashVote([leaf.taskId, leaf.attempt, leaf.receiptDigest, voteCode[leaf.vote], leaf.outputDigest]);
}

export function hashTaskLeaf(leaf: TaskLeaf): string {
  return hashTask(Object.values(completeTaskLeaf(leaf)));
}

/** A claim whose worker let the deadline pass; shorter than a task's leaf, so that neither can pass for the other. */
export function hashMissedLeaf({ taskId, attempt, worker, deadlineMs }: ClaimMessage): string {
  return hashMissed([missedMark, taskId, attempt, worker, deadlineMs]);
}

/** As the contracts take it, in the order of its fields there. */
export function completeTaskLeaf(leaf: TaskLeaf): Required<TaskLeaf> {
  const { taskId, attempt, receiptDigest, worker, requester, rewardWei, statementHash = noStatement } = leaf;
  return { taskId, attempt, receiptDigest, worker, requester, rewardWei, statementHash };
}

export function hashBalanceLeaf(account: string, cumulativeWei: bigint): string {
  return hashBalance([account, cumulativeWei]);
}

/** What a requester has spent; longer than a balance's leaf, so that neither can pass for the other. */
export function hashSpentLeaf(requester: string, cumulativeWei: bigint): string {
  return hashSpent([spentMark, requester, cumulativeWei]);
}

/** The tree behind a batch's balance root: what everybody has earned, then what everybody has spent, each ascending by address. */
export function buildBalanceTree(
  balances: ReadonlyMap<string, bigint>,
  spent: ReadonlyMap<string, bigint>,
): MerkleTree {
  return buildMerkleTree([
    ...[...balances].map(([account, wei]) => hashBalanceLeaf(account, wei)),
    ...[...spent].map(([requester, wei]) => hashSpentLeaf(requester, wei)),
  ]);
}

/** @throws InferiumError EmptyTree */
export function buildMerkleTree(leaves: readonly string[]): MerkleTree {
  if (leaves.length === 0) throw new InferiumError("EmptyTree", "A Merkle tree needs at least one leaf, got none.");
  const levels: string[][] = [[...leaves]];
  for (let level = levels[0] ?? []; level.length > 1; level = levels.at(-1) ?? []) levels.push(hashLevel(level));
  return {
    root: levels.at(-1)?.[0] ?? "",
    proof(index) {
      const siblings = collectSiblings(levels, index);
      if (siblings !== undefined) return siblings;
      const message = `Leaf ${index} asked of a Merkle tree with ${leaves.length} leaves.`;
      throw new InferiumError("LeafOutOfRange", message);
    },
  };
}

function hashLevel(level: readonly string[]): string[] {
  const next: string[] = [];
  for (let i = 0; i < level.length; i += 2) next.push(hashPair(level[i] ?? "", level[i + 1]));
  return next;
}

function hashPair(a: string, b: string | undefined): string {
  if (b === undefined) return a;
  const [low, high] = a < b ? [a, b] : [b, a];
  return hashTwo(low, high) ?? keccak256(getBytes(concat([low, high])));
}

/** True where the proof leads from the leaf to the root. */
export function verifyMerkleProof(root: string, leaf: string, proof: readonly string[]): boolean {
  return proof.reduce((node, sibling) => hashPair(node, sibling), leaf) === root;
}
