/**
 * What must hold after a simulation, read from the chain and the tasks alone: each task is in exactly one settled batch, is
 * paid once and in full, and nobody was slashed or has signed what could be slashed.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { claimMany } from "../../../src/chain/bond.ts";
import { hashHeader } from "../../../src/chain/header.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { buildBalanceTree, hashTaskLeaf, verifyMerkleProof } from "../../../src/protocol/merkle.ts";
import { burnAddress, computeRewardSplit } from "../../../src/protocol/reward.ts";
import { sortByAddress, zeroHash } from "../../../src/protocol/settlement.ts";
import type { BatchHeaderMessage } from "../../../src/protocol/typed-data.ts";
import { type ChainFixture, treasury } from "../../integration/chain/chain-fixture.ts";
import { rewardWei } from "./world.ts";

export interface Outcome {
  readonly tasks: number;
  readonly batches: number;
  readonly lost: number;
  readonly paidTwice: number;
  readonly slashedWrongly: number;
  /** Everything that is not as it must be; empty after a good run. */
  readonly problems: readonly string[];
}

export async function assertExactlyOnce(dir: string, chain: ChainFixture): Promise<Outcome> {
  const problems: string[] = [];
  const headers = await readHeaders(chain, problems);
  const tasks = await readTasks(dir);
  const places = new Map<string, string[]>();
  let lost = 0;
  for (const task of tasks) {
    const place = checkTask(task, headers);
    if (place === undefined) {
      lost += 1;
      problems.push(
        `${task.metadata.name} is not settled: ${JSON.stringify(task.status?.settlement ?? task.status?.phase)}`,
      );
    } else places.set(place, [...(places.get(place) ?? []), task.metadata.name]);
  }
  const leaves = headers.reduce((sum, header) => sum + header.taskCount, 0);
  // Every task has a place of its own, so more places than tasks means that some task has two.
  const paidTwice = Math.max(0, leaves - places.size);
  if (paidTwice > 0) problems.push(`${leaves} leaves are settled for ${places.size} places of tasks`);
  for (const [place, names] of places) if (names.length > 1) problems.push(`${names} share place ${place}`);
  await checkMoney(chain, headers, tasks.length, problems);
  const slashedWrongly = await checkSlashes(dir, chain, problems);
  return { tasks: tasks.length, batches: headers.length, lost, paidTwice, slashedWrongly, problems };
}

/** From the calldata of the transactions whose events are on the chain now; checked to be one unbroken chain. */
export async function readHeaders(
  chain: Pick<ChainFixture, "addresses" | "provider" | "client">,
  problems: string[],
): Promise<BatchHeaderMessage[]> {
  const { abi } = loadArtifact("Settlement");
  const filter = { address: chain.addresses.settlement, topics: abi.encodeFilterTopics("Settled", []), fromBlock: 0 };
  const headers: BatchHeaderMessage[] = [];
  let previousHash = zeroHash;
  for (const log of await chain.provider.getLogs(filter)) {
    const transaction = await chain.provider.getTransaction(log.transactionHash);
    const [given] = abi.decodeFunctionData("settle", transaction?.data ?? "0x");
    const header: BatchHeaderMessage = { ...given.toObject(), taskCount: Number(given.taskCount) };
    if (header.sequence !== BigInt(headers.length + 1))
      problems.push(`batch ${header.sequence} follows ${headers.length}`);
    if (header.previousHash !== previousHash)
      problems.push(`batch ${header.sequence} does not stand on the one before`);
    previousHash = hashHeader(chain.client.domain, header);
    headers.push(header);
  }
  const last = await chain.client.lastBatch();
  if (last.headerHash !== previousHash) problems.push("the chain's last batch is not the last of its events");
  return headers;
}

async function readTasks(dir: string): Promise<TaskObject[]> {
  const names = await readdir(join(dir, "tasks"));
  const files = names.filter((name) => name.startsWith("task-"));
  return Promise.all(files.map(async (name) => JSON.parse(await readFile(join(dir, "tasks", name), "utf8"))));
}

/** Where the task's own proof leads to; undefined where it leads nowhere. */
function checkTask(task: TaskObject, headers: readonly BatchHeaderMessage[]): string | undefined {
  const { settlement, receipt } = task.status ?? {};
  const header = headers[(settlement?.batch ?? 0) - 1];
  if (!settlement || !receipt || header === undefined) return undefined;
  const { taskId, attempt, worker } = receipt.message;
  const requester = task.spec.requester ?? "";
  const leaf = hashTaskLeaf({ taskId, attempt, worker, requester, receiptDigest: receipt.digest, rewardWei });
  const isIn = verifyMerkleProof(header.taskRoot, leaf, settlement.proof ?? []);
  return isIn ? `${settlement.batch}/${settlement.index}` : undefined;
}

/** The last root is over exactly what the tasks pay, and claims pay exactly that, however often they are made. */
async function checkMoney(
  chain: ChainFixture,
  headers: readonly BatchHeaderMessage[],
  count: number,
  problems: string[],
): Promise<void> {
  const worker = chain.workers[0]!.address;
  const credits = new Map<string, bigint>([[treasury, 0n]]);
  const split = computeRewardSplit({ rewardWei, workerPayee: worker, validatorPayees: [], treasury });
  for (const [account, wei] of split) credits.set(account, wei * BigInt(count));
  const balances = sortByAddress(credits);
  const tree = buildBalanceTree(balances, new Map([[chain.requester.address, rewardWei * BigInt(count)]]));
  const last = headers.at(-1);
  if (last?.settledWei !== rewardWei * BigInt(count))
    problems.push(`settled ${last?.settledWei} wei for ${count} tasks`);
  if (last?.balanceRoot !== tree.root) {
    problems.push("the last balance root is not over what the tasks pay");
    return;
  }
  const claims = [...balances].flatMap(([account, cumulativeWei], index) =>
    account === burnAddress ? [] : [{ account, cumulativeWei, proof: tree.proof(index) }],
  );
  for (let time = 0; time < 2; time++) await claimMany(chain.admin, last, claims);
  for (const { account, cumulativeWei } of claims) {
    const paid = await chain.client.balanceOf(account);
    if (paid !== cumulativeWei) problems.push(`${account} was paid ${paid}, earned ${cumulativeWei}`);
  }
}

/** Slashes that happened, and pairs of headers that a validator could be slashed for. */
async function checkSlashes(dir: string, chain: ChainFixture, problems: string[]): Promise<number> {
  const { abi } = loadArtifact("NodeRegistry");
  const topics = abi.encodeFilterTopics("Slashed", []);
  const logs = await chain.provider.getLogs({ address: chain.addresses.registry, topics, fromBlock: 0 });
  if (logs.length > 0) problems.push(`${logs.length} slashes of honest nodes`);
  const signed = new Map<string, Set<string>>();
  const lines = (await readFile(join(dir, "signatures.jsonl"), "utf8")).split("\n").filter((line) => line !== "");
  for (const { validator, epoch, sequence, headerHash } of lines.map((line) => JSON.parse(line))) {
    const key = `${validator} in epoch ${epoch} for batch ${sequence}`;
    signed.set(key, (signed.get(key) ?? new Set()).add(headerHash));
  }
  const equivocations = [...signed].filter(([, hashes]) => hashes.size > 1);
  for (const [key, hashes] of equivocations) problems.push(`${key} signed ${hashes.size} headers`);
  return logs.length + equivocations.length;
}
