/**
 * The result that a game is about, as a player has it: the task with its signed receipt, the model, the input and the output, each held
 * against the digest in the receipt. Effects: fetches the input where the task names a URI; a folder that is removed again.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { InferenceTask } from "../../../api/v1alpha1/types.ts";
import { digestToBytes32, parseDigest, sha256 } from "../../../base/digest.ts";
import { InferiumError } from "../../../base/errors.ts";
import { createArtifactReader } from "../../../inference/read-artifacts.ts";
import { toExecutionRequest } from "../../../pool/execution-request.ts";
import { readInline } from "../../../pool/inline-tensors.ts";
import type { InlineTensors, InputReference } from "../../../pool/work-assignment.ts";
import { cutItems } from "../../../protocol/shards/cut-items.ts";
import { digestTensors } from "../../../protocol/tensors/canonical.ts";
import type { NamedTensors } from "../../../protocol/tensors/tensor.ts";
import type { ReceiptMessage } from "../../../protocol/typed-data.ts";
import { readRows } from "../../../zk/game/check-receipt.ts";
import { type GameModel, readGameModel } from "../../../zk/game/game-model.ts";
import { readObjectFile } from "../../chain/verify-task.ts";

export interface ResultOptions {
  /** The task as JSON, with its status. */
  readonly task: string;
  /** The model, an ONNX file. */
  readonly model: string;
  /** The input as a local file; left out: what the task holds or names. */
  readonly input?: string;
}

export interface DisputedResult {
  readonly receipt: ReceiptMessage;
  readonly workerSignature: string;
  readonly model: GameModel;
  readonly input: NamedTensors;
  readonly output: NamedTensors;
  readonly rows: number;
}

/** @throws InferiumError NoReceipt, OutputMissing, DigestMismatch, and those of readGameModel and of fetching */
export async function readDisputed(options: ResultOptions): Promise<DisputedResult> {
  const { spec, status } = await readObjectFile<InferenceTask>(options.task);
  const { message: receipt, signature: workerSignature } = status?.receipt ?? {};
  if (receipt === undefined || workerSignature === undefined) {
    throw new InferiumError(
      "NoReceipt",
      `The task in ${options.task} has no signed receipt: there is nothing to dispute yet.`,
    );
  }
  const inline = status?.output?.inline as InlineTensors | undefined;
  if (inline === undefined) {
    throw new InferiumError("OutputMissing", `The task in ${options.task} holds no output, which a game has to show.`);
  }
  const onnx = await readModelFile(options.model);
  requireDigest("model", digestToBytes32(sha256(onnx)), receipt.modelDigest);
  const model = readGameModel(onnx);
  const whole = await readInput(spec.input as InputReference, spec.model, options);
  const input = spec.input.items ? cutItems(whole, spec.input.items) : whole;
  requireDigest("input", digestToBytes32(digestTensors(input)), receipt.inputDigest);
  const output = readInline(inline);
  requireDigest("output", digestToBytes32(digestTensors(output)), receipt.outputDigest);
  return { receipt, workerSignature, model, input, output, rows: readRows(model, input).rows };
}

export async function readModelFile(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw new InferiumError("FileUnreadable", `The model ${path} cannot be read.`, { cause });
  });
}

async function readInput(
  given: InputReference,
  model: InferenceTask["spec"]["model"],
  { input: path }: ResultOptions,
): Promise<NamedTensors> {
  if (path === undefined && given.inline !== undefined) return readInline(given.inline as InlineTensors);
  const cacheDir = await mkdtemp(join(tmpdir(), "inferium-game-"));
  try {
    const folder = path === undefined ? [] : [dirname(resolve(path))];
    const reader = createArtifactReader({ cacheDir, attempts: 2, timeoutMs: 60_000, fileRoots: folder });
    const { input } = toExecutionRequest(
      { uri: model.uri, digest: parseDigest(model.digest) },
      await namedBy(given, path),
    );
    return (await reader.readInput(input)).tensors;
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
}

async function namedBy(given: InputReference, path: string | undefined): Promise<InputReference> {
  if (path === undefined) return given;
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new InferiumError("FileUnreadable", `The input ${path} cannot be read.`, { cause });
  });
  return { uri: pathToFileURL(resolve(path)).href, digest: sha256(bytes) };
}

function requireDigest(what: string, got: string, wanted: string): void {
  if (got === wanted) return;
  throw new InferiumError("DigestMismatch", `The ${what} given is ${got}; the receipt is about ${wanted}.`);
}
