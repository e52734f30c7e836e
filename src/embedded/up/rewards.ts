/**
 * After the last batch: once it is final, pays everybody what its balance root credits them, from the balances that the
 * batch's data carries, and reads back what they hold.
 */
import { labels } from "../../api/v1alpha1/labels.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import { claimMany } from "../../chain/bond.ts";
import { hashHeader } from "../../chain/header.ts";
import { createClient } from "../../kube/client.ts";
import { readConfigMapRecord } from "../../kube/config-map-record.ts";
import { configMaps } from "../../kube/core-resources.ts";
import type { Transport } from "../../kube/transport.ts";
import { readAmounts, readHeader } from "../../pool/batch-data.ts";
import type { BatchData } from "../../pool/batch-evidence.ts";
import { buildBalanceTree } from "../../protocol/merkle.ts";
import { burnAddress } from "../../protocol/reward.ts";
import type { LocalChain } from "./local-chain.ts";
import type { Member } from "./members.ts";
import { systemNamespace } from "./pods.ts";

/** The operator publishes what each batch is made of in ConfigMaps. */
export async function readLastBatch(transport: Transport): Promise<BatchData | undefined> {
  const client = createClient(transport, configMaps);
  const { items } = await client.list({
    namespace: systemNamespace,
    labelSelector: `${labels.component}=batch-body-record`,
  });
  const head = items.sort((a, b) => (a.metadata.name < b.metadata.name ? 1 : -1))[0];
  return head && ((await readConfigMapRecord(client, head)) as { data: BatchData }).data;
}

/** Undefined where it is not kept any more. */
export async function readBatch(transport: Transport, sequence: number): Promise<BatchData | undefined> {
  const client = createClient(transport, configMaps);
  const { items } = await client.list({
    namespace: systemNamespace,
    labelSelector: `${labels.component}=batch-body-record`,
  });
  const head = items.find(({ metadata }) => metadata.name.endsWith(`-${String(sequence).padStart(12, "0")}`));
  return head && ((await readConfigMapRecord(client, head)) as { data: BatchData }).data;
}

const finalTimeoutMs = 60_000;

/** Waits for the batch to be final (the chain counts in blocks, and a block comes several times a second), then claims for all. */
export async function claimRewards(chain: LocalChain, batch: BatchData, clock: Clock = systemClock): Promise<void> {
  const header = readHeader(batch.header);
  await untilFinal(chain, hashHeader(chain.client.domain, header), clock);
  const balances = readAmounts(batch.balances);
  const tree = buildBalanceTree(balances, readAmounts(batch.spent));
  const claims = [...balances].flatMap(([account, cumulativeWei], index) =>
    cumulativeWei === 0n || account === burnAddress ? [] : [{ account, cumulativeWei, proof: tree.proof(index) }],
  );
  if (claims.length > 0) await claimMany(chain.writer, header, claims);
}

async function untilFinal(chain: LocalChain, headerHash: string, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + finalTimeoutMs;
  while ((await chain.client.finalHeader()) !== headerHash) {
    if (clock.monotonic() > deadline) {
      const message = `The last batch is not final after ${finalTimeoutMs / 1_000} s: ${headerHash}.`;
      throw new InferiumError("NotFinal", message);
    }
    await clock.sleep(100);
  }
}

/** Tokens that each member's owner holds, by the member's name. */
export async function readPaid(chain: LocalChain, members: readonly Member[]): Promise<Map<string, bigint>> {
  const paid = await Promise.all(members.map(async (m) => [m.name, await chain.client.balanceOf(m.owner)] as const));
  return new Map(paid);
}
