/**
 * The circuit of a network, with its weights as constants: "I know bytes that hash to inputCommitment, on which this network
 * gives result; I say so for this task." Emits constraints and witness program directly; the same circuit in circom is written
 * by emit-circom.ts, and a test compares the two. Public signals in order: inputCommitment, result, task. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { bitLength, mod } from "../field.ts";
import { computeBounds, type IntegerNetwork } from "../network/integer-network.ts";
import { type Combination, ConstraintSystem, type ConstraintSystemOptions, one } from "../r1cs/constraint-system.ts";
import { encodeR1cs, type WireLayout } from "../r1cs/r1cs-file.ts";
import { addArgMax } from "./arg-max.ts";
import { addUnsignedBits } from "./bits.ts";
import { addDense } from "./dense.ts";
import { bytesPerElement } from "./input-layout.ts";
import { addRequantise, sumBits } from "./requantise.ts";
import { logitBounds, planResult, type ResultLayout, type ResultSlot } from "./result-layout.ts";
import { addSponge } from "./sponge.ts";

/** Largest number of rows in one circuit: beyond it, more proofs are better than a larger one. */
export const maxRows = 64;

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
  system.addProduct("main.bindTask.square", [[wires.task, 1n]], [[wires.task, 1n]]);
  addCommitment(system, wires);
  const outputs = Array.from({ length: rows }, (_, row) => {
    const bytes = wires.bytes.slice(row * network.inputs, (row + 1) * network.inputs);
    return addNetwork(system, network, { row, bytes });
  });
  addResult(system, wires.result, result, outputs);
  const layout: WireLayout = { publicOutputs: 2, publicInputs: 1, privateInputs: 1 + wires.bytes.length };
  return {
    network,
    rows,
    result,
    constraintCount: system.constraints.count,
    wireCount: system.wireCount,
    encodeR1cs: () => encodeR1cs(system, layout),
    computeWitness: (inputs) => computeWitness(system, wires, inputs),
  };
}

function checkRows(rows: number): void {
  if (Number.isInteger(rows) && rows >= 1 && rows <= maxRows) return;
  throw new InferiumError("InvalidRows", `A circuit for ${rows} rows was asked for; expected 1 to ${maxRows}.`);
}

interface InputWires {
  readonly inputCommitment: number;
  readonly result: number;
  readonly task: number;
  readonly salt: number;
  readonly bytes: readonly number[];
}

/** First of all, in the order that r1cs files prescribe. */
function addInputs(system: ConstraintSystem, byteCount: number): InputWires {
  return {
    inputCommitment: system.addWire("main.inputCommitment"),
    result: system.addWire("main.result"),
    task: system.addWire("main.task"),
    salt: system.addWire("main.salt"),
    bytes: system.addWires("main.bytes", byteCount),
  };
}

function addCommitment(system: ConstraintSystem, { inputCommitment, salt, bytes }: InputWires): void {
  bytes.forEach((wire, index) => {
    addUnsignedBits(system, `main.commit.range[${index}]`, wire, 8);
  });
  const elements = [salt];
  for (let start = 0; start < bytes.length; start += bytesPerElement) {
    const part = bytes.slice(start, start + bytesPerElement);
    const terms = part.map((wire, index) => [wire, 1n << BigInt(8 * index)] as const);
    elements.push(system.addLinear(`main.commit.sponge.in[${elements.length}]`, terms));
  }
  system.assignLinear(inputCommitment, addSponge(system, "main.commit.sponge", elements));
}

interface RowOutputs {
  readonly logits: readonly number[];
  readonly label?: number;
  readonly score?: number;
}

function addNetwork(
  system: ConstraintSystem,
  network: IntegerNetwork,
  { row, bytes }: { readonly row: number; readonly bytes: readonly number[] },
): RowOutputs {
  let wires = bytes;
  network.layers.forEach((layer, depth) => {
    const path = `main.layer${depth}[${row}]`;
    wires = addDense(system, path, wires, layer);
    const { shift } = layer;
    if (shift === undefined) return;
    const bounds = computeBounds(layer);
    wires = wires.map((wire, index) => {
      const bits = sumBits(bounds[index] ?? { low: 0, high: 0 }, shift);
      return addRequantise(system, `main.activation${depth}[${row}][${index}]`, { wire, bits, shift });
    });
  });
  if (network.outputs.every(({ kind }) => kind === "logits")) return { logits: wires };
  const { label, max } = addArgMax(system, `main.argMax[${row}]`, wires, gapBits(network));
  return { logits: wires, label, score: max };
}

/** Bits of the largest difference between two logits. */
export function gapBits(network: IntegerNetwork): number {
  const { low, high } = logitBounds(network);
  return bitLength(BigInt(high - low));
}

function addResult(system: ConstraintSystem, wire: number, layout: ResultLayout, rows: readonly RowOutputs[]): void {
  const terms = layout.slots.map((slot) => [wireOf(slot, rows), 1n << BigInt(slot.shift)] as const);
  const offsets = layout.slots.reduce((sum, { offset, shift }) => sum + (offset << BigInt(shift)), 0n);
  const packed: Combination = [[one, mod(offsets + (1n << BigInt(layout.bits)))], ...terms];
  system.assignLinear(wire, packed);
}

function wireOf({ row, kind, index }: ResultSlot, rows: readonly RowOutputs[]): number {
  const outputs = rows[row];
  const wire = kind === "logits" ? outputs?.logits[index] : outputs?.[kind];
  return wire ?? one;
}

function computeWitness(system: ConstraintSystem, wires: InputWires, { bytes, salt, task }: CircuitInputs): bigint[] {
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
  return system.computeWitness(inputs);
}
