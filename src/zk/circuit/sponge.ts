/**
 * Poseidon's sponge (src/zk/poseidon/sponge.ts) in constraints: three for each S-box and none for the linear steps, which are
 * carried along as combinations. The template: circuits/sponge.circom.
 */
import { mod } from "../field.ts";
import { type PoseidonParameters, poseidonParameters } from "../poseidon/constants.ts";
import { partialRoundsOf } from "../poseidon/partial-rounds.ts";
import { domainTagOf, fifthPower, spongeWidthOf } from "../poseidon/sponge.ts";
import { type Combination, type ConstraintSystem, combine, one } from "../r1cs/constraint-system.ts";

/** @returns the hash as a combination, for whoever gives it a wire */
export function addSponge(system: ConstraintSystem, path: string, inputs: readonly number[]): Combination {
  inputs.forEach((wire, index) => {
    system.alias(wire, `${path}.in[${index}]`);
  });
  const parameters = poseidonParameters(spongeWidthOf(inputs.length));
  const rate = parameters.width - 1;
  const box = createSBox(system, path);
  let state: Combination[] = [[[one, domainTagOf(inputs.length)]], ...new Array<Combination>(rate).fill([])];
  for (let start = 0; start < inputs.length; start += rate) {
    const block = inputs.slice(start, start + rate);
    const absorbed = state.map((lane, index): Combination => {
      const wire = block[index - 1];
      return wire === undefined ? lane : [...lane, [wire, 1n]];
    });
    state = addPermutation(absorbed, parameters, box);
  }
  return state[1] ?? [];
}

type SBox = (input: Combination) => Combination;

/** x^5 as a wire; of a constant, a constant. */
function createSBox(system: ConstraintSystem, path: string): SBox {
  let index = 0;
  return (input) => {
    const constant = constantOf(input);
    if (constant !== undefined) return [[one, fifthPower(constant)]];
    const square = system.addProduct(`${path}.square[${index}]`, input, input);
    const fourth = system.addProduct(`${path}.fourth[${index}]`, [[square, 1n]], [[square, 1n]]);
    const fifth = system.addProduct(`${path}.fifth[${index}]`, [[fourth, 1n]], input);
    index += 1;
    return [[fifth, 1n]];
  };
}

function constantOf(combination: Combination): bigint | undefined {
  if (combination.some(([wire]) => wire !== one)) return undefined;
  return mod(combination[0]?.[1] ?? 0n);
}

function addPermutation(input: readonly Combination[], parameters: PoseidonParameters, box: SBox): Combination[] {
  const { fullRounds, partialRounds } = parameters;
  const half = fullRounds / 2;
  let state = input;
  for (let round = 0; round < half; round++) state = addFullRound(state, round, parameters, box);
  state = addPartialRounds(state, parameters, box);
  for (let round = half; round < fullRounds; round++) {
    state = addFullRound(state, partialRounds + round, parameters, box);
  }
  return [...state];
}

function addFullRound(
  state: readonly Combination[],
  round: number,
  { roundConstants, matrix }: PoseidonParameters,
  box: SBox,
): Combination[] {
  const boxed = state.map((lane, index) => {
    const constant = roundConstants[round]?.[index] ?? 0n;
    return box(
      combine([
        [1n, lane],
        [constant, [[one, 1n]]],
      ]),
    );
  });
  return matrix.map((row) => combine(boxed.map((lane, index) => [row[index] ?? 0n, lane])));
}

/** The state comes in as combinations of as many S-boxes' results: these are put in at the end, once. */
function addPartialRounds(state: readonly Combination[], parameters: PoseidonParameters, box: SBox): Combination[] {
  const { inputs, after } = partialRoundsOf(parameters);
  const known: Combination[] = [[[one, 1n]], ...state];
  const fill = (coefficients: readonly bigint[]) =>
    combine(coefficients.map((coefficient, index) => [coefficient, known[index] ?? []]));
  for (const input of inputs) known.push(box(fill(input)));
  return after.map(fill);
}
