/** Two constraint systems are compared as sets of constraints, each written in one way whatever the order and scale of its terms. */
import { fieldPrime, invert } from "../../src/zk/field.ts";
import type { Combination } from "../../src/zk/r1cs/constraint-system.ts";
import type { Constraint } from "../../src/zk/r1cs/r1cs-file.ts";

/** By wire of circom: our wire of that name. */
export function mapWires(circom: ReadonlyMap<string, number>, ours: ReadonlyMap<string, number>): number[] {
  const mapped = [0];
  for (const [name, wire] of circom) {
    const own = ours.get(name);
    if (own === undefined) throw new Error(`${name} is a signal of circom alone`);
    mapped[wire] = own;
  }
  return mapped;
}

/** One text for all ways to write a constraint: scaled, with sides changed, with terms in another order. */
export function normaliseConstraint({ a, b, c }: Constraint, wireOf = (wire: number) => wire): string {
  const sorted = (terms: Combination) =>
    terms.map(([wire, factor]) => [wireOf(wire), factor] as const).toSorted(([left], [right]) => left - right);
  const scale = (terms: Combination) => invert(sorted(terms)[0]?.[1] ?? 1n);
  const write = (terms: Combination, factor: bigint) =>
    sorted(terms)
      .map(([wire, k]) => `${wire}:${(k * factor) % fieldPrime}`)
      .join(" ");
  if (a.length === 0 || b.length === 0) return `linear ${write(c, scale(c))}`;
  const [scaleA, scaleB] = [scale(a), scale(b)];
  return [...[write(a, scaleA), write(b, scaleB)].sort(), write(c, scaleA * scaleB)].join(" | ");
}
