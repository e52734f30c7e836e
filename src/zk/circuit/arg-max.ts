/**
 * The index of the first largest value, and that value. Exactly one index is marked; what it marks is at least every value, and
 * more than every value before it: each difference is proven not to be negative by its bits. The template:
 * circuits/arg_max.circom.
 */
import { toSigned } from "../field.ts";
import { firstLargest } from "../network/integer-network.ts";
import { type Combination, type ConstraintSystem, one, wireValue } from "../r1cs/constraint-system.ts";
import { addBooleanCheck, addLowerBits } from "./bits.ts";

/** @param bits of the largest difference between two of the values */
export function addArgMax(
  system: ConstraintSystem,
  path: string,
  inputs: readonly number[],
  bits: number,
): { readonly label: number; readonly max: number } {
  inputs.forEach((wire, index) => {
    system.alias(wire, `${path}.in[${index}]`);
  });
  const isLabel = addMarks(system, path, inputs);
  const marked = inputs.map((wire, index) =>
    system.addProduct(`${path}.marked[${index}]`, [[isLabel[index] ?? one, 1n]], [[wire, 1n]]),
  );
  const max = system.addLinear(`${path}.max`, sumOf(marked));
  const label = system.addLinear(
    `${path}.label`,
    isLabel.slice(1).map((wire, index) => [wire, BigInt(index + 1)]),
  );
  inputs.forEach((wire, index) => {
    const isLater: Combination = isLabel.slice(index + 1).map((mark) => [mark, -1n]);
    addLowerBits(system, `${path}.gap[${index}]`, [[max, 1n], [wire, -1n], ...isLater], { count: bits });
  });
  return { label, max };
}

function addMarks(system: ConstraintSystem, path: string, inputs: readonly number[]): number[] {
  const isLabel = system.addWires(`${path}.isLabel`, inputs.length);
  for (const wire of isLabel) addBooleanCheck(system, wire);
  system.constrainZero([[one, -1n], ...sumOf(isLabel)]);
  system.steps.push((values) => {
    const best = firstLargest(inputs.map((wire) => Number(toSigned(wireValue(values, wire)))));
    isLabel.forEach((wire, index) => {
      values[wire] = index === best ? 1n : 0n;
    });
  });
  return isLabel;
}

function sumOf(wires: readonly number[]): Combination {
  return wires.map((wire) => [wire, 1n]);
}
