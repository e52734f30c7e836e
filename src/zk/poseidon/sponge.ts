/**
 * Poseidon as a sponge, one element of whose state is capacity and the others rate: "constant-input-length hashing" of the
 * Poseidon paper, section 4.2. The capacity starts as length * 2^64, so that inputs of two lengths never share a state; what is
 * missing in the last block is zero. Of the widths that the paper has, a length has the one that takes the fewest S-boxes. The circuit's gadget is src/zk/circuit/sponge.ts, the template circuits/sponge.circom. Pure.
 */
import { fieldPrime } from "../field.ts";
import { countSBoxes, largestWidth, type PoseidonParameters, poseidonParameters } from "./constants.ts";
import { partialRoundsOf } from "./partial-rounds.ts";

const widths = Array.from({ length: largestWidth - 1 }, (_, index) => 2 + index);

/** Elements in the state for inputs of this length: of two widths that take as many S-boxes the smaller one. */
export function spongeWidthOf(length: number): number {
  const countBoxes = (width: number) => Math.max(1, Math.ceil(length / (width - 1))) * countSBoxes(width);
  return widths.reduce((best, width) => (countBoxes(width) < countBoxes(best) ? width : best));
}

/** The capacity's first value. */
export function domainTagOf(length: number): bigint {
  return BigInt(length) << 64n;
}

/** @param elements field elements; their number is part of what is hashed */
export function hashElements(elements: readonly bigint[]): bigint {
  const parameters = poseidonParameters(spongeWidthOf(elements.length));
  const rate = parameters.width - 1;
  let state: bigint[] = [domainTagOf(elements.length), ...new Array<bigint>(rate).fill(0n)];
  for (let start = 0; start < elements.length; start += rate) {
    const block = elements.slice(start, start + rate);
    state = permute(
      state.map((value, lane) => value + (block[lane - 1] ?? 0n)),
      parameters,
    );
  }
  return state[1] ?? 0n;
}

export function permute(input: readonly bigint[], parameters: PoseidonParameters): bigint[] {
  const half = parameters.fullRounds / 2;
  let state = input.map((value) => value % fieldPrime);
  for (let round = 0; round < half; round++) state = applyFullRound(state, round, parameters);
  state = applyPartialRounds(state, parameters);
  for (let round = half; round < parameters.fullRounds; round++) {
    state = applyFullRound(state, parameters.partialRounds + round, parameters);
  }
  return state;
}

function applyFullRound(
  state: readonly bigint[],
  round: number,
  { roundConstants, matrix }: PoseidonParameters,
): bigint[] {
  const constants = roundConstants[round] ?? [];
  const boxed = state.map((value, lane) => fifthPower((value + (constants[lane] ?? 0n)) % fieldPrime));
  return matrix.map((row) => sumProducts(row, boxed));
}

/** A third of the multiplications that going round by round would take. */
function applyPartialRounds(state: readonly bigint[], parameters: PoseidonParameters): bigint[] {
  const { inputs, after } = partialRoundsOf(parameters);
  const known = [1n, ...state];
  for (const input of inputs) known.push(fifthPower(sumProducts(input, known)));
  return after.map((coefficients) => sumProducts(coefficients, known));
}

/** Over as many as there are coefficients; reduced once, at the end. */
function sumProducts(coefficients: readonly bigint[], values: readonly bigint[]): bigint {
  let sum = 0n;
  for (let index = 0; index < coefficients.length; index++) {
    sum += (coefficients[index] as bigint) * (values[index] as bigint);
  }
  return sum % fieldPrime;
}

export function fifthPower(value: bigint): bigint {
  const square = (value * value) % fieldPrime;
  return (((square * square) % fieldPrime) * value) % fieldPrime;
}
