/**
 * A tensor as the protocol sees it: an element type, a shape and raw little-endian bytes, row-major. Bytes rather than
 * numbers, because digests and files are about bytes and because copies would cost more than a small model's inference.
 */
import { InferiumError } from "../../base/errors.ts";
import { byteWidthOf, type DType } from "./dtype.ts";

export interface Tensor {
  readonly dtype: DType;
  /** Sizes of the axes; empty for a scalar. */
  readonly shape: readonly number[];
  /** Little-endian elements; may be a view into a larger buffer and must not be written to. */
  readonly data: Uint8Array;
}

/** A map and not an object: names come from strangers, and `__proto__` is one of them. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/** Bounds that keep a hostile header from costing memory or time before anything was checked. */
export const tensorLimits = { tensors: 4096, nameBytes: 4096, rank: 16, bytes: 2 ** 40 } as const;

/**
 * Product of the axes, exact.
 * @throws InferiumError InvalidShape
 */
export function countElements(shape: readonly number[], where: string): number {
  if (shape.length > tensorLimits.rank) {
    throw new InferiumError(
      "InvalidShape",
      `${where} has ${shape.length} axes; at most ${tensorLimits.rank} are allowed.`,
    );
  }
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new InferiumError("InvalidShape", `${where} has an axis of size ${size}; expected a whole number from 0.`);
    }
  }
  // A zero axis makes the tensor empty whatever the others say, so it must not be hidden by an overflow before it.
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (count > tensorLimits.bytes) {
      throw new InferiumError(
        "InvalidShape",
        `${where} has shape [${shape.join(",")}], over ${tensorLimits.bytes} elements.`,
      );
    }
  }
  return count;
}

/** @throws InferiumError InvalidShape, WrongByteLength, InvalidBool */
export function createTensor(dtype: DType, shape: readonly number[], data: Uint8Array, where = "tensor"): Tensor {
  const want = countElements(shape, where) * byteWidthOf(dtype);
  if (data.byteLength !== want) {
    throw new InferiumError(
      "WrongByteLength",
      `${where} holds ${data.byteLength} bytes; ${dtype} of shape [${shape.join(",")}] needs ${want}.`,
    );
  }
  if (dtype === "bool") checkBools(data, where);
  return { dtype, shape, data };
}

/** Two encodings of "true" would be two digests of one value. */
function checkBools(data: Uint8Array, where: string): void {
  const bad = data.findIndex((byte) => byte > 1);
  if (bad >= 0)
    throw new InferiumError("InvalidBool", `${where} element ${bad} is byte ${data[bad]}; a bool is 0 or 1.`);
}

/** @throws InferiumError MissingTensor */
export function requireTensor(tensors: NamedTensors, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  const have = [...tensors.keys()].slice(0, 16).join(", ") || "none";
  throw new InferiumError("MissingTensor", `There is no tensor "${name}"; there are: ${have}.`);
}

/** Names in the order of their UTF-8 bytes: the one order that every language agrees on. */
export function namesInOrder(tensors: NamedTensors): string[] {
  const names = [...tensors.keys()];
  return isInOrder(names) ? names : names.sort(compareUtf8);
}

/** They usually are, and sorting costs more than looking. */
function isInOrder(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if (compareUtf8(names[i - 1] ?? "", names[i] ?? "") > 0) return false;
  return true;
}

/** UTF-8 order is code point order; UTF-16 units follow it but for surrogates, which stand for the highest. */
function compareUtf8(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) return rankOfUnit(a) - rankOfUnit(b);
  }
  return left.length - right.length;
}

function rankOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/**
 * Half a surrogate pair has no UTF-8: all of them would become the same replacement character, and two names one.
 * @throws InferiumError InvalidName
 */
export function checkName(name: string): void {
  if (name.isWellFormed() && name.length <= tensorLimits.nameBytes / 4) return;
  const limit = tensorLimits.nameBytes / 4;
  throw new InferiumError(
    "InvalidName",
    `A tensor's name has ${name.length} characters or is not Unicode text; at most ${limit} are allowed.`,
  );
}
