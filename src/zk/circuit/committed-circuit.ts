/**
 * The circuit of an architecture, with weights as private inputs: "I know weights that hash to weightsCommitment and bytes that hash to
 * inputCommitment, on which the network gives result; I say so for this task." One verifier serves all models of these sizes and
 * shifts, and the weights stay with worker and prover. Dense layers alone, for small models: each weight costs nine constraints and its share of the hash. In
 * circom: emit-committed.ts. Public signals in order: inputCommitment, result, weightsCommitment, task. Pure.
 */
import { mod } from "../field.ts";
import type { DenseLayer, IntegerNetwork } from "../network/integer-network.ts";
import { type Combination, ConstraintSystem, type ConstraintSystemOptions } from "../r1cs/constraint-system.ts";
import { encodeR1cs, type WireLayout } from "../r1cs/r1cs-file.ts";
import { addSignedBits } from "./bits.ts";
import {
  biasBits,
  biasesPerElement,
  boundCommittedSums,
  requireDenseLayers,
  weightBits,
  weightsPerElement,
} from "./committed-weights.ts";
import { assignInputs, type CircuitInputs } from "./inference-circuit.ts";
import { addRequantise, requantiseBits } from "./requantise.ts";
import { gapBits, planResult } from "./result-layout.ts";
import { addSponge } from "./sponge.ts";
import { addInputCommitment, addPacked, addResult, addRowOutputs, addTask, checkRows } from "./statement-parts.ts";

export interface CommittedCircuit {
  readonly rows: number;
  readonly constraintCount: number;
  readonly wireCount: number;
  encodeR1cs(): Buffer;
  /** @returns a value for each wire; wires 1 to 4 are the public signals */
  computeWitness(inputs: CommittedInputs): bigint[];
}

export interface CommittedInputs extends CircuitInputs {
  readonly network: IntegerNetwork;
  readonly weightsSalt: bigint;
}

export interface CommittedOptions extends ConstraintSystemOptions {
  /**
   * naive: one weight to an element, without range proofs. The usual way to commit to weights, at four times the constraints; for
   * comparison alone.
   */
  readonly packing?: "packed" | "naive";
}

/** @param network its weights do not matter @throws InferiumError UnsupportedModel, ResultTooWide, InvalidRows */
export function compileCommitted(
  network: IntegerNetwork,
  rows: number,
  { packing = "packed", ...options }: CommittedOptions = {},
): CommittedCircuit {
  checkRows(rows);
  const layers = requireDenseLayers(network);
  const system = new ConstraintSystem(options);
  const wires = addInputs(system, layers, network.inputs * rows);
  addTask(system, wires.task);
  addInputCommitment(system, wires);
  addWeightsCommitment(system, layers, { wires, packing });
  const bounds = boundCommittedSums(layers.at(-1) as DenseLayer);
  const outputs = Array.from({ length: rows }, (_, row) => {
    const bytes = wires.bytes.slice(row * network.inputs, (row + 1) * network.inputs);
    const logits = addCommittedLayers(system, layers, { row, bytes, parameters: wires.parameters });
    return addRowOutputs(system, network, { row, logits, gapBits: gapBits(network, bounds) });
  });
  addResult(system, wires.result, { layout: planResult(network, rows, bounds), rows: outputs });
  const parameterCount = wires.parameters.reduce((sum, { weights, bias }) => sum + weights.length + bias.length, 0);
  const privateInputs = 2 + wires.bytes.length + parameterCount;
  const layout: WireLayout = { publicOutputs: 3, publicInputs: 1, privateInputs };
  return {
    rows,
    constraintCount: system.constraints.count,
    wireCount: system.wireCount,
    encodeR1cs: () => encodeR1cs(system, layout),
    computeWitness: (inputs) => system.computeWitness(assignCommitted(wires, inputs)),
  };
}

export interface LayerWires {
  readonly weights: readonly number[];
  readonly bias: readonly number[];
}

type Wires = ReturnType<typeof addInputs>;

function addInputs(system: ConstraintSystem, layers: readonly DenseLayer[], byteCount: number) {
  return {
    inputCommitment: system.addWire("main.inputCommitment"),
    result: system.addWire("main.result"),
    weightsCommitment: system.addWire("main.weightsCommitment"),
    task: system.addWire("main.task"),
    salt: system.addWire("main.salt"),
    bytes: system.addWires("main.bytes", byteCount),
    weightsSalt: system.addWire("main.weightsSalt"),
    parameters: layers.map(
      ({ inputs, outputs }, depth): LayerWires => ({
        weights: system.addWires(`main.weights${depth}`, inputs * outputs),
        bias: system.addWires(`main.bias${depth}`, outputs),
      }),
    ),
  };
}

function assignCommitted(wires: Wires, { network, weightsSalt, ...inputs }: CommittedInputs): Map<number, bigint> {
  const values = assignInputs(wires, inputs);
  values.set(wires.weightsSalt, mod(weightsSalt));
  requireDenseLayers(network).forEach((layer, depth) => {
    const { weights, bias } = wires.parameters[depth] as LayerWires;
    weights.forEach((wire, index) => {
      values.set(wire, mod(BigInt(layer.weights[index] as number)));
    });
    bias.forEach((wire, index) => {
      values.set(wire, mod(BigInt(layer.bias[index] as number)));
    });
  });
  return values;
}

function addWeightsCommitment(
  system: ConstraintSystem,
  layers: readonly DenseLayer[],
  { wires, packing }: { readonly wires: Wires; readonly packing: "packed" | "naive" },
): void {
  const elements = [wires.weightsSalt];
  layers.forEach((layer, depth) => {
    const { weights, bias } = wires.parameters[depth] as LayerWires;
    if (packing === "naive") {
      elements.push(...weights, ...bias);
      return;
    }
    elements.push(
      ...addPackSigned(system, `main.packWeights${depth}`, weights, {
        bits: weightBits,
        perElement: weightsPerElement,
      }),
      ...addPackSigned(system, `main.packBias${depth}`, bias, {
        bits: biasBits(layer),
        perElement: biasesPerElement(layer),
      }),
    );
  });
  system.assignLinear(wires.weightsCommitment, addSponge(system, "main.weightsSponge", elements));
}

function addCommittedLayers(
  system: ConstraintSystem,
  layers: readonly DenseLayer[],
  {
    row,
    bytes,
    parameters,
  }: { readonly row: number; readonly bytes: readonly number[]; readonly parameters: readonly LayerWires[] },
): readonly number[] {
  return layers.reduce<readonly number[]>((inputs, layer, depth) => {
    const path = `main.layer${depth}[${row}]`;
    const sums = addCommittedDense(system, path, inputs, parameters[depth] as LayerWires);
    const { shift } = layer;
    if (shift === undefined) return sums;
    const bits = requantiseBits(boundCommittedSums(layer), shift);
    return sums.map((wire, index) =>
      addRequantise(system, `main.activation${depth}[${row}][${index}]`, { wire, bits, shift }),
    );
  }, bytes);
}

/** Numbers with sign, each proven to have its bits. The template: circuits/pack_signed.circom. */
export function addPackSigned(
  system: ConstraintSystem,
  path: string,
  wires: readonly number[],
  { bits, perElement }: { readonly bits: number; readonly perElement: number },
): number[] {
  wires.forEach((wire, index) => {
    system.alias(wire, `${path}.in[${index}]`);
    addSignedBits(system, `${path}.range[${index}]`, [[wire, 1n]], bits);
  });
  const offset = 1n << BigInt(bits - 1);
  return addPacked(system, `${path}.out`, wires, { perElement, bits, offset, first: 0 });
}

/** The template: circuits/committed_dense.circom. */
export function addCommittedDense(
  system: ConstraintSystem,
  path: string,
  inputs: readonly number[],
  { weights, bias }: LayerWires,
): number[] {
  const alias = (name: string, wires: readonly number[]) =>
    wires.forEach((wire, index) => {
      system.alias(wire, `${path}.${name}[${index}]`);
    });
  alias("in", inputs);
  alias("weights", weights);
  alias("bias", bias);
  const products = weights.map((weight, index) => {
    const input = inputs[Math.floor(index / bias.length)] as number;
    return system.addProduct(`${path}.product[${index}]`, [[weight, 1n]], [[input, 1n]]);
  });
  return bias.map((wire, output) => {
    const terms: Combination = inputs.map((_, input) => [products[input * bias.length + output] as number, 1n]);
    return system.addLinear(`${path}.out[${output}]`, [[wire, 1n], ...terms]);
  });
}
