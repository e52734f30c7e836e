/**
 * All-integer ONNX networks of any size with weights from a seed, in the graph of the demo's classifier. For tests and
 * benchmarks: shifts are chosen so that activations spread over the whole byte.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { createRandom } from "../../src/embedded/demo/models/exact-math.ts";
import type { OutputKind } from "../../src/zk/network/integer-network.ts";

export interface IntegerModelPlan {
  /** Bytes in a row, units of each hidden layer, classes. */
  readonly sizes: readonly number[];
  readonly seed: number;
  readonly outputs: readonly OutputKind[];
  readonly maxWeight?: number;
  /** Put in place of the first Clip. */
  readonly activation?: string;
}

const outputType = {
  logits: TensorProto_DataType.INT32,
  label: TensorProto_DataType.INT64,
  score: TensorProto_DataType.INT32,
};

export function buildIntegerModel(plan: IntegerModelPlan): Uint8Array {
  const { sizes, maxWeight = 63 } = plan;
  const random = createRandom(plan.seed);
  const nodes: ReturnType<typeof node>[] = [];
  const constants = [constant("zero", TensorProto_DataType.INT32, [], [0])];
  let current = "bytes";
  sizes.slice(1).forEach((outputs, depth) => {
    const inputs = sizes[depth] ?? 0;
    const isLast = depth === sizes.length - 2;
    const draw = (bound: number) => Math.floor(random() * (2 * bound + 1)) - bound;
    const weights = Array.from({ length: inputs * outputs }, () => draw(maxWeight));
    const bias = Array.from({ length: outputs }, () => draw(255 * maxWeight));
    const name = (part: string) => `${part}${depth}`;
    constants.push(constant(name("weights"), TensorProto_DataType.INT8, [inputs, outputs], weights));
    constants.push(constant(name("bias"), TensorProto_DataType.INT32, [outputs], bias));
    const sums = isLast ? "logits" : name("sums");
    nodes.push(node("MatMulInteger", [current, name("weights")], name("products")));
    nodes.push(node("Add", [name("products"), name("bias")], sums));
    if (isLast) return;
    const divisor = 2 ** Math.max(0, Math.round(Math.log2((Math.sqrt(inputs) * 147 * maxWeight * 0.58) / 120)));
    constants.push(constant(name("limit"), TensorProto_DataType.INT32, [], [256 * divisor - 1]));
    constants.push(constant(name("divisor"), TensorProto_DataType.INT32, [], [divisor]));
    nodes.push(node(plan.activation ?? "Clip", [sums, "zero", name("limit")], name("clipped")));
    nodes.push(node("Div", [name("clipped"), name("divisor")], name("scaled")));
    nodes.push(node("Cast", [name("scaled")], name("bytes"), [intAttribute("to", TensorProto_DataType.UINT8)]));
    current = name("bytes");
  });
  const rowwise = [intAttribute("keepdims", 0)];
  if (plan.outputs.includes("label"))
    nodes.push(node("ArgMax", ["logits"], "label", [intAttribute("axis", 1), ...rowwise]));
  if (plan.outputs.includes("score"))
    nodes.push(node("ReduceMax", ["logits"], "score", [intsAttribute("axes", [1]), ...rowwise]));
  const graph = {
    name: "integer",
    node: nodes,
    initializer: constants,
    input: [valueInfo("bytes", TensorProto_DataType.UINT8, ["N", sizes[0] ?? 0])],
    output: plan.outputs.map((kind) =>
      valueInfo(kind, outputType[kind], kind === "logits" ? ["N", sizes.at(-1) ?? 0] : ["N"]),
    ),
  };
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: 13n })];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 7n, opsetImport, graph }));
}

/** Bytes from a seed, half of them blank as in pictures. */
export function drawBytes(count: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from({ length: count }, () => Math.max(0, Math.floor(random() * 512) - 256));
}

function node(opType: string, input: string[], output: string, attribute: ReturnType<typeof intAttribute>[] = []) {
  return create(NodeProtoSchema, { opType, name: output, input, output: [output], attribute });
}

function intAttribute(name: string, value: number) {
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
}

function intsAttribute(name: string, values: number[]) {
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: values.map(BigInt) });
}

function constant(name: string, dataType: TensorProto_DataType, dims: number[], values: readonly number[]) {
  const rawData =
    dataType === TensorProto_DataType.INT8
      ? new Uint8Array(Int8Array.from(values).buffer)
      : new Uint8Array(Int32Array.from(values).buffer);
  return create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData });
}

function valueInfo(name: string, elemType: TensorProto_DataType, shape: (number | string)[]) {
  const dim = shape.map((size) =>
    typeof size === "string"
      ? { value: { case: "dimParam" as const, value: size } }
      : { value: { case: "dimValue" as const, value: BigInt(size) } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } },
  });
}
