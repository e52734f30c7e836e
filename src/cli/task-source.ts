/**
 * Where a task's model and input come from, as given on the command line: a URI with its digest, a local file, or tensors
 * written out. Effects: reads local files.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { InferenceTaskSpec } from "../api/v1alpha1/generated/inferencetasks.ts";
import { type Digest, parseDigest, sha256 } from "../base/digest.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import { readInline, writeInline } from "../pool/inline-tensors.ts";
import { poolLimits } from "../pool/wire.ts";
import type { InlineTensors } from "../pool/work-assignment.ts";
import { readSafetensors } from "../protocol/tensors/safetensors.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";

const uriPattern = /^(https?|file):\/\//;

/** A local model is named by its file URI and its own digest; a remote one needs its digest said. */
export async function readModel(model: string, digest: string | undefined): Promise<InferenceTaskSpec["model"]> {
  if (uriPattern.test(model))
    return { uri: model, digest: requireDigest("--model-digest", model, digest), format: "onnx" };
  const actual = sha256(await readLocal(model));
  if (digest !== undefined && digest !== actual) {
    const message = `The model ${model} has digest ${actual}; --model-digest says ${digest}. Check the file.`;
    throw new InferiumError("DigestMismatch", message);
  }
  return { uri: pathToFileURL(resolve(model)).href, digest: actual, format: "onnx" };
}

/** JSON in place, a local file of JSON or safetensors that is sent along, or a URI that workers fetch. */
export async function readInput(input: string, digest: string | undefined): Promise<InferenceTaskSpec["input"]> {
  if (uriPattern.test(input)) return { uri: input, digest: requireDigest("--input-digest", input, digest) };
  if (input.trimStart().startsWith("{")) return { inline: parseInline(input, "--input") };
  const bytes = await readLocal(input);
  if (input.endsWith(".json")) return { inline: parseInline(bytes.toString("utf8"), input) };
  return { inline: sendAlong(readSafetensors(bytes), input) };
}

function requireDigest(option: string, uri: string, digest: string | undefined): Digest {
  if (digest !== undefined) return parseDigest(digest);
  throw new InferiumError(
    "InvalidUsage",
    `${uri} is fetched by others, who need its digest: give ${option} sha256:...`,
  );
}

async function readLocal(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new InferiumError("InvalidUsage", `Cannot read ${path}: ${describeError(cause)}`, { cause });
  }
}

/** Checked here, so that a wrong shape is told at once and not by a failed task. */
function parseInline(text: string, where: string): NonNullable<InferenceTaskSpec["input"]["inline"]> {
  try {
    return sendAlong(readInline(JSON.parse(text) as InlineTensors), where);
  } catch (cause) {
    if (cause instanceof InferiumError && cause.code === "InvalidUsage") throw cause;
    const form = '{"name": {"dtype": "float32", "shape": [1, 2], "data": [0.5, 1]}}';
    throw new InferiumError("InvalidUsage", `${where} holds no tensors (${describeError(cause)}); expected ${form}.`);
  }
}

/** Objects are no place for large data; what is larger is published and named by its URI. */
function sendAlong(tensors: NamedTensors, where: string): NonNullable<InferenceTaskSpec["input"]["inline"]> {
  const bytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.data.byteLength, 0);
  if (bytes > poolLimits.maxOutputBytes) {
    const limit = `at most ${poolLimits.maxOutputBytes} are sent along with a task`;
    const message = `${where} has ${bytes} bytes of tensors; ${limit}. Publish it, and give its URI and --input-digest.`;
    throw new InferiumError("InvalidUsage", message);
  }
  // The element type is one of the API's, since the reader knows no other.
  return writeInline(tensors) as NonNullable<InferenceTaskSpec["input"]["inline"]>;
}
