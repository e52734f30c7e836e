/**
 * Everything that a proof is about, as a validator has it itself: the model and the input fetched by digest, the output checked
 * against the receipt, the task as the receipt names it on this chain. Effects: fetches.
 */
import { digestToBytes32 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { ArtifactReader } from "../../inference/read-artifacts.ts";
import { toExecutionRequest } from "../../pool/execution-request.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import type { SignedReceipt } from "../../pool/wire.ts";
import type { InlineTensors, InputReference, ModelReference } from "../../pool/work-assignment.ts";
import { digestTensors } from "../../protocol/tensors/canonical.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import { readIntegerNetwork } from "../../zk/network/from-onnx.ts";
import { readInputRows, type Statement } from "../../zk/statement.ts";

/** One worker's work, with references to what it worked on. */
export interface WorkReferences {
  readonly receipt: SignedReceipt;
  readonly model: ModelReference;
  readonly input: InputReference;
  readonly output?: InlineTensors;
}

export interface ProofInputs extends Omit<Statement, "salt"> {
  readonly onnx: Uint8Array;
  readonly rows: number;
}

export interface ProofInputSources {
  readonly artifacts: ArtifactReader;
  readonly domain: ProtocolDomain;
  /** Address of ModelRegistry. */
  readonly registry: string;
}

/** @throws InferiumError OutputMissing, WorkMismatch, and those of fetching, of the network and of tensors */
export async function readProofInputs(
  { artifacts, domain, registry }: ProofInputSources,
  { receipt, ...work }: WorkReferences,
  signal: AbortSignal,
): Promise<ProofInputs> {
  const { message } = receipt;
  const { model, input: source, steps, items } = toExecutionRequest(work.model, work.input);
  if (steps !== undefined) throw mismatch("input", "a run in steps", "one run: no proof covers steps");
  if (items !== undefined) throw mismatch("input", "a part of one", "all of it: no proof covers items");
  const [onnx, input] = await Promise.all([artifacts.readModel(model, signal), artifacts.readInput(source, signal)]);
  const output = readOutput(work.output);
  requireSame("model", digestToBytes32(model.digest), message.modelDigest);
  requireSame("input", digestToBytes32(input.digest), message.inputDigest);
  requireSame("output", digestToBytes32(digestTensors(output)), message.outputDigest);
  const network = readIntegerNetwork(onnx);
  const { rows } = readInputRows(network, input.tensors);
  const { taskId, worker, attempt } = message;
  const task = { chainId: BigInt(domain.chainId), registry, taskId, worker, attempt };
  return { onnx, network, input: input.tensors, output, rows, task };
}

function readOutput(output: InlineTensors | undefined): NamedTensors {
  if (output !== undefined) return readInline(output);
  throw new InferiumError(
    "OutputMissing",
    "The worker's output was not handed on; without it no result can be proven.",
  );
}

function requireSame(what: string, got: string, expected: string): void {
  if (got !== expected) throw mismatch(what, got, expected);
}

function mismatch(what: string, got: string, expected: string): InferiumError {
  return new InferiumError("WorkMismatch", `The ${what} is ${got}; the receipt is about ${expected}.`);
}
