/**
 * Pooling and ReLU. The larger of two values is the second plus, where their difference is not negative, that difference; the
 * sign of a difference is a bit of its range proof. An average is the upper bits of a sum. The templates: circuits/max_pool.circom,
 * circuits/average_pool.circom, circuits/relu.circom.
 */
import { type AveragePoolLayer, listPooled, type MaxPoolLayer } from "../network/integer-network.ts";
import { type Combination, type ConstraintSystem, one, wireValue } from "../r1cs/constraint-system.ts";
import { addSignedBits, addUnsignedBits, weighBits } from "./bits.ts";

/** @param bits of the largest difference between two of the inputs */
export function addMaxPool(
  system: ConstraintSystem,
  path: string,
  inputs: readonly number[],
  { layer, bits }: { readonly layer: MaxPoolLayer; readonly bits: number },
): number[] {
  aliasInputs(system, path, inputs);
  return Array.from({ length: layer.outputs }, (_, output) => {
    const name = `${path}.largest[${output}]`;
    const pooled = listPooled(layer, output).map((index) => inputs[index] as number);
    aliasInputs(system, name, pooled);
    const largest = pooled.reduce((best, wire, index) =>
      addLarger(system, `${name}.larger[${index - 1}]`, { best, wire, bits }),
    );
    system.alias(largest, `${name}.out`);
    system.alias(largest, `${path}.out[${output}]`);
    return largest;
  });
}

function addLarger(
  system: ConstraintSystem,
  path: string,
  { best, wire, bits: count }: { readonly best: number; readonly wire: number; readonly bits: number },
): number {
  system.alias(wire, `${path}.in[0]`);
  system.alias(best, `${path}.in[1]`);
  const difference = system.addLinear(`${path}.difference.in`, [
    [wire, 1n],
    [best, -1n],
  ]);
  const bits = addSignedBits(system, `${path}.difference`, difference, count + 1);
  const isLarger = bits[count] ?? one;
  const isPositive = (values: readonly bigint[]) => wireValue(values, isLarger) === 1n;
  const larger = system.addWire(`${path}.out`);
  system.constrain(
    [[isLarger, 1n]],
    [[difference, 1n]],
    [
      [larger, 1n],
      [best, -1n],
    ],
  );
  system.steps.push((values) => {
    values[larger] = wireValue(values, isPositive(values) ? wire : best);
  });
  return larger;
}

export function addAveragePool(
  system: ConstraintSystem,
  path: string,
  inputs: readonly number[],
  layer: AveragePoolLayer,
): number[] {
  aliasInputs(system, path, inputs);
  const sums = Array.from({ length: layer.outputs }, (_, output) => {
    const terms: Combination = listPooled(layer, output).map((index) => [inputs[index] as number, 1n]);
    return system.addLinear(`${path}.bits[${output}].in`, terms);
  });
  return sums.map((sum, output) => {
    const bits = addUnsignedBits(system, `${path}.bits[${output}]`, sum, 8 + layer.shift);
    return system.addLinear(`${path}.out[${output}]`, weighBits(bits.slice(layer.shift)));
  });
}

/** @param bits of the value, sign included */
export function addRelu(
  system: ConstraintSystem,
  path: string,
  { wire, bits: count }: { readonly wire: number; readonly bits: number },
): number {
  system.alias(wire, `${path}.in`);
  const bits = addSignedBits(system, `${path}.bits`, wire, count);
  return system.addProduct(`${path}.out`, [[bits[count - 1] ?? one, 1n]], [[wire, 1n]]);
}

function aliasInputs(system: ConstraintSystem, path: string, inputs: readonly number[]): void {
  inputs.forEach((wire, index) => {
    system.alias(wire, `${path}.in[${index}]`);
  });
}
