/** Does the batch stand on what was certified or settled before? Its amounts are the money of everyone paid so far. Pure. */
import { buildBalanceTree } from "../../protocol/merkle.ts";
import { sortByAddress, zeroHash } from "../../protocol/settlement.ts";
import { batchHeaderTypes, hashMessage, type ProtocolDomain } from "../../protocol/typed-data.ts";
import { type Finding, finding } from "./finding.ts";
import type { ParsedBatch } from "./parse-batch.ts";

/** The batch that was settled last on the chain. */
export interface ChainHead {
  /** 0 before the first. */
  readonly sequence: bigint;
  readonly headerHash: string;
}

/** The batch that this validator certified last. */
export interface LastCertified {
  readonly sequence: bigint;
  readonly epoch: bigint;
  readonly headerHash: string;
  readonly balances: ReadonlyMap<string, bigint>;
  readonly spent: ReadonlyMap<string, bigint>;
}

/** Answers whether the batch follows from our own record alone; then the chain need not be asked. */
export function followsOwnRecord(batch: ParsedBatch, last: LastCertified | undefined): boolean {
  const { sequence, previousHash } = batch.header;
  if (sequence === 1n) return previousHash === zeroHash && startsFromNothing(batch);
  if (last === undefined || last.sequence !== sequence - 1n || last.headerHash !== previousHash) return false;
  return sameAmounts(last.balances, batch.previousBalances) && sameAmounts(last.spent, batch.previousSpent);
}

/** After a gap, or where another batch than ours was settled, the chain's word counts. */
export function checkChainHead(
  batch: ParsedBatch,
  head: ChainHead | undefined,
  domain: ProtocolDomain,
): Finding | undefined {
  const { sequence, previousHash } = batch.header;
  if (head === undefined) {
    return finding("UnknownPrevious", `Batch ${sequence} follows one that is not known here, and no chain could tell.`);
  }
  if (head.sequence !== sequence - 1n || head.headerHash !== previousHash) {
    const message = `Batch ${sequence} follows ${previousHash}; the chain's last is ${head.sequence}, ${head.headerHash}.`;
    return finding("WrongPrevious", message);
  }
  if (sequence === 1n && startsFromNothing(batch)) return undefined;
  const { previousHeader } = batch;
  if (previousHeader === undefined || hashMessage(domain, batchHeaderTypes, previousHeader) !== previousHash) {
    return finding("WrongPreviousHeader", `The header before batch ${sequence} is not the one that its hash names.`);
  }
  if (computePreviousRoot(batch) === previousHeader.balanceRoot) return undefined;
  return finding("WrongPreviousBalances", `The amounts before batch ${sequence} are not those of the chain's root.`);
}

const startsFromNothing = (batch: ParsedBatch) => batch.previousBalances.size === 0 && batch.previousSpent.size === 0;

export function sameAmounts(a: ReadonlyMap<string, bigint>, b: ReadonlyMap<string, bigint>): boolean {
  return a.size === b.size && [...a].every(([account, wei]) => b.get(account) === wei);
}

function computePreviousRoot({ previousBalances, previousSpent }: ParsedBatch): string | undefined {
  if (previousBalances.size === 0) return undefined;
  return buildBalanceTree(sortByAddress(previousBalances), sortByAddress(previousSpent)).root;
}
