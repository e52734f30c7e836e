/**
 * The factor of a row whose other coefficients are small once it is taken out, such as a sum of bits that a circuit's compiler has
 * divided by a power of two. Called by group-rows.ts. Pure but for the values that it adds.
 */
import { fieldPrime, invert } from "../field.ts";
import { type DistinctValues, one } from "./distinct-values.ts";

/** Coefficients from here on, of either sign, take a multiplication of full length. */
const smallLimit = 1n << 32n;
/** Of a row's coefficients: how many are tried as its factor, and on how many others each is tried. */
const [mostTried, mostTriedOn] = [4, 8];

export class CommonFactor {
  readonly #values: DistinctValues;
  readonly #inverses = new Map<number, bigint>();

  constructor(values: DistinctValues) {
    this.#values = values;
  }

  /** @param row numbers of values @returns the number of the factor; that of one where none helps */
  find(row: Uint32Array): number {
    const large = row.filter((index) => !isSmall(this.#values.at(index)));
    if (large.length < 2) return one;
    const sample = large.subarray(0, mostTriedOn);
    for (const factor of sample.subarray(0, mostTried)) {
      const smaller = sample.filter((index) => isSmall(this.#quotient(index, factor)));
      if (2 * smaller.length > sample.length) return factor;
    }
    return one;
  }

  /** @returns the number of the quotient */
  divide(index: number, factor: number): number {
    return this.#values.add(this.#quotient(index, factor));
  }

  #quotient(index: number, factor: number): bigint {
    let inverse = this.#inverses.get(factor);
    if (inverse === undefined) {
      inverse = invert(this.#values.at(factor));
      this.#inverses.set(factor, inverse);
    }
    return (this.#values.at(index) * inverse) % fieldPrime;
  }
}

function isSmall(value: bigint): boolean {
  return value < smallLimit || fieldPrime - value < smallLimit;
}
