/**
 * After the last batch: what the proofs of a run cost, and what the chain makes of bad ones. Records each proof as anybody may, then
 * hands in one for another result and one for another task, which the chain must refuse. Effects: transactions, reads.
 */

import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { InferenceTask, Validation } from "../../api/v1alpha1/types.ts";
import { validationResource } from "../../api/v1alpha1/types.ts";
import { InferiumError } from "../../base/errors.ts";
import { recordProof } from "../../chain/proofs.ts";
import { createClient } from "../../kube/client.ts";
import { defineResource } from "../../kube/resource.ts";
import { type ProofData, readProof, toStatement } from "../../protocol/proof.ts";
import type { Summary } from "../demo/summary.ts";
import { demoNamespace } from "../demo/workload.ts";
import type { System } from "./start-system.ts";

interface ProvenTask {
  readonly receipt: NonNullable<NonNullable<InferenceTask["status"]>["receipt"]>["message"];
  readonly proof: ProofData;
  readonly proveMs: number;
}

export async function showProofs(system: System, tasks: readonly InferenceTask[]): Promise<Summary["zk"]> {
  const { chain, circuit } = system;
  const asked = tasks.filter(({ spec }) => spec.verification.policy === "ZeroKnowledge");
  const proven = await readProofs(system, asked);
  const gas: number[] = [];
  const [first, second] = proven;
  // Before the honest ones, which close their tasks to any other.
  const forged = first && (await nameRefusal(() => recordProof(chain.writer, forgeResult(first.proof))));
  const foreign =
    first &&
    second &&
    (await nameRefusal(() => chain.client.verifyProof(second.receipt, toStatement(first.proof), first.proof.words)));
  for (const { proof } of proven) gas.push(Number((await recordProof(chain.writer, proof)).gasUsed));
  return {
    tasks: asked.length,
    proven: proven.length,
    fellBack: asked.filter(({ status }) => status?.conditions?.some(isNotProven)).length,
    proveSeconds: toSeconds(proven.map(({ proveMs }) => proveMs)),
    gasPerProof: gas.length === 0 ? 0 : Math.max(...gas),
    constraints: circuit.constraintCount,
    setup: circuit.ceremony.isDevelopment ? "development" : "ceremony",
    refused: { forgedResult: forged ?? "NotTried", anotherTask: foreign ?? "NotTried" },
  };
}

const isNotProven = ({ type, status }: { type: string; status: string }) => type === "Proven" && status === "False";

async function readProofs({ cluster }: System, tasks: readonly InferenceTask[]): Promise<ProvenTask[]> {
  const client = createClient(cluster.transport, defineResource<Validation>(validationResource));
  const found: ProvenTask[] = [];
  for (const { status } of tasks) {
    const { receipt, verdict, conditions } = status ?? {};
    if (!receipt || !verdict?.validation || !isConditionTrue(conditions, "Proven")) continue;
    const validation = await client.get({ namespace: demoNamespace, name: verdict.validation });
    const made = validation.status?.proof;
    if (!made) continue;
    const { taskId, attempt, worker } = receipt.message;
    const proof = { ...{ taskId, attempt, worker }, ...readProof(made) };
    found.push({ receipt: receipt.message, proof, proveMs: made.proveMs ?? 0 });
  }
  return found;
}

/** The same proof for the claim that the model gave another result. */
function forgeResult(proof: ProofData): ProofData {
  const [input, result, task] = proof.signals;
  return { ...proof, signals: [input, String(BigInt(result) + 1n), task] };
}

/** The contract's own word; Accepted where it did not refuse. */
async function nameRefusal(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
    return "Accepted";
  } catch (error) {
    if (error instanceof InferiumError && error.code === "TransactionReverted") return String(error.evidence.revert);
    throw error;
  }
}

function toSeconds(times: readonly number[]): Summary["zk"]["proveSeconds"] {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (index: number) => Number(((sorted[index] ?? 0) / 1_000).toFixed(2));
  return { median: at(Math.floor(sorted.length / 2)), longest: at(sorted.length - 1) };
}
