/** `inferium claim`: pays accounts what the newest final batch proves that they have earned. Anybody may, for anybody. */
import { getAddress } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { hashHeader } from "../../chain/header.ts";
import { readAmounts, readHeader } from "../../pool/batch-data.ts";
import type { BatchData } from "../../pool/batch-evidence.ts";
import { formatIfr } from "../../protocol/amount.ts";
import { buildBalanceTree } from "../../protocol/merkle.ts";
import { burnAddress } from "../../protocol/reward.ts";
import { zeroHash } from "../../protocol/settlement.ts";
import { type ChainSession, printSteps, runSteps } from "./chain-session.ts";

export interface ClaimOptions {
  /** Left out: the key's own. */
  readonly account?: readonly string[];
  readonly all?: boolean;
}

/** @throws InferiumError NotFinal, NothingToClaim */
export async function runClaim(
  options: ClaimOptions,
  session: ChainSession,
  readFinal: (headerHash: string) => Promise<BatchData>,
): Promise<number> {
  const { client } = session;
  const headerHash = await client.finalHeader();
  if (headerHash === zeroHash) throw new InferiumError("NotFinal", "No batch is final yet; nothing can be claimed.");
  const batch = await readFinal(headerHash);
  const header = readHeader(batch.header);
  const balances = readAmounts(batch.balances);
  const tree = buildBalanceTree(balances, readAmounts(batch.spent));
  if (hashHeader(client.domain, header) !== headerHash || tree.root !== header.balanceRoot) {
    throw new InferiumError(
      "BatchForged",
      `The record of the batch is not what the chain's header ${headerHash} is over.`,
    );
  }
  const accounts = [...balances.keys()];
  const wanted = options.all === true ? accounts : await readAccounts(options, session);
  const claims: { account: string; cumulativeWei: bigint; proof: string[] }[] = [];
  let totalWei = 0n;
  for (const account of wanted) {
    const cumulativeWei = balances.get(account) ?? 0n;
    const openWei = cumulativeWei - (await client.claimed(account));
    if (openWei <= 0n || account === burnAddress) continue;
    totalWei += openWei;
    claims.push({ account, cumulativeWei, proof: tree.proof(accounts.indexOf(account)) });
  }
  if (claims.length === 0) {
    const who = options.all === true ? "anybody" : wanted.join(", ");
    throw new InferiumError(
      "NothingToClaim",
      `Up to batch ${header.sequence}, the newest final one, nothing is left to claim for ${who}.`,
    );
  }
  const results = await runSteps(session, [{ contract: "distributor", call: "claimMany", values: [header, claims] }]);
  return printSteps(
    session,
    results,
    `Claims ${formatIfr(totalWei)} IFR for ${claims.length} accounts, final up to batch ${header.sequence}.`,
  );
}

async function readAccounts({ account = [] }: ClaimOptions, session: ChainSession): Promise<string[]> {
  if (account.length > 0) return account.map((text) => getAddress(text));
  return [await (await session.signer()).getAddress()];
}
