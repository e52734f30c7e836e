/**
 * Writes small ONNX models: the part of Protocol Buffers' wire format and of onnx.proto that leaderboards' statistics and capability
 * challenges need. The same graph gives the same bytes, since its digest is what a task names. Pure.
 */
import type { DType } from "../tensors/dtype.ts";
import { numberElementType } from "./element-types.ts";

export interface GraphNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** By which runtimes speak of it. */
  readonly name?: string;
  /** Integers, alone or in lists. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface GraphValue {
  readonly name: string;
  readonly dtype: DType;
  /** A text for an axis that is left open. */
  readonly shape: readonly (number | string)[];
}

export interface GraphConstant {
  readonly name: string;
  readonly dtype: "int64" | "float32" | "float64";
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly constants: readonly GraphConstant[];
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
}

export interface ModelVersions {
  readonly opset: number;
  readonly irVersion: number;
  readonly producer?: string;
}

export function writeModel(graph: Graph, { opset, irVersion, producer }: ModelVersions): Uint8Array {
  const body = [
    ...graph.nodes.map((node) => message(1, encodeNode(node))),
    text(2, graph.name),
    ...graph.constants.map((constant) => message(5, encodeConstant(constant))),
    ...graph.inputs.map((value) => message(11, encodeValue(value))),
    ...graph.outputs.map((value) => message(12, encodeValue(value))),
  ];
  const produced = producer === undefined ? [] : [text(2, producer)];
  const operators = [text(1, ""), number(2, opset)];
  return join([number(1, irVersion), ...produced, message(7, body), message(8, operators)]);
}

function encodeNode({ op, inputs, output, name, attributes = {} }: GraphNode): Uint8Array[] {
  return [
    ...inputs.map((input) => text(1, input)),
    text(2, output),
    ...(name === undefined ? [] : [text(3, name)]),
    text(4, op),
    ...Object.entries(attributes).map(([key, value]) => message(5, encodeAttribute(key, value))),
  ];
}

function encodeAttribute(name: string, value: number | readonly number[]): Uint8Array[] {
  if (typeof value === "number") return [text(1, name), number(3, value), number(20, 2)];
  return [text(1, name), ...value.map((one) => number(8, one)), number(20, 7)];
}

function encodeConstant({ name, dtype, shape, values }: GraphConstant): Uint8Array[] {
  const width = dtype === "float32" ? 4 : 8;
  const raw = new DataView(new ArrayBuffer(values.length * width));
  values.forEach((value, index) => {
    if (dtype === "int64") raw.setBigInt64(index * width, BigInt(value), true);
    else if (dtype === "float32") raw.setFloat32(index * width, value, true);
    else raw.setFloat64(index * width, value, true);
  });
  const bytes = new Uint8Array(raw.buffer);
  return [
    ...shape.map((size) => number(1, size)),
    number(2, numberElementType(dtype)),
    text(8, name),
    message(9, [bytes]),
  ];
}

function encodeValue({ name, dtype, shape }: GraphValue): Uint8Array[] {
  const axes = shape.map((size) => message(1, [typeof size === "string" ? text(2, size) : number(1, size)]));
  return [text(1, name), message(2, [message(1, [number(1, numberElementType(dtype)), message(2, axes)])])];
}

/** A field that holds a message, or bytes. */
function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = join(parts);
  return join([varint(field * 8 + 2), varint(body.length), body]);
}

function text(field: number, value: string): Uint8Array {
  return message(field, [new TextEncoder().encode(value)]);
}

function number(field: number, value: number): Uint8Array {
  return join([varint(field * 8), varint(value)]);
}

/** Negative numbers take ten bytes, as 64-bit two's complement. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(rest));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
