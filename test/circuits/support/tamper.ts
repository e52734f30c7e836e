/**
 * Witnesses that lie. Two kinds of lie about a wire: the wire alone is changed, or everything that follows from it is computed again
 * with it, as a prover would who cheats in one place. Either must break a constraint.
 */
import { fieldPrime, mod } from "../../../src/zk/field.ts";
import { type Combination, type ConstraintSystem, one } from "../../../src/zk/r1cs/constraint-system.ts";
import type { Constraint } from "../../../src/zk/r1cs/r1cs-file.ts";
import { wiresOf } from "./determinism.ts";

/** Constraints by wire, to ask many times about one wire. */
export class TouchingConstraints {
  readonly #touching = new Map<number, Constraint[]>();

  constructor(constraints: readonly Constraint[]) {
    for (const constraint of constraints) {
      for (const wire of wiresOf(constraint)) {
        const list = this.#touching.get(wire) ?? [];
        this.#touching.set(wire, list);
        list.push(constraint);
      }
    }
  }

  /** A lie shows next to the wire it is told about, mostly: these constraints are looked at before all of them. */
  areSatisfiedBeside(wire: number, values: readonly bigint[]): boolean {
    return areSatisfied(this.#touching.get(wire) ?? [], values);
  }

  /** Other values of the wire, alone, that no constraint refuses. */
  findAccepted(witness: readonly bigint[], wire: number): bigint[] {
    const value = witness[wire] ?? 0n;
    const values = [0n, 1n, 1n - value, value + 1n, value - 1n, -value, 2n * value, value + 256n, value ^ 0x5555n];
    const others = new Set(values.map(mod).filter((other) => other !== value));
    const constraints = this.#touching.get(wire) ?? [];
    return [...others].filter((other) => areSatisfied(constraints, witness.with(wire, other)));
  }
}

/** @param lies values of wires, whatever their steps compute; what follows from them is computed with these */
export function computeWitness(
  system: ConstraintSystem,
  inputs: ReadonlyMap<number, bigint>,
  lies: ReadonlyMap<number, bigint> = new Map(),
): bigint[] {
  const values = new Array<bigint>(system.wireCount).fill(0n);
  values[one] = 1n;
  for (const [wire, value] of inputs) values[wire] = mod(value);
  for (const step of system.steps) {
    step(values);
    for (const [wire, value] of lies) values[wire] = mod(value);
  }
  return values;
}

export function areSatisfied(constraints: readonly Constraint[], values: readonly bigint[]): boolean {
  const sum = (terms: Combination) => terms.reduce((total, [wire, k]) => total + k * (values[wire] ?? 0n), 0n);
  return constraints.every(({ a, b, c }) => (sum(a) * sum(b) - sum(c)) % fieldPrime === 0n);
}
