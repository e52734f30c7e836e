/**
 * The sums of a dense or convolution layer whose weights are constants of the circuit: one linear constraint for each, which
 * costs the prover nothing and binds the weights through the verifying key. The templates: circuits/dense.circom and
 * circuits/convolution.circom.
 */
import { mod, toSigned } from "../field.ts";
import { filterOf, listWeightedTaps } from "../network/convolution.ts";
import { type ConvolutionLayer, computeSums, type DenseLayer } from "../network/integer-network.ts";
import { type ConstraintSystem, one, type Term, wireValue } from "../r1cs/constraint-system.ts";

/** @param inputs wires that are proven to be bytes @returns the wires of the sums */
export function addWeightedSums(
  system: ConstraintSystem,
  path: string,
  inputs: readonly number[],
  layer: DenseLayer | ConvolutionLayer,
): number[] {
  inputs.forEach((wire, index) => {
    system.alias(wire, `${path}.in[${index}]`);
  });
  const sums = system.addWires(`${path}.out`, layer.outputs);
  sums.forEach((sum, output) => {
    const terms = layer.kind === "dense" ? listDenseTerms(inputs, layer, output) : listTapTerms(inputs, layer, output);
    system.constrainZero([...terms, [sum, -1n]]);
  });
  system.steps.push((values) => {
    const input = inputs.map((wire) => Number(toSigned(wireValue(values, wire))));
    computeSums(layer, input).forEach((value, output) => {
      values[sums[output] as number] = mod(BigInt(value));
    });
  });
  return sums;
}

function listDenseTerms(inputs: readonly number[], layer: DenseLayer, output: number): Term[] {
  const terms = listBias(layer.bias[output] as number);
  for (let input = 0; input < layer.inputs; input++) {
    const weight = layer.weights[input * layer.outputs + output] as number;
    if (weight !== 0) terms.push([inputs[input] as number, BigInt(weight)]);
  }
  return terms;
}

function listTapTerms(inputs: readonly number[], layer: ConvolutionLayer, output: number): Term[] {
  const terms = listBias(layer.bias[filterOf(layer, output)] as number);
  for (const tap of listWeightedTaps(layer, output)) {
    const weight = layer.weights[tap.weight] as number;
    if (weight !== 0) terms.push([inputs[tap.input] as number, BigInt(weight)]);
  }
  return terms;
}

function listBias(bias: number): Term[] {
  return bias === 0 ? [] : [[one, BigInt(bias)]];
}
