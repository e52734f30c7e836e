/**
 * The circuit of a network, with its weights as constants: "I know bytes that hash to inputCommitment, on which this network
 * gives result; I say so for this task." Emits constraints and witness program directly; the same circuit in circom is written
 * by emit-circom.ts, and tests compare the two. Public signals in order: inputCommitment, result, task. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { mod } from "../field.ts";
import type { IntegerNetwork } from "../network/integer-network.ts";
import { ConstraintSystem, type ConstraintSystemOptions } from "../r1cs/constraint-system.ts";
import { encodeR1cs, type WireLayout } from "../r1cs/r1cs-file.ts";
import { addLayers } from "./layers.ts";
import { gapBits, planResult, type ResultLayout } from "./result-layout.ts";
import {
  addInputCommitment,
  addResult,
  addRowOutputs,
  addTask,
  checkRows,
  type InputWires,
} from "./statement-parts.ts";

export interface InferenceCircuit {
  readonly network: IntegerNetwork;
  readonly rows: number;
  readonly result: ResultLayout;
  readonly constraintCount: number;
  readonly wireCount: number;
  encodeR1cs(): Buffer;
  /** @returns a value for each wire; wires 1 to 3 are the public signals @throws InferiumError InvalidInput */
  computeWitness(inputs: CircuitInputs): bigint[];
}

export interface CircuitInputs {
  /** Row after row. */
  readonly bytes: Uint8Array;
  /** Hides the input behind its commitment. */
  readonly salt: bigint;
  /** Public signal that binds the proof to a task and worker. */
  readonly task: bigint;
}

/** @throws InferiumError ResultTooWide, InvalidRows */
export function compileInference(
  network: IntegerNetwork,
  rows: number,
  options: ConstraintSystemOptions = {},
): InferenceCircuit {
  checkRows(rows);
  const system = new ConstraintSystem(options);
  const result = planResult(network, rows);
  const wires = addInputs(system, network.inputs * rows);
  addTask(system, wires.task);
  addInputCommitment(system, wires);
  const outputs = Array.from({ length: rows }, (_, row) => {
    const bytes = wires.bytes.slice(row * network.inputs, (row + 1) * network.inputs);
    const logits = addLayers(system, network, { row, bytes });
    return addRowOutputs(system, network, { row, logits, gapBits: gapBits(network) });
  });
  addResult(system, wires.result, { layout: result, rows: outputs });
  const layout: WireLayout = { publicOutputs: 2, publicInputs: 1, privateInputs: 1 + wires.bytes.length };
  return {
    network,
    rows,
    result,
    constraintCount: system.constraints.count,
    wireCount: system.wireCount,
    encodeR1cs: () => encodeR1cs(system, layout),
    computeWitness: (inputs) => system.computeWitness(assignInputs(wires, inputs)),
  };
}

type AllInputWires = InputWires & { readonly result: number; readonly task: number };

/** First of all, in the order that r1cs files prescribe. */
function addInputs(system: ConstraintSystem, byteCount: number): AllInputWires {
  return {
    inputCommitment: system.addWire("main.inputCommitment"),
    result: system.addWire("main.result"),
    task: system.addWire("main.task"),
    salt: system.addWire("main.salt"),
    bytes: system.addWires("main.bytes", byteCount),
  };
}

/** @throws InferiumError InvalidInput */
export function assignInputs(
  wires: Pick<AllInputWires, "salt" | "task" | "bytes">,
  { bytes, salt, task }: CircuitInputs,
): Map<number, bigint> {
  if (bytes.length !== wires.bytes.length) {
    throw new InferiumError("InvalidInput", `The input has ${bytes.length} bytes, expected ${wires.bytes.length}.`);
  }
  const inputs = new Map([
    [wires.salt, mod(salt)],
    [wires.task, mod(task)],
  ]);
  wires.bytes.forEach((wire, index) => {
    inputs.set(wire, BigInt(bytes[index] as number));
  });
  return inputs;
}
