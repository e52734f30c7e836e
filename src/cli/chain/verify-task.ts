/** `inferium verify task NAME`: proves what a task's status says against the chain alone, and says what that does not prove. */
import { readFile } from "node:fs/promises";
import { getAddress, ZeroAddress } from "ethers";
import type { InferenceTask, Validation } from "../../api/v1alpha1/types.ts";
import { digestToBytes32, parseDigest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { ChainClient } from "../../chain/client.ts";
import { verifyProof } from "../../chain/verify-proof.ts";
import { type Check, type SettlementClaim, verifySettlement } from "../../chain/verify-settlement.ts";
import { isNotFound } from "../../kube/api-error.ts";
import { createClient } from "../../kube/client.ts";
import { readProof } from "../../protocol/proof.ts";
import { type Cluster, tasks, validations } from "../context.ts";
import type { ChainSession } from "./chain-session.ts";
import { checkInputs } from "./verify-inputs.ts";

export async function readTask(name: string, cluster: Cluster): Promise<InferenceTask> {
  try {
    return await createClient(cluster.transport, tasks).get({ namespace: cluster.namespace, name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const message = `There is no task ${name} in namespace ${cluster.namespace}; another one is chosen with --namespace.`;
    throw new InferiumError("TaskNotFound", message, { cause: error });
  }
}

/** An object as JSON, as `kubectl get itask NAME -o json` prints it. @throws InferiumError FileUnreadable */
export async function readObjectFile<T extends InferenceTask | Validation>(path: string): Promise<T> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (cause) {
    throw new InferiumError("FileUnreadable", `${path} holds no object as JSON.`, { cause });
  }
}

/** The Validation that a task's verdict names, where it holds a proof; undefined where there is none any more. */
export async function readProofOf({ status }: InferenceTask, cluster: Cluster): Promise<Validation | undefined> {
  const { statementHash, validation: name } = status?.verdict ?? {};
  if (statementHash === undefined || name === undefined) return undefined;
  try {
    return await createClient(cluster.transport, validations).get({ namespace: cluster.namespace, name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return undefined;
  }
}

/**
 * @param validation with the proof, for a task that was proven
 * @returns 0 where everything is proven, 1 where something is not. @throws InferiumError NotSettled, BatchNotSettled
 */
export async function runVerifyTask(
  task: InferenceTask,
  session: ChainSession,
  validation?: Validation,
): Promise<number> {
  const { client, io, options } = session;
  const checks = [
    ...(await verifySettlement(client, readClaim(task), options.fromBlock ?? 0)),
    ...(await verifyProofOf(task, client, validation)),
  ];
  const isProven = checks.every(({ name, passed, open }) => passed || open || name === "Final");
  const notProven = listNotProven(task, checks);
  if (options.output === "json")
    io.out(JSON.stringify({ task: task.metadata.name, proven: isProven, checks, notProven }));
  else for (const line of format(task, { checks, isProven, notProven })) io.out(line);
  return isProven ? 0 : 1;
}

async function verifyProofOf(
  task: InferenceTask,
  client: ChainClient,
  validation: Validation | undefined,
): Promise<Check[]> {
  const { receipt, verdict } = task.status ?? {};
  const statementHash = verdict?.statementHash;
  if (statementHash === undefined || receipt === undefined) return [];
  const made = validation?.status?.proof;
  if (made === undefined) {
    const detail = `the leaf holds statement ${statementHash}, whose proof is not here: its Validation is gone, or give it with --validation`;
    return [{ name: "Proof", passed: false, open: true, detail }];
  }
  const { taskId, attempt, worker } = receipt.message;
  const proof = { ...{ taskId, attempt, worker }, ...readProof(made) };
  const { circuitDigest } = made;
  const place = { domain: client.domain, registry: client.addresses.modelRegistry };
  return [
    ...(await verifyProof(client, { receipt: receipt.message, statementHash, proof, circuitDigest })),
    await checkInputs(task, proof, place),
  ];
}

function readClaim({ metadata, spec, status }: InferenceTask): SettlementClaim {
  const { settlement, receipt, output, phase = "Pending" } = status ?? {};
  if (settlement === undefined || receipt === undefined) {
    const message = `Task ${metadata.name} is not settled: its phase is ${phase}. There is nothing to verify yet.`;
    throw new InferiumError("NotSettled", message);
  }
  return {
    receipt,
    requester: spec.requester === undefined ? ZeroAddress : getAddress(spec.requester.toLowerCase()),
    rewardWei: BigInt(settlement.rewardWei ?? "0"),
    statementHash: status?.verdict?.statementHash,
    batch: BigInt(settlement.batch),
    proof: settlement.proof ?? [],
    outputDigest: output?.digest === undefined ? undefined : digestToBytes32(parseDigest(output.digest)),
  };
}

function listNotProven({ spec, status }: InferenceTask, checks: readonly Check[]): string[] {
  const isUnchecked = spec.verification?.policy === "None" || status?.verdict?.result === "Unverified";
  const isOpen = checks.some(({ name, passed }) => name === "Final" && !passed);
  const isProven = status?.verdict?.statementHash !== undefined;
  return [
    ...(isProven ? listProofGaps(status?.verdict?.notProven ?? []) : [isUnchecked ? unchecked : reExecuted]),
    "on which hardware it ran",
    ...(isOpen ? ["that the batch stays: its challenge window is open"] : []),
  ];
}

const unchecked = "that the result is right: its policy is None, so nobody re-executed it";
const reExecuted =
  "that the result is right beyond the word of the validators who re-executed it; whoever doubts it may run the model again and open a dispute";

/** As the operator wrote them into the verdict: such as a setup for development. */
const listProofGaps = (gaps: readonly string[]) => gaps.map((gap) => gap.replace(/^T/, "t").replace(/\.$/, ""));

interface Verification {
  readonly checks: readonly Check[];
  readonly isProven: boolean;
  readonly notProven: readonly string[];
}

function format({ metadata }: InferenceTask, { checks, isProven, notProven }: Verification): string[] {
  const marks = checks.map(({ name, passed, open, detail }) => {
    const mark = passed ? "ok" : open || name === "Final" ? "--" : "FAILED";
    return `${mark.padEnd(8)}${name.padEnd(13)}${detail}`;
  });
  const verdict = isProven ? "is settled as its status says" : "is NOT settled as its status says";
  return [`Task ${metadata.name} ${verdict}.`, ...marks, ...notProven.map((what) => `not proven: ${what}`)];
}
