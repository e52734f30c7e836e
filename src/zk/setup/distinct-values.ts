/** Elements of the scalar field by number, each once. Called by read-terms.ts and group-rows.ts. Effects: none outside itself. */
import { readElement, writeElement } from "../field.ts";

/** The number of the value 1. */
export const one = 0;

const elementBytes = 32;
/** Where values differ too much to look for equal ones, looking costs more memory than it saves. */
const mostLookedUp = 1 << 20;

export class DistinctValues {
  readonly #known = new Map<bigint, number>();
  #bytes = new Uint8Array(elementBytes * 1024);
  #count = 0;

  constructor() {
    this.add(1n);
  }

  get count(): number {
    return this.#count;
  }

  /** 32 bytes each, little-endian. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#count * elementBytes);
  }

  at(index: number): bigint {
    return readElement(this.#bytes, index * elementBytes);
  }

  /** @returns its number */
  add(value: bigint): number {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const place = this.#count++;
    if (place * elementBytes === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    writeElement(value, this.#bytes, place * elementBytes);
    if (place < mostLookedUp) this.#known.set(value, place);
    return place;
  }
}
