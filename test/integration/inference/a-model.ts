/** Small ONNX models written for one test each. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";

function floats(name: string, size: bigint | string) {
  const dim =
    typeof size === "string" ? { case: "dimParam" as const, value: size } : { case: "dimValue" as const, value: size };
  const type = { elemType: TensorProto_DataType.FLOAT, shape: { dim: [{ value: dim }] } };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: type } } });
}

function node(opType: string, input: string[], output: string) {
  return create(NodeProtoSchema, { opType, input, output: [output] });
}

function model(graph: Parameters<typeof create<typeof GraphProtoSchema>>[1]): Uint8Array {
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: 13n })];
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 7n, opsetImport, graph: { name: "test", ...graph } }),
  );
}

/** sum' = sum + x, y = sum': a recurrence whose every step can be seen. */
export function aRunningSum(): Uint8Array {
  return model({
    node: [node("Add", ["x", "sum"], "sum_out"), node("Identity", ["sum_out"], "y")],
    input: [floats("x", 1n), floats("sum", 1n)],
    output: [floats("y", 1n), floats("sum_out", 1n)],
  });
}

/** y = x / x: NaN for zero. */
export function aQuotient(): Uint8Array {
  return model({ node: [node("Div", ["x", "x"], "y")], input: [floats("x", "N")], output: [floats("y", "N")] });
}

/** y = x + w, where w is said to lie in a file beside the model. */
export function aModelWithWeightsIn(location: string): Uint8Array {
  const entry = (key: string, value: string) => ({ key, value });
  const weights = create(TensorProtoSchema, {
    name: "w",
    dataType: TensorProto_DataType.FLOAT,
    dims: [1n],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [entry("location", location), entry("offset", "0"), entry("length", "4")],
  });
  return model({
    node: [node("Add", ["x", "w"], "y")],
    input: [floats("x", 1n)],
    output: [floats("y", 1n)],
    initializer: [weights],
  });
}
