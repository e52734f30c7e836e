/** Items of a batch out of its input tensors, and the outputs of its parts together again: rows along axis 0. Pure. */
import { InferiumError } from "../../base/errors.ts";
import { createTensor, type NamedTensors, type Tensor } from "../tensors/tensor.ts";
import type { ItemRange } from "./plan-shards.ts";

export interface CutItems extends ItemRange {
  /** Inputs that are cut; the others stay whole. Left out: all of them. */
  readonly tensors?: readonly string[];
}

/** Views, not copies. @throws InferiumError InvalidItems */
export function cutItems(inputs: NamedTensors, { from, count, tensors }: CutItems): NamedTensors {
  const missing = tensors?.find((name) => !inputs.has(name));
  if (missing !== undefined) {
    const have = [...inputs.keys()].slice(0, 16).join(", ") || "none";
    throw invalid(`input.items.tensors names "${missing}", which the input has not; it has: ${have}.`);
  }
  const isCut = (name: string) => tensors === undefined || tensors.includes(name);
  return new Map(
    [...inputs].map(([name, tensor]) => [name, isCut(name) ? cutRows(name, tensor, { from, count }) : tensor]),
  );
}

function cutRows(name: string, tensor: Tensor, { from, count }: ItemRange): Tensor {
  const [rows, ...rest] = tensor.shape;
  if (rows === undefined || from + count > rows) {
    const got = `Input "${name}" has shape [${tensor.shape.join(",")}]`;
    throw invalid(`${got}; items ${from} to ${from + count - 1} along axis 0 are asked for.`);
  }
  const bytes = tensor.data.byteLength / rows;
  const data = tensor.data.subarray(from * bytes, (from + count) * bytes);
  return { dtype: tensor.dtype, shape: [count, ...rest], data };
}

/** What came of one range of the items. */
export interface OutputPart {
  readonly count: number;
  readonly outputs: NamedTensors;
}

/**
 * The outputs of all ranges behind each other: what one run over all items would have given, where each item's rows depend on
 * it alone. @param parts at least one, in the order of the items @throws InferiumError InvalidItems
 */
export function joinOutputs(parts: readonly OutputPart[]): NamedTensors {
  const names = [...(parts[0]?.outputs.keys() ?? [])];
  for (const { outputs } of parts) {
    if (outputs.size === names.length && names.every((name) => outputs.has(name))) continue;
    throw invalid(`One shard has outputs ${[...outputs.keys()].join(", ")}, another ${names.join(", ")}.`);
  }
  return new Map(names.map((name) => [name, joinOne(name, parts)]));
}

function joinOne(name: string, parts: readonly OutputPart[]): Tensor {
  const tensors = parts.map(({ outputs }) => outputs.get(name) as Tensor);
  const first = tensors[0] as Tensor;
  const rest = first.shape.slice(1);
  let perItem: number | undefined;
  for (const [index, { dtype, shape }] of tensors.entries()) {
    const rows = shape[0] ?? Number.NaN;
    perItem ??= rows / (parts[index]?.count ?? 1);
    const isSame = dtype === first.dtype && shape.slice(1).join() === rest.join();
    if (isSame && Number.isInteger(perItem) && rows === perItem * (parts[index]?.count ?? 1)) continue;
    const got = `Output "${name}" of a shard of ${parts[index]?.count} items is ${dtype}[${shape.join(",")}]`;
    throw invalid(`${got}; expected as many rows along axis 0 for each item, alike in all shards.`);
  }
  const rows = tensors.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const data = Buffer.concat(tensors.map((tensor) => tensor.data));
  return createTensor(first.dtype, [rows, ...rest], data, `Output "${name}"`);
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidItems", message);
}
