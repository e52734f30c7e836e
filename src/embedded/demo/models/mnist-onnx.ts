/**
 * The integer network of quantise.ts as an ONNX graph: `pixels` uint8[N,784] -> `label` int64[N], `score` int32[N].
 * The score is the label's logit: a label alone could be guessed by a cheaper model, its score only computed by this one.
 * Every operator is one of integers, so every conforming runtime gives the same bits. Pure; serialisation is fixed by
 * the order in which fields are given here.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { pixelsPerImage } from "../data/mnist.ts";
import { classes, hiddenUnits } from "./mlp.ts";
import type { IntegerMlp } from "./quantise.ts";

/** Operator set 13 has integer Clip, Div and ArgMax, and is read by every runtime since 2020. */
const opset = 13n;
const irVersion = 7n;

export function buildMnistOnnx(model: IntegerMlp): Uint8Array {
  const graph = create(GraphProtoSchema, {
    name: "mnist-int8",
    node: buildNodes(),
    initializer: buildConstants(model),
    input: [valueInfo("pixels", TensorProto_DataType.UINT8, ["N", pixelsPerImage])],
    output: [
      valueInfo("label", TensorProto_DataType.INT64, ["N"]),
      valueInfo("score", TensorProto_DataType.INT32, ["N"]),
    ],
  });
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: opset })];
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion, producerName: "inferium", opsetImport, graph }),
  );
}

function buildNodes() {
  return [
    node("MatMulInteger", ["pixels", "hidden_weights"], "hidden_products"),
    node("Add", ["hidden_products", "hidden_bias"], "hidden_sums"),
    // Clipped first: what is divided is never negative, so that rounding towards zero and downwards are the same.
    node("Clip", ["hidden_sums", "zero", "hidden_limit"], "hidden_clipped"),
    node("Div", ["hidden_clipped", "hidden_divisor"], "hidden_scaled"),
    node("Cast", ["hidden_scaled"], "hidden", [intAttribute("to", TensorProto_DataType.UINT8)]),
    node("MatMulInteger", ["hidden", "output_weights"], "output_products"),
    node("Add", ["output_products", "output_bias"], "logits"),
    node("ArgMax", ["logits"], "label", [intAttribute("axis", 1), intAttribute("keepdims", 0)]),
    node("ReduceMax", ["logits"], "score", [intsAttribute("axes", [1]), intAttribute("keepdims", 0)]),
  ];
}

function buildConstants(model: IntegerMlp) {
  const divisor = 2 ** model.shift;
  return [
    constant("hidden_weights", TensorProto_DataType.INT8, [pixelsPerImage, hiddenUnits], model.hiddenWeights),
    constant("hidden_bias", TensorProto_DataType.INT32, [hiddenUnits], model.hiddenBias),
    constant("zero", TensorProto_DataType.INT32, [], Int32Array.of(0)),
    constant("hidden_limit", TensorProto_DataType.INT32, [], Int32Array.of(256 * divisor - 1)),
    constant("hidden_divisor", TensorProto_DataType.INT32, [], Int32Array.of(divisor)),
    constant("output_weights", TensorProto_DataType.INT8, [hiddenUnits, classes], model.outputWeights),
    constant("output_bias", TensorProto_DataType.INT32, [classes], model.outputBias),
  ];
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

function constant(name: string, dataType: TensorProto_DataType, dims: number[], values: Int8Array | Int32Array) {
  // Raw data is little-endian by definition; a DataView makes the bytes so on any platform.
  const rawData = new Uint8Array(values.byteLength);
  const view = new DataView(rawData.buffer);
  values.forEach((value, i) => {
    if (values instanceof Int8Array) view.setInt8(i, value);
    else view.setInt32(i * 4, value, true);
  });
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
