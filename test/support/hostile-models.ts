/** Model files that somebody might hand in to do harm, each with what it must be found for. For tests of scans and fuzz targets. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
} from "onnx-buf";
import { constant, encodeOnnx, node, OnnxType, valueInfo } from "../../src/inference/training/onnx-parts.ts";
import { buildIntegerModel } from "./integer-model.ts";

export interface HostileModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly want: string;
}

const versions = { opset: 13n, irVersion: 7n };
const x = valueInfo("x", OnnxType.UINT8, ["N", 4]);
const y = valueInfo("y", OnnxType.INT32, ["N", 2]);

/** One product of bytes whose weights are `weights`. */
export function aProduct(
  weights: TensorProto,
  nodes: NodeProto[] = [node("MatMulInteger", ["x", "w"], "y")],
): Uint8Array {
  return encodeOnnx({ name: "g", node: nodes, initializer: [weights], input: [x], output: [y] }, versions);
}

export const sevenBits = constant("w", [4, 2], Int8Array.of(-64, 63, 1, 2, 3, 4, 5, 6));

function external(): Uint8Array {
  const location = create(StringStringEntryProtoSchema, { key: "location", value: "../../etc/passwd" });
  const outside = {
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [location],
    rawData: new Uint8Array(),
  };
  return aProduct({ ...sevenBits, ...outside });
}

function nested(depth: number): Uint8Array {
  let graph = create(GraphProtoSchema, { name: "leaf" });
  for (let level = 0; level < depth; level++) {
    const type = AttributeProto_AttributeType.GRAPH;
    const attribute = create(AttributeProtoSchema, { name: "body", type, g: graph });
    graph = create(GraphProtoSchema, { name: `g${level}`, node: [node("Loop", [], `o${level}`, [attribute])] });
  }
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: 13n })];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 7n, opsetImport, graph }));
}

function random(): Uint8Array {
  return aProduct(sevenBits, [node("MatMulInteger", ["x", "w"], "m"), node("RandomUniformLike", ["m"], "y")]);
}

/** What a scan must find, whatever onnxruntime would make of it. */
export function hostileModels(): HostileModel[] {
  const honest = buildIntegerModel({ sizes: [8, 4, 3], seed: 1, outputs: ["label"] });
  const giant = { ...constant("w", [], Int8Array.of(1)), dims: [2n ** 40n, 2n] };
  const claims = { ...constant("w", [], Int8Array.of(1)), dims: [1_000_000n, 2n] };
  const strange = { ...node("Launch", ["x", "w"], "y"), domain: "com.example.rockets" };
  const wide = valueInfo("z", OnnxType.FLOAT, [2 ** 30, 2 ** 30]);
  const wideGraph = { name: "g", node: [node("Expand", ["x", "s"], "z")], initializer: [], input: [x], output: [wide] };
  return [
    { name: "nothing", bytes: new Uint8Array(), want: "Malformed" },
    { name: "a text", bytes: Buffer.from("#!/bin/sh\nrm -rf /\n"), want: "Malformed" },
    { name: "zeros", bytes: new Uint8Array(100_000), want: "Malformed" },
    { name: "half a model", bytes: honest.subarray(0, honest.length / 2), want: "Malformed" },
    { name: "data outside the file", bytes: external(), want: "ExternalData" },
    { name: "an operator of a domain of its own", bytes: aProduct(sevenBits, [strange]), want: "CustomDomain" },
    { name: "a constant of 2^41 values", bytes: aProduct(giant), want: "GiantShape" },
    { name: "a constant that is not there", bytes: aProduct(claims), want: "Truncated" },
    { name: "an output of 2^60 values", bytes: encodeOnnx(wideGraph, versions), want: "GiantShape" },
    { name: "a hundred graphs in each other", bytes: nested(100), want: "TooComplex" },
    { name: "numbers drawn by chance", bytes: random(), want: "NonDeterministic" },
  ];
}
