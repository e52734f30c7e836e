/**
 * Poseidon as a sponge with a state of 17 elements, 16 of rate and one of capacity: "constant-input-length hashing" of the
 * Poseidon paper, section 4.2. The capacity starts as length * 2^64, so that inputs of two lengths never share a state; what is
 * missing in the last block is zero. The circuit's gadget is src/zk/circuit/sponge.ts, the template circuits/sponge.circom. Pure.
 */
import { fieldPrime } from "../field.ts";
import { type PoseidonParameters, poseidonParameters } from "./constants.ts";

export const spongeWidth = 17;
export const spongeRate = spongeWidth - 1;

/** The capacity's first value. */
export function domainTagOf(length: number): bigint {
  return BigInt(length) << 64n;
}

/** @param elements field elements; their number is part of what is hashed */
export function hashElements(elements: readonly bigint[]): bigint {
  const parameters = poseidonParameters(spongeWidth);
  let state: bigint[] = [domainTagOf(elements.length), ...new Array<bigint>(spongeRate).fill(0n)];
  for (let start = 0; start < elements.length; start += spongeRate) {
    const block = elements.slice(start, start + spongeRate);
    state = permute(
      state.map((value, lane) => value + (block[lane - 1] ?? 0n)),
      parameters,
    );
  }
  return state[1] ?? 0n;
}

export function permute(input: readonly bigint[], parameters: PoseidonParameters): bigint[] {
  const { fullRounds, partialRounds, roundConstants, matrix } = parameters;
  let state = input.map((value) => value % fieldPrime);
  for (let round = 0; round < fullRounds + partialRounds; round++) {
    const isFull = round < fullRounds / 2 || round >= fullRounds / 2 + partialRounds;
    const constants = roundConstants[round] ?? [];
    const boxed = state.map((value, lane) => {
      const sum = (value + (constants[lane] ?? 0n)) % fieldPrime;
      return isFull || lane === 0 ? fifthPower(sum) : sum;
    });
    state = matrix.map((row) => row.reduce((sum, factor, lane) => sum + factor * (boxed[lane] ?? 0n), 0n) % fieldPrime);
  }
  return state;
}

export function fifthPower(value: bigint): bigint {
  const square = (value * value) % fieldPrime;
  return (((square * square) % fieldPrime) * value) % fieldPrime;
}
