/**
 * What a proof is about, and the public signals that follow from it. A verifier computes all of them itself from the model, the
 * input, the output and the task; a signal that came with the proof is compared and never used. Pure.
 */
import { AbiCoder, keccak256 } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { numberAt, viewElements } from "../protocol/tensors/elements.ts";
import type { NamedTensors, Tensor } from "../protocol/tensors/tensor.ts";
import { requireTensor } from "../protocol/tensors/tensor.ts";
import { packInput } from "./circuit/input-layout.ts";
import { packResult, planResult } from "./circuit/result-layout.ts";
import type { IntegerNetwork } from "./network/integer-network.ts";
import { hashElements } from "./poseidon/sponge.ts";
import type { PublicSignals } from "./proving/groth16.ts";

/** For whom and where an inference was made. A proof for one binding verifies for no other. */
export interface TaskBinding {
  readonly chainId: bigint;
  /** Address of ModelRegistry. */
  readonly registry: string;
  /** 32 bytes in hex, as on the chain. */
  readonly taskId: string;
  readonly worker: string;
  readonly attempt: number;
}

/** 248 bits of keccak256, as ZkVerifier.sol computes them: the field does not hold all 256. */
export function computeTaskSignal({ chainId, registry, taskId, worker, attempt }: TaskBinding): bigint {
  const types = ["uint256", "address", "bytes32", "address", "uint32"];
  return (
    BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(types, [chainId, registry, taskId, worker, attempt]))) >> 8n
  );
}

export interface Statement {
  readonly network: IntegerNetwork;
  readonly input: NamedTensors;
  readonly salt: bigint;
  readonly output: NamedTensors;
  readonly task: TaskBinding;
}

/** @throws InferiumError InvalidInput, InvalidOutput, ResultOutOfRange */
export function computePublicSignals({ network, input, salt, output, task }: Statement): PublicSignals {
  const { bytes, rows } = readInputRows(network, input);
  return [hashElements(packInput(salt, bytes)), computeResultSignal(network, output, rows), computeTaskSignal(task)];
}

/** @throws InferiumError InvalidInput */
export function readInputRows(network: IntegerNetwork, input: NamedTensors): { bytes: Uint8Array; rows: number } {
  const tensor = requireTensor(input, network.inputName);
  const [rows = 0, size] = tensor.shape;
  if (tensor.dtype === "uint8" && tensor.shape.length === 2 && size === network.inputs)
    return { bytes: tensor.data, rows };
  throw new InferiumError(
    "InvalidInput",
    `The input "${network.inputName}" is ${tensor.dtype}[${tensor.shape}]; expected uint8[N,${network.inputs}].`,
  );
}

function computeResultSignal(network: IntegerNetwork, output: NamedTensors, rows: number): bigint {
  const classes = network.layers.at(-1)?.outputs ?? 0;
  const read = network.outputs.map(({ name, kind }) => {
    const tensor = requireTensor(output, name);
    const count = kind === "logits" ? rows * classes : rows;
    return [kind, createReader(name, tensor, count)] as const;
  });
  const readers = new Map(read);
  return packResult(planResult(network, rows), ({ row, kind, index }) => {
    const at = kind === "logits" ? row * classes + index : row;
    return readers.get(kind)?.(at) ?? 0n;
  });
}

function createReader(name: string, tensor: Tensor, count: number): (index: number) => bigint {
  const elements = viewElements(tensor);
  if ((tensor.dtype !== "int32" && tensor.dtype !== "int64") || elements.length !== count) {
    throw new InferiumError(
      "InvalidOutput",
      `The output "${name}" is ${tensor.dtype}[${tensor.shape}]; expected ${count} values of int32 or int64.`,
    );
  }
  return (index) => BigInt(numberAt(tensor.dtype, elements, index));
}
