/**
 * A rank-1 constraint system under construction, A * B = C over linear combinations of wires, and with it the program that
 * fills in the wires. Gadgets in src/zk/circuit add to it. Constraints are encoded at once: a layer of 400,000 weights is held
 * as bytes and never as objects. Effects: none outside itself.
 */
import { InferiumError } from "../../base/errors.ts";
import { mod } from "../field.ts";
import { ConstraintWriter } from "./constraint-writer.ts";

/** A coefficient times a wire. Wire 0 is the constant one. Each wire stands at most once in a combination. */
export type Term = readonly [wire: number, coefficient: bigint];
export type Combination = readonly Term[];

export const one = 0;

/** Fills wires from wires that are known already. */
export type WitnessStep = (values: bigint[]) => void;

export interface ConstraintSystemOptions {
  /** Collects the names that circom gives to the same wires. For tests: names cost time and memory. */
  readonly names?: Map<string, number>;
}

export class ConstraintSystem {
  readonly constraints = new ConstraintWriter();
  readonly steps: WitnessStep[] = [];
  readonly #names: Map<string, number> | undefined;
  #wires = 1;

  constructor(options: ConstraintSystemOptions = {}) {
    this.#names = options.names;
  }

  get wireCount(): number {
    return this.#wires;
  }

  /** @param name as in circom's symbol file */
  addWire(name: string): number {
    const wire = this.#wires++;
    this.alias(wire, name);
    return wire;
  }

  addWires(name: string, count: number): number[] {
    return Array.from({ length: count }, (_, index) => this.addWire(`${name}[${index}]`));
  }

  /** Another name of a wire: a component's input, which circom drops as equal to what it was given. */
  alias(wire: number, name: string): void {
    this.#names?.set(name, wire);
  }

  /** a * b = c */
  constrain(a: Combination, b: Combination, c: Combination): void {
    this.constraints.add(a, b, c);
  }

  /** combination = 0. Held in C alone, which costs the prover nothing. */
  constrainZero(combination: Combination): void {
    this.constraints.add([], [], combination);
  }

  /** A wire that is the combination, and the step that computes it. Where that is another wire alone, it serves itself. */
  addLinear(name: string, combination: Combination): number {
    const [first] = combination;
    if (combination.length === 1 && first?.[0] !== one && first?.[1] === 1n) {
      this.alias(first[0], name);
      return first[0];
    }
    const wire = this.addWire(name);
    this.assignLinear(wire, combination);
    return wire;
  }

  /** The same for a wire that exists: an output. */
  assignLinear(wire: number, combination: Combination): void {
    this.constrainZero([...combination, [wire, -1n]]);
    this.steps.push((values) => {
      values[wire] = evaluate(combination, values);
    });
  }

  addProduct(name: string, a: Combination, b: Combination): number {
    const wire = this.addWire(name);
    this.constrain(a, b, [[wire, 1n]]);
    this.steps.push((values) => {
      values[wire] = mod(evaluate(a, values) * evaluate(b, values));
    });
    return wire;
  }

  /** @param inputs values of the input wires by number @returns a value for each wire */
  computeWitness(inputs: ReadonlyMap<number, bigint>): bigint[] {
    const values = new Array<bigint>(this.#wires).fill(0n);
    values[one] = 1n;
    for (const [wire, value] of inputs) values[wire] = value;
    for (const step of this.steps) step(values);
    return values;
  }
}

export function evaluate(combination: Combination, values: readonly bigint[]): bigint {
  let sum = 0n;
  for (const [wire, coefficient] of combination) sum += coefficient * wireValue(values, wire);
  return mod(sum);
}

export function wireValue(values: readonly bigint[], wire: number): bigint {
  const value = values[wire];
  if (value !== undefined) return value;
  throw new InferiumError("InvalidWitness", `Wire ${wire} has no value; the witness holds ${values.length}.`);
}

/** The sum of scaled combinations, with each wire once and none with coefficient zero. */
export function combine(parts: Iterable<readonly [factor: bigint, combination: Combination]>): Combination {
  const sum = new Map<number, bigint>();
  for (const [factor, combination] of parts) {
    for (const [wire, coefficient] of combination) sum.set(wire, mod((sum.get(wire) ?? 0n) + factor * coefficient));
  }
  return [...sum].filter(([, coefficient]) => coefficient !== 0n);
}
