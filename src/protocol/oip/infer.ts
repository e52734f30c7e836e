/**
 * Requests and answers of `/v2/models/{name}/infer`: read and written on both sides, since the gateway is a server to its
 * callers and a client to a model server. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { type NamedTensors, requireTensor } from "../tensors/tensor.ts";
import { type JoinedBody, joinBody, splitBody } from "./body.ts";
import { datatypeOf } from "./datatype.ts";
import { isObject, readTensors } from "./read-tensors.ts";
import { dataOf } from "./tensor-data.ts";

export interface InferRequest {
  readonly id: string | undefined;
  readonly inputs: NamedTensors;
  /** In the order asked for; undefined: all outputs of the model. */
  readonly outputs: readonly RequestedOutput[] | undefined;
  /** Whether outputs that are not named are binary. */
  readonly binaryOutput: boolean;
}

export interface RequestedOutput {
  readonly name: string;
  readonly binary: boolean;
}

/** @param headerLength of Inference-Header-Content-Length @throws InferiumError InvalidInput and those of tensors */
export function parseInferRequest(body: Buffer, headerLength: string | undefined): InferRequest {
  const { header, binary } = splitBody(body, headerLength);
  const { id, parameters } = header;
  if (id !== undefined && typeof id !== "string") throw invalid('"id" is no string.');
  if (parameters !== undefined && !isObject(parameters)) throw invalid('"parameters" is no object.');
  const binaryOutput = parameters?.binary_data_output === true;
  const outputs = header.outputs === undefined ? undefined : readRequested(header.outputs, binaryOutput);
  return { id, inputs: readTensors(header.inputs, binary, "input"), outputs, binaryOutput };
}

function readRequested(list: unknown, binaryOutput: boolean): RequestedOutput[] {
  if (!Array.isArray(list)) throw invalid('"outputs" is no list.');
  return list.map((item) => {
    if (!isObject(item) || typeof item.name !== "string") throw invalid('An output is no object with a "name".');
    const parameters = isObject(item.parameters) ? item.parameters : {};
    for (const unsupported of ["classification", "shared_memory_region"]) {
      if (parameters[unsupported] !== undefined) throw invalid(`"${unsupported}" of an output is not supported.`);
    }
    const { binary_data: binary } = parameters;
    return { name: item.name, binary: typeof binary === "boolean" ? binary : binaryOutput };
  });
}

export interface InferAnswer {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  readonly outputs: NamedTensors;
}

/** @throws InferiumError MissingTensor, NotInJson */
export function buildInferResponse(request: InferRequest, answer: InferAnswer): JoinedBody {
  const wanted = request.outputs ?? [...answer.outputs.keys()].map((name) => ({ name, binary: request.binaryOutput }));
  const binary: Uint8Array[] = [];
  const outputs = wanted.map(({ name, binary: isBinary }) => {
    const tensor = requireTensor(answer.outputs, name);
    const entry = { name, datatype: datatypeOf(tensor.dtype), shape: tensor.shape };
    if (!isBinary) return { ...entry, data: dataOf(name, tensor) };
    binary.push(tensor.data);
    return { ...entry, parameters: { binary_data_size: tensor.data.byteLength } };
  });
  const { modelName: model_name, modelVersion: model_version } = answer;
  return joinBody({ id: request.id, model_name, model_version, outputs }, binary);
}

/** Asks for all outputs. @throws InferiumError NotInJson */
export function buildInferRequest(inputs: NamedTensors, binary: boolean): JoinedBody {
  const parts: Uint8Array[] = [];
  const entries = [...inputs].map(([name, tensor]) => {
    const entry = { name, datatype: datatypeOf(tensor.dtype), shape: tensor.shape };
    if (!binary) return { ...entry, data: dataOf(name, tensor) };
    parts.push(tensor.data);
    return { ...entry, parameters: { binary_data_size: tensor.data.byteLength } };
  });
  return joinBody(binary ? { inputs: entries, parameters: { binary_data_output: true } } : { inputs: entries }, parts);
}

/** The outputs of a model server's answer. @throws InferiumError InvalidInput and those of tensors */
export function parseInferResponse(body: Buffer, headerLength: string | undefined): NamedTensors {
  const { header, binary } = splitBody(body, headerLength);
  return readTensors(header.outputs, binary, "output");
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidInput", message);
}
