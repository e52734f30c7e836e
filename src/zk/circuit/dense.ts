/**
 * The sums of a layer whose weights are constants of the circuit: one linear constraint for each, which costs the prover
 * nothing and binds the weights through the verifying key. The template: circuits/dense.circom.
 */
import { mod, toSigned } from "../field.ts";
import { computeSums, type DenseLayer } from "../network/integer-network.ts";
import { type ConstraintSystem, one, type Term, wireValue } from "../r1cs/constraint-system.ts";

/** @param inputs wires that are proven to be bytes @returns the wires of the sums */
export function addDense(
  system: ConstraintSystem,
  path: string,
  inputs: readonly number[],
  layer: DenseLayer,
): number[] {
  inputs.forEach((wire, index) => {
    system.alias(wire, `${path}.in[${index}]`);
  });
  const sums = system.addWires(`${path}.out`, layer.outputs);
  sums.forEach((sum, column) => {
    system.constrainZero([...listTerms(inputs, layer, column), [sum, -1n]]);
  });
  system.steps.push((values) => {
    const input = inputs.map((wire) => Number(toSigned(wireValue(values, wire))));
    computeSums(layer, input).forEach((value, column) => {
      values[sums[column] as number] = mod(BigInt(value));
    });
  });
  return sums;
}

function listTerms(inputs: readonly number[], layer: DenseLayer, column: number): Term[] {
  const terms: Term[] = [];
  const bias = layer.bias[column] as number;
  if (bias !== 0) terms.push([one, BigInt(bias)]);
  for (let row = 0; row < layer.inputs; row++) {
    const weight = layer.weights[row * layer.outputs + column] as number;
    if (weight !== 0) terms.push([inputs[row] as number, BigInt(weight)]);
  }
  return terms;
}
