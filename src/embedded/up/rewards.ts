/**
 * After the last batch: pays everybody what the chain's last balance root credits them, from the balances that the batch's
 * data carries, and reads back what they hold.
 */
import { gunzipSync } from "node:zlib";
import { labels } from "../../api/v1alpha1/labels.ts";
import { claimMany } from "../../chain/bond.ts";
import { createClient } from "../../kube/client.ts";
import { configMaps } from "../../kube/core-resources.ts";
import type { Transport } from "../../kube/transport.ts";
import type { BatchData } from "../../pool/wire.ts";
import { buildMerkleTree, hashBalanceLeaf } from "../../protocol/merkle.ts";
import { burnAddress } from "../../protocol/reward.ts";
import type { LocalChain } from "./local-chain.ts";
import type { Member } from "./members.ts";
import { systemNamespace } from "./pods.ts";

/** The operator publishes what each batch is made of in ConfigMaps: gzipped JSON, in parts where it is large. */
export async function readLastBalances(transport: Transport): Promise<Map<string, bigint>> {
  const client = createClient(transport, configMaps);
  const { items } = await client.list({
    namespace: systemNamespace,
    labelSelector: `${labels.component}=batch-body-record`,
  });
  const head = items.sort((a, b) => (a.metadata.name < b.metadata.name ? 1 : -1))[0];
  if (!head) return new Map();
  const parts = [head.binaryData?.body ?? ""];
  for (let index = 1; index < Number(head.data?.parts ?? "1"); index++) {
    const part = await client.get({ namespace: systemNamespace, name: `${head.metadata.name}.${index}` });
    parts.push(part.binaryData?.body ?? "");
  }
  const zipped = Buffer.concat(parts.map((part) => Buffer.from(part, "base64")));
  const { data } = JSON.parse(gunzipSync(zipped).toString("utf8")) as { data: BatchData };
  return new Map(Object.entries(data.balances).map(([account, wei]) => [account, BigInt(wei)]));
}

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
