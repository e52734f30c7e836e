/**
 * Constraint systems of circom and of ours side by side: circom's constraints over our wires, and one text for all ways to write a
 * constraint.
 */
import { fieldPrime, invert } from "../../../src/zk/field.ts";
import type { Combination } from "../../../src/zk/r1cs/constraint-system.ts";
import type { Constraint } from "../../../src/zk/r1cs/r1cs-file.ts";
import type { CompiledCircom } from "../../support/compile-circom.ts";

/** By wire of circom: our wire of that name. Signals that circom alone has are an error. */
export function mapWires({ wires }: CompiledCircom, names: ReadonlyMap<string, number>): Map<number, number> {
  const mapped = new Map([[0, 0]]);
  for (const [name, wire] of wires) {
    const own = names.get(name);
    if (own === undefined) throw new Error(`${name} is a signal of circom alone`);
    mapped.set(wire, own);
  }
  return mapped;
}

/** Those of the constraints whose wires are all mapped, over the wires that they are mapped to. */
export function translate(constraints: readonly Constraint[], mapped: ReadonlyMap<number, number>): Constraint[] {
  const isMapped = (terms: Combination) => terms.every(([wire]) => mapped.has(wire));
  const move = (terms: Combination): Combination => terms.map(([wire, factor]) => [mapped.get(wire) as number, factor]);
  return constraints
    .filter(({ a, b, c }) => [a, b, c].every(isMapped))
    .map(({ a, b, c }) => ({ a: move(a), b: move(b), c: move(c) }));
}

/** Scaled, with sides changed, with terms in another order: the same text. */
export function describeConstraint({ a, b, c }: Constraint): string {
  const sorted = (terms: Combination) => terms.toSorted(([left], [right]) => left - right);
  const scale = (terms: Combination) => invert(sorted(terms)[0]?.[1] ?? 1n);
  const write = (terms: Combination, factor: bigint) =>
    sorted(terms)
      .map(([wire, k]) => `${wire}:${(k * factor) % fieldPrime}`)
      .join(" ");
  if (a.length === 0 || b.length === 0) return `linear ${write(c, scale(c))}`;
  const [scaleA, scaleB] = [scale(a), scale(b)];
  return [...[write(a, scaleA), write(b, scaleB)].sort(), write(c, scaleA * scaleB)].join(" | ");
}

export function describeAll(constraints: readonly Constraint[]): string[] {
  return constraints.map(describeConstraint).sort();
}
