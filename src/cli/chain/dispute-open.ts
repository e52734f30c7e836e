/**
 * `inferium dispute open`: the evidence comes from the pool's record of the batch that settled the task (receipt, signed
 * votes, proofs), which the contract checks again. What it would refuse is said before anything is paid.
 */
import { readFile } from "node:fs/promises";
import { getAddress } from "ethers";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { ApprovedEvidence } from "../../chain/calls.ts";
import { encodeOpenDispute } from "../../chain/calls.ts";
import { sortAddresses } from "../../chain/certificate.ts";
import { createDisputeReader, type DisputeReader } from "../../chain/dispute-reader.ts";
import type { BatchData, BatchTask } from "../../pool/batch-evidence.ts";
import { formatIfr } from "../../protocol/amount.ts";
import { computeDisputeId } from "../../protocol/dispute.ts";
import { hashMessage, receiptTypes } from "../../protocol/typed-data.ts";
import type { Cluster } from "../context.ts";
import { type ChainSession, printSteps, runSteps, type Step } from "./chain-session.ts";
import { readBatch } from "./read-batch.ts";
import { readTask } from "./verify-task.ts";

export interface OpenOptions {
  readonly accuse?: readonly string[];
}

/** A settled task with its votes, and the epoch of those who cast them. */
export interface SettledEvidence {
  readonly epoch: string;
  readonly task: BatchTask;
}

/** @throws InferiumError TaskNotFound, NotSettled, BatchUnknown */
export async function readSettledEvidence(
  name: string,
  cluster: Cluster,
  systemNamespace: string,
): Promise<SettledEvidence> {
  const { status, metadata } = await readTask(name, cluster);
  const { settlement, receipt, phase = "Pending" } = status ?? {};
  if (settlement === undefined || receipt === undefined) {
    const message = `Task ${metadata.name} is not settled: its phase is ${phase}. There is no approval to dispute yet.`;
    throw new InferiumError("NotSettled", message);
  }
  const batch = await readBatch(cluster.transport, systemNamespace, { sequence: settlement.batch });
  return pickEvidence(batch, receipt.message.taskId);
}

function pickEvidence(batch: BatchData, taskId: string): SettledEvidence {
  const task = batch.tasks.find((candidate) => candidate.taskId === taskId);
  if (task !== undefined) return { epoch: batch.header.epoch, task };
  throw new InferiumError("BatchForged", `The record of batch ${batch.header.sequence} does not hold task ${taskId}.`);
}

/** @throws InferiumError FileUnreadable */
export async function readEvidenceFile(path: string): Promise<SettledEvidence> {
  try {
    const { epoch, task } = JSON.parse(await readFile(path, "utf8")) as SettledEvidence;
    if (/^\d+$/.test(String(epoch)) && Array.isArray(task.votes)) return { epoch: String(epoch), task };
  } catch (cause) {
    throw new InferiumError("FileUnreadable", `Cannot read ${path} as JSON: ${describeError(cause)}.`, { cause });
  }
  throw new InferiumError(
    "FileUnreadable",
    `${path} holds no evidence: expected {epoch, task} with the task's receipt and votes.`,
  );
}

/** @throws InferiumError NobodyAccused, AlreadyDisputed, WindowOver, NothingAtStake, InsufficientBond */
export async function runOpen(
  { epoch, task }: SettledEvidence,
  options: OpenOptions,
  session: ChainSession,
): Promise<number> {
  const { client } = session;
  const reader = createDisputeReader(client);
  const challenger = await (await session.signer()).getAddress();
  const evidence = selectEvidence({ epoch, task }, options);
  const accused = sortAddresses(evidence.approvals.map(({ attestation }) => attestation.validator));
  const id = computeDisputeId(hashMessage(client.domain, receiptTypes, evidence.receipt), challenger, accused);
  const { bondWei, evidenceSeconds } = await reader.parameters();
  if ((await reader.dispute(id)).state !== "None") {
    const message = `${challenger} has disputed this result already: ${id}. See inferium dispute status.`;
    throw new InferiumError("AlreadyDisputed", message);
  }
  await checkWindow(reader, BigInt(epoch), evidenceSeconds);
  await checkStakes(session, accused);
  const held = await client.balanceOf(challenger);
  if (held < bondWei) {
    const message = `${challenger} holds ${formatIfr(held)} IFR; a dispute takes a bond of ${formatIfr(bondWei)}.`;
    throw new InferiumError("InsufficientBond", message);
  }
  const steps: Step[] = [
    { contract: "token", call: "approve", values: [client.addresses.disputes, bondWei] },
    { contract: "disputes", call: "open", data: encodeOpenDispute(evidence) },
  ];
  const summary = `Dispute ${id}: ${formatIfr(bondWei)} IFR against ${accused.join(", ")} over task ${task.taskId}.`;
  return printSteps(session, await runSteps(session, steps), summary, { dispute: id, accused });
}

function selectEvidence({ epoch, task }: SettledEvidence, { accuse }: OpenOptions): ApprovedEvidence {
  const wanted = accuse?.map((address) => getAddress(address));
  const votes = task.votes.filter(({ vote, validator }) => vote === "Accept" && (wanted?.includes(validator) ?? true));
  const missing = wanted?.find((address) => !votes.some(({ validator }) => validator === address));
  if (votes.length === 0 || missing !== undefined) {
    const who = missing === undefined ? "Nobody" : `${missing} is not among those who`;
    throw new InferiumError("NobodyAccused", `${who} approved the result of task ${task.taskId} by a signed vote.`);
  }
  return {
    receipt: task.receipt.message,
    workerSignature: task.receipt.signature,
    epoch: BigInt(epoch),
    approvals: votes.map(({ validationId, votesRoot, validator, signature, outputDigest, proof }) => ({
      attestation: { validationId, votesRoot, validator },
      signature,
      outputDigest,
      proof,
    })),
  };
}

async function checkWindow(reader: DisputeReader, epoch: bigint, evidenceSeconds: number): Promise<void> {
  const retiredAt = await reader.retiredAt(epoch);
  if (retiredAt === 0 || (await reader.now()).timestamp <= retiredAt + evidenceSeconds) return;
  const until = new Date((retiredAt + evidenceSeconds) * 1_000).toISOString();
  throw new InferiumError("WindowOver", `Approvals of epoch ${epoch} could be disputed until ${until}.`);
}

async function checkStakes({ client }: ChainSession, accused: readonly string[]): Promise<void> {
  const nodes = await Promise.all(accused.map((address) => client.node(address)));
  if (nodes.some(({ stakeWei }) => stakeWei > 0n)) return;
  const states = nodes.map(({ state }, index) => `${accused[index]} (${state === "Disqualified" ? "banned" : state})`);
  throw new InferiumError("NothingAtStake", `None of the accused has a stake left to take: ${states.join(", ")}.`);
}
