/**
 * Stage 6: who judges. Validators are drawn without replacement from a seed that nobody knew when the receipts were
 * committed, weighted by stake and record; whoever shares an owner or a node with a worker of the group is out. All
 * integer arithmetic: everybody draws the same panel. Pure.
 */
import { AbiCoder, concat, keccak256 } from "ethers";

export interface Candidate {
  readonly name: string;
  /** Checksummed. */
  readonly address: string;
  readonly owner?: string;
  readonly nodeName?: string;
  readonly stakeWei: bigint;
  /** Expected success between 0 and 1. */
  readonly reputation: number;
}

/** A worker whose receipt is judged. */
export interface Judged {
  readonly address: string;
  readonly owner?: string;
  readonly nodeName?: string;
}

export interface Panel {
  readonly members: readonly Candidate[];
  /** How many could have been drawn. */
  readonly eligible: number;
}

/** The members in the order in which they were drawn; fewer than `count` where fewer are eligible. */
export function selectPanel(
  candidates: readonly Candidate[],
  judged: readonly Judged[],
  draw: { seed: string; count: number },
): Panel {
  const pool = candidates
    .filter((candidate) => isIndependent(candidate, judged))
    .sort((a, b) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1));
  const eligible = pool.length;
  const members: Candidate[] = [];
  while (members.length < draw.count && pool.length > 0) {
    members.push(...pool.splice(drawIndex(pool, draw.seed, members.length), 1));
  }
  return { members, eligible };
}

function isIndependent(candidate: Candidate, judged: readonly Judged[]): boolean {
  return judged.every(
    (worker) =>
      !isSame(candidate.address, worker.address) &&
      !isSame(candidate.owner, worker.owner) &&
      !(candidate.nodeName !== undefined && candidate.nodeName === worker.nodeName),
  );
}

/** Absent owners are unknown, not equal. */
function isSame(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase();
}

function drawIndex(pool: readonly Candidate[], seed: string, round: number): number {
  const weights = pool.map(weightOf);
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  let ticket = BigInt(hashRound(seed, round)) % total;
  for (const [index, weight] of weights.entries()) {
    if (ticket < weight) return index;
    ticket -= weight;
  }
  return pool.length - 1;
}

/** Whole tokens times record in thousandths; never zero, so that every eligible validator can be drawn. */
function weightOf(candidate: Candidate): bigint {
  const score = Number.isFinite(candidate.reputation) ? Math.min(1, Math.max(0, candidate.reputation)) : 0;
  const record = Math.round(score * 1_000);
  const weight = (candidate.stakeWei / 10n ** 18n) * BigInt(record);
  return weight > 0n ? weight : 1n;
}

function hashRound(seed: string, round: number): string {
  return keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "uint256"], [seed, round]));
}

/** The seed of a draw: the receipts, and the hash of a block that came after them. */
export function computeSeed(receiptDigests: readonly string[], blockHash: string): string {
  return keccak256(concat([...receiptDigests, blockHash]));
}
