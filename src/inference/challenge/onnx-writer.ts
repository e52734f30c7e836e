/**
 * Writes small ONNX graphs as protocol buffers: no more of the format than a challenge needs. The numbers of the fields are
 * those of onnx.proto. Pure.
 */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  /** Also the node's name. */
  readonly output: string;
}

export interface OnnxTensorInfo {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface OnnxConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  /** All float32. */
  readonly inputs: readonly OnnxTensorInfo[];
  readonly outputs: readonly OnnxTensorInfo[];
}

const float32 = 1;
const int64 = 7;
const irVersion = 8;
const opset = 17;

export function writeOnnx({ nodes, constants, inputs, outputs }: OnnxGraph): Uint8Array {
  const graph = Buffer.concat([
    ...nodes.map((node) => message(1, writeNode(node))),
    text(2, "challenge"),
    ...constants.map((constant) => message(5, writeConstant(constant))),
    ...inputs.map((info) => message(11, writeInfo(info))),
    ...outputs.map((info) => message(12, writeInfo(info))),
  ]);
  return Buffer.concat([
    whole(1, irVersion),
    message(7, graph),
    message(8, Buffer.concat([text(1, ""), whole(2, opset)])),
  ]);
}

function writeNode({ op, inputs, output }: OnnxNode): Buffer {
  return Buffer.concat([...inputs.map((name) => text(1, name)), text(2, output), text(3, output), text(4, op)]);
}

function writeConstant({ name, shape, values }: OnnxConstant): Buffer {
  // Raw data is little-endian by definition, as is every machine that onnxruntime runs on.
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const type = values instanceof Float32Array ? float32 : int64;
  return Buffer.concat([...shape.map((length) => whole(1, length)), whole(2, type), text(8, name), message(9, raw)]);
}

function writeInfo({ name, shape }: OnnxTensorInfo): Buffer {
  const dimensions = Buffer.concat(shape.map((length) => message(1, whole(1, length))));
  const tensor = Buffer.concat([whole(1, float32), message(2, dimensions)]);
  return Buffer.concat([text(1, name), message(2, message(1, tensor))]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value, "utf8"));
}

function message(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function whole(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
