/**
 * An ONNX file as the graph that a circuit is made from: nodes in order, integer constants, inputs and outputs. Reads only
 * what network/from-onnx.ts asks for. Pure. Field numbers are those of onnx.proto.
 */
import { InferiumError } from "../../base/errors.ts";
import { numberElementType } from "../../protocol/onnx/element-types.ts";
import {
  bytesOf,
  type Fields,
  integersOf,
  messagesOf,
  readFields,
  stringsOf,
} from "../../protocol/onnx/wire-format.ts";

export type ElementType = "uint8" | "int8" | "int32" | "int64";

export interface OnnxConstant {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly values: Int32Array;
}

export interface OnnxNode {
  readonly opType: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integer attributes, alone or in lists; an attribute of another type has none. */
  readonly attributes: ReadonlyMap<string, readonly number[]>;
  /** Attributes that are one text. */
  readonly texts: ReadonlyMap<string, string>;
}

export interface OnnxValue {
  readonly name: string;
  /** ONNX's number of the element type. */
  readonly elementType: number;
  /** undefined for a dimension that is left open. */
  readonly shape: readonly (number | undefined)[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxConstant>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** ONNX's numbers of the element types that a circuit can hold. */
export const elementTypes: ReadonlyMap<number, ElementType> = new Map(
  (["uint8", "int8", "int32", "int64"] as const).map((name) => [numberElementType(name), name]),
);

/** @throws InferiumError InvalidModel, UnsupportedTensor */
export function readOnnxGraph(bytes: Uint8Array): OnnxGraph {
  const graph = messagesOf(readFields(bytes), 7)[0];
  if (graph === undefined) throw new InferiumError("InvalidModel", "The model holds no graph. Expected an ONNX file.");
  const constants = new Map(messagesOf(graph, 5).map(readConstant));
  const inputs = messagesOf(graph, 11).map(readValueInfo);
  return {
    nodes: messagesOf(graph, 1).map(readNode),
    constants,
    inputs: inputs.filter(({ name }) => !constants.has(name)),
    outputs: messagesOf(graph, 12).map(readValueInfo),
  };
}

function readNode(fields: Fields): OnnxNode {
  const attributes = messagesOf(fields, 5).map((attribute) => {
    const values = [...integersOf(attribute, 3), ...integersOf(attribute, 8)].map(Number);
    return [stringsOf(attribute, 1)[0] ?? "", values] as const;
  });
  const texts = messagesOf(fields, 5).flatMap((attribute) => {
    const [name = "", text] = [stringsOf(attribute, 1)[0], stringsOf(attribute, 4)[0]];
    return text === undefined ? [] : [[name, text] as const];
  });
  return {
    opType: stringsOf(fields, 4)[0] ?? "",
    name: stringsOf(fields, 3)[0] ?? "",
    inputs: stringsOf(fields, 1),
    outputs: stringsOf(fields, 2),
    attributes: new Map(attributes),
    texts: new Map(texts),
  };
}

function readValueInfo(fields: Fields): OnnxValue {
  const tensor = messagesOf(fields, 2).flatMap((type) => messagesOf(type, 1))[0] ?? new Map();
  const dimensions = messagesOf(tensor, 2).flatMap((shape) => messagesOf(shape, 1));
  return {
    name: stringsOf(fields, 1)[0] ?? "",
    elementType: Number(integersOf(tensor, 1)[0] ?? 0n),
    shape: dimensions.map((dimension) => {
      const size = integersOf(dimension, 1)[0];
      return size === undefined ? undefined : Number(size);
    }),
  };
}

function readConstant(fields: Fields): [string, OnnxConstant] {
  const name = stringsOf(fields, 8)[0] ?? "";
  const number = Number(integersOf(fields, 2)[0] ?? 0n);
  const type = elementTypes.get(number);
  if (type === undefined || integersOf(fields, 14).some((location) => location !== 0n)) {
    throw new InferiumError(
      "UnsupportedTensor",
      `The constant "${name}" has ONNX element type ${number} or lies outside the file; a circuit takes uint8, int8, int32 and int64 within it. Quantise the model to integers.`,
    );
  }
  const shape = integersOf(fields, 1).map(Number);
  const raw = bytesOf(fields, 9)[0];
  const listed = integersOf(fields, type === "int64" ? 7 : 5);
  const values = raw === undefined ? Int32Array.from(listed, Number) : decodeRaw(type, raw);
  const wanted = shape.reduce((product, size) => product * size, 1);
  if (values.length !== wanted) {
    throw new InferiumError(
      "InvalidModel",
      `The constant "${name}" holds ${values.length} values, expected ${wanted}.`,
    );
  }
  return [name, { type, shape, values }];
}

function decodeRaw(type: ElementType, raw: Uint8Array): Int32Array {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (type === "uint8") return Int32Array.from(raw);
  if (type === "int8") return Int32Array.from(raw, (_, index) => view.getInt8(index));
  // int64 serves shapes alone: the lower half holds them, and what it does not hold fits no shape.
  const size = type === "int64" ? 8 : 4;
  return Int32Array.from({ length: raw.byteLength / size }, (_, index) => view.getInt32(index * size, true));
}
