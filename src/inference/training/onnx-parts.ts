/**
 * Parts of ONNX files: nodes, constants, values and the model around them. Called by the builders of the demo's models and by tests.
 * Pure; serialisation is fixed by the order in which fields are given here.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";

export type { AttributeProto, NodeProto, TensorProto, ValueInfoProto };
export { TensorProto_DataType as OnnxType };

export interface OnnxParts {
  readonly name: string;
  readonly node: NodeProto[];
  readonly initializer: TensorProto[];
  readonly input: ValueInfoProto[];
  readonly output: ValueInfoProto[];
}

export interface OnnxVersions {
  readonly opset: bigint;
  readonly irVersion: bigint;
  readonly producerName?: string;
}

export function encodeOnnx(graph: OnnxParts, { opset, ...versions }: OnnxVersions): Uint8Array {
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: opset })];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { ...versions, opsetImport, graph }));
}

/** A node that is named after its output. */
export function node(opType: string, input: string[], output: string, attribute: AttributeProto[] = []): NodeProto {
  return create(NodeProtoSchema, { opType, name: output, input, output: [output], attribute });
}

export function intAttribute(name: string, value: number): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
}

export function intsAttribute(name: string, values: readonly number[]): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: values.map(BigInt) });
}

/** The type of the array is that of the constant. Raw data is little-endian by definition, whatever the platform. */
export function constant(
  name: string,
  dims: readonly number[],
  values: Int8Array | Uint8Array | Int32Array | BigInt64Array,
): TensorProto {
  const rawData = new Uint8Array(values.byteLength);
  const view = new DataView(rawData.buffer);
  values.forEach((value, i) => {
    if (typeof value === "bigint") view.setBigInt64(i * 8, value, true);
    else if (values.BYTES_PER_ELEMENT === 1) view.setUint8(i, value);
    else view.setInt32(i * 4, value, true);
  });
  return create(TensorProtoSchema, { name, dataType: typeOf(values), dims: dims.map(BigInt), rawData });
}

function typeOf(values: Int8Array | Uint8Array | Int32Array | BigInt64Array): TensorProto_DataType {
  if (values instanceof Int8Array) return TensorProto_DataType.INT8;
  if (values instanceof Uint8Array) return TensorProto_DataType.UINT8;
  return values instanceof Int32Array ? TensorProto_DataType.INT32 : TensorProto_DataType.INT64;
}

/** @param shape a text for an axis that is left open */
export function valueInfo(name: string, elemType: TensorProto_DataType, shape: readonly (number | string)[]) {
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
