/** Does the batch stand on what was certified or settled before? Its balances are the money of everyone paid so far. Pure. */
import { buildMerkleTree, hashBalanceLeaf } from "../../protocol/merkle.ts";
import { zeroHash } from "../../protocol/settlement.ts";
import { type Finding, finding } from "./finding.ts";
import type { ParsedBatch } from "./parse-batch.ts";

/** A batch that was settled on the chain. */
export interface ChainHead {
  /** 0 before the first. */
  readonly sequence: bigint;
  readonly headerHash: string;
  readonly balanceRoot: string;
}

/** The batch that this validator certified last. */
export interface LastCertified {
  readonly sequence: bigint;
  readonly headerHash: string;
  readonly balances: ReadonlyMap<string, bigint>;
}

/** Answers whether the batch follows from our own record alone; then the chain need not be asked. */
export function followsOwnRecord(batch: ParsedBatch, last: LastCertified | undefined): boolean {
  const { sequence, previousHash } = batch.header;
  if (sequence === 1n) return previousHash === zeroHash && batch.previousBalances.size === 0;
  if (last === undefined || last.sequence !== sequence - 1n || last.headerHash !== previousHash) return false;
  return sameBalances(last.balances, batch.previousBalances);
}

/** After a gap, or where another batch than ours was settled, the chain's word counts. */
export function checkChainHead(batch: ParsedBatch, head: ChainHead | undefined): Finding | undefined {
  const { sequence, previousHash } = batch.header;
  if (head === undefined) {
    return finding("UnknownPrevious", `Batch ${sequence} follows one that is not known here, and no chain could tell.`);
  }
  if (head.sequence !== sequence - 1n || head.headerHash !== previousHash) {
    const message = `Batch ${sequence} follows ${previousHash}; the chain's last is ${head.sequence}, ${head.headerHash}.`;
    return finding("WrongPrevious", message);
  }
  if (computeBalanceRoot(batch.previousBalances) === head.balanceRoot) return undefined;
  return finding("WrongPreviousBalances", `The balances before batch ${sequence} are not those of the chain's root.`);
}

export function sameBalances(a: ReadonlyMap<string, bigint>, b: ReadonlyMap<string, bigint>): boolean {
  return a.size === b.size && [...a].every(([account, wei]) => b.get(account) === wei);
}

/** Leaves ascending by address, as in computeBatch. */
function computeBalanceRoot(balances: ReadonlyMap<string, bigint>): string | undefined {
  if (balances.size === 0) return undefined;
  const sorted = [...balances].sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  return buildMerkleTree(sorted.map(([account, wei]) => hashBalanceLeaf(account, wei))).root;
}
