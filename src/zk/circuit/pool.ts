/**
 * Pooling and ReLU. The larger of two values is the second plus, where their difference is not negative, that difference; the
 * sign of a difference is a bit of its range proof. An average is a sum without its lower bits. The templates: circuits/max_pool.circom,
 * circuits/average_pool.circom, circuits/relu.circom.
 */
import { invert, mod } from "../field.ts";
import { type AveragePoolLayer, listPooled, type MaxPoolLayer } from "../network/integer-network.ts";
import { type ConstraintSystem, evaluate, type Term, wireValue } from "../r1cs/constraint-system.ts";
import { addLowerBits, addSignedBits } from "./bits.ts";

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
  const difference: readonly Term[] = [
    [wire, 1n],
    [best, -1n],
  ];
  const { last: isLarger } = addSignedBits(system, `${path}.difference`, difference, count + 1);
  const larger = system.addWire(`${path}.out`);
  system.constrain(isLarger, difference, [
    [larger, 1n],
    [best, -1n],
  ]);
  system.steps.push((values) => {
    values[larger] = wireValue(values, evaluate(isLarger, values) === 1n ? wire : best);
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
  const unit = invert(1n << BigInt(layer.shift));
  return Array.from({ length: layer.outputs }, (_, output) => {
    const sum = listPooled(layer, output).map((index): Term => [inputs[index] as number, 1n]);
    const { lower } = addLowerBits(system, `${path}.bits[${output}]`, sum, { count: 8 + layer.shift });
    const remainder = lower.slice(0, layer.shift).map((bit, index): Term => [bit, -(1n << BigInt(index))]);
    const average = [...sum, ...remainder].map(([wire, factor]): Term => [wire, mod(factor * unit)]);
    return system.addLinear(`${path}.out[${output}]`, average);
  });
}

/** @param bits of the value, sign included */
export function addRelu(
  system: ConstraintSystem,
  path: string,
  { wire, bits: count }: { readonly wire: number; readonly bits: number },
): number {
  system.alias(wire, `${path}.in`);
  const { last: isPositive } = addSignedBits(system, `${path}.bits`, [[wire, 1n]], count);
  return system.addProduct(`${path}.out`, isPositive, [[wire, 1n]]);
}

function aliasInputs(system: ConstraintSystem, path: string, inputs: readonly number[]): void {
  inputs.forEach((wire, index) => {
    system.alias(wire, `${path}.in[${index}]`);
  });
}
