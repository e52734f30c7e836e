/**
 * Poseidon's partial rounds as linear algebra: only one element of the state passes the S-box in each, so that all else is a
 * fixed linear combination of the elements before them and of the S-boxes' results so far. It depends on nothing but the
 * constants and is computed once; carried along term by term, it was most of the time that compiling a circuit took. Pure.
 */
import { fieldPrime } from "../field.ts";
import type { PoseidonParameters } from "./constants.ts";

/** Coefficients of: the constant one, the state's elements before these rounds, the results of the S-boxes so far. */
type Coefficients = readonly bigint[];

export interface PartialRounds {
  /** What enters the S-box of each round. */
  readonly inputs: readonly Coefficients[];
  /** The state after the last of the rounds. */
  readonly after: readonly Coefficients[];
}

const known = new WeakMap<PoseidonParameters, PartialRounds>();

export function partialRoundsOf(parameters: PoseidonParameters): PartialRounds {
  const made = known.get(parameters) ?? computePartialRounds(parameters);
  known.set(parameters, made);
  return made;
}

function computePartialRounds({
  width,
  fullRounds,
  partialRounds,
  roundConstants,
  matrix,
}: PoseidonParameters): PartialRounds {
  const inputs: Coefficients[] = [];
  let state: bigint[][] = Array.from({ length: width }, (_, lane) =>
    Array.from({ length: 1 + width }, (_, index) => (index === lane + 1 ? 1n : 0n)),
  );
  for (let round = 0; round < partialRounds; round++) {
    const constants = roundConstants[fullRounds / 2 + round] ?? [];
    state.forEach((lane, index) => {
      lane[0] = (lane[0] as bigint) + (constants[index] as bigint);
    });
    const [first = [], ...others] = state;
    inputs.push(first);
    const result = [...new Array<bigint>(first.length).fill(0n), 1n];
    const boxed = [result, ...others.map((lane) => [...lane, 0n])];
    state = matrix.map((row) =>
      result.map((_, column) => {
        let sum = 0n;
        for (let lane = 0; lane < width; lane++)
          sum += (row[lane] as bigint) * ((boxed[lane] as bigint[])[column] as bigint);
        return sum % fieldPrime;
      }),
    );
  }
  return { inputs, after: state };
}
