/**
 * After the last batch: pays everybody what the chain's last balance root credits them, from the balances that the batch's
 * data carries, and reads back what they hold.
 */
import { claimMany } from "../../chain/bond.ts";
import { buildMerkleTree, hashBalanceLeaf } from "../../protocol/merkle.ts";
import { burnAddress } from "../../protocol/reward.ts";
import type { LocalChain } from "./local-chain.ts";
import type { Member } from "./members.ts";

/** @param balances cumulative credits in the order of the balance leaves */
export async function claimRewards(chain: LocalChain, balances: ReadonlyMap<string, bigint>): Promise<void> {
  const entries = [...balances];
  const tree = buildMerkleTree(entries.map(([account, wei]) => hashBalanceLeaf(account, wei)));
  const claims = entries.flatMap(([account, cumulativeWei], index) =>
    cumulativeWei === 0n || account === burnAddress ? [] : [{ account, cumulativeWei, proof: tree.proof(index) }],
  );
  if (claims.length > 0) await claimMany(chain.writer, claims);
}

/** Tokens that each member's owner holds, by the member's name. */
export async function readPaid(chain: LocalChain, members: readonly Member[]): Promise<Map<string, bigint>> {
  const paid = await Promise.all(members.map(async (m) => [m.name, await chain.client.balanceOf(m.owner)] as const));
  return new Map(paid);
}
