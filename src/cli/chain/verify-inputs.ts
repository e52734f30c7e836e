/**
 * Whether a proof's public signals are about this task's input and output: fetches model and input by digest, rebuilds both signals.
 * Effects: fetches into a folder that is removed again.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InferenceTask } from "../../api/v1alpha1/types.ts";
import { digestToBytes32, parseDigest } from "../../base/digest.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Check } from "../../chain/verify-settlement.ts";
import { createArtifactReader } from "../../inference/read-artifacts.ts";
import { toExecutionRequest } from "../../pool/execution-request.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import type { InlineTensors, InputReference } from "../../pool/work-assignment.ts";
import type { ProofData } from "../../protocol/proof.ts";
import { digestTensors } from "../../protocol/tensors/canonical.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import { readIntegerNetwork } from "../../zk/network/from-onnx.ts";
import { computePublicSignals } from "../../zk/statement.ts";

export interface ProofPlace {
  readonly domain: ProtocolDomain;
  /** Address of ModelRegistry. */
  readonly registry: string;
}

/** What cannot be fetched is left open: the input of a task need not be public. */
export async function checkInputs(task: InferenceTask, proof: ProofData, place: ProofPlace): Promise<Check> {
  const cacheDir = await mkdtemp(join(tmpdir(), "inferium-verify-"));
  try {
    const wanted = await rebuildSignals(task, { proof, place, cacheDir });
    const wrong = wanted.findIndex((signal, index) => String(signal) !== proof.signals[index]);
    if (wrong < 0) {
      const detail = "input commitment, result and task, rebuilt from model, input and output, are those of the proof";
      return { name: "Inputs", passed: true, detail };
    }
    const name = ["input commitment", "result", "task"][wrong];
    const detail = `the proof's ${name} is ${proof.signals[wrong]}; rebuilt it is ${wanted[wrong]}`;
    return { name: "Inputs", passed: false, detail };
  } catch (error) {
    if (!(error instanceof InferiumError)) throw error;
    const detail = describeError(error);
    if (!unreachable.has(error.code)) return { name: "Inputs", passed: false, detail };
    return {
      name: "Inputs",
      passed: false,
      open: true,
      detail: `model, input or output cannot be had here: ${detail}`,
    };
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
}

const unreachable = new Set(["NotFound", "NotAllowed", "Unavailable", "OutputMissing", "InvalidInput"]);

interface Place {
  readonly proof: ProofData;
  readonly place: ProofPlace;
  readonly cacheDir: string;
}

async function rebuildSignals({ spec, status }: InferenceTask, { proof, place, cacheDir }: Place) {
  const request = toExecutionRequest(spec.model, spec.input as InputReference);
  const reader = createArtifactReader({
    ...{ cacheDir, attempts: 1, timeoutMs: 30_000 },
    // What the demonstration serves; whoever verifies does so on a machine of its own.
    allowedAddresses: ["127.0.0.0/8", "::1"],
  });
  // One after the other: where one fails, none may still be writing into the folder that is removed.
  const onnx = await reader.readModel(request.model);
  const input = await reader.readInput(request.input);
  const inline = status?.output?.inline as InlineTensors | undefined;
  if (inline === undefined) throw new InferiumError("OutputMissing", "the task's status holds no output");
  const output = readInline(inline);
  const message = status?.receipt?.message;
  if (message === undefined) throw new InferiumError("NotSettled", "the task has no receipt");
  requireDigest("input", digestToBytes32(input.digest), message.inputDigest);
  requireDigest("output", digestToBytes32(digestTensors(output)), message.outputDigest);
  requireDigest("model", digestToBytes32(parseDigest(spec.model.digest)), message.modelDigest);
  const { taskId, attempt, worker } = message;
  const task = { chainId: BigInt(place.domain.chainId), registry: place.registry, taskId, worker, attempt };
  const salt = BigInt(proof.salt);
  return computePublicSignals({ network: readIntegerNetwork(onnx), input: input.tensors, salt, output, task });
}

function requireDigest(what: string, got: string, wanted: string): void {
  if (got === wanted) return;
  throw new InferiumError("DigestMismatch", `the ${what} is ${got}, the receipt is about ${wanted}`);
}
