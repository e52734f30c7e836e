/**
 * Constraints in the encoding of iden3's r1cs files: for each of A, B and C the number of terms, then wire (u32) and
 * coefficient (32 bytes), little-endian, wires ascending. Grows as it is written to. Called by constraint-system.ts.
 */
import { mod, writeElement } from "../field.ts";
import type { Combination, Term } from "./constraint-system.ts";

const termBytes = 4 + 32;
const initialBytes = 1 << 20;

export class ConstraintWriter {
  count = 0;
  #buffer = Buffer.alloc(initialBytes);
  #length = 0;

  add(a: Combination, b: Combination, c: Combination): void {
    this.#reserve(12 + termBytes * (a.length + b.length + c.length));
    for (const combination of [a, b, c]) this.#write(combination);
    this.count += 1;
  }

  /** What has been written. Valid until the next `add`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #write(combination: Combination): void {
    this.#length = this.#buffer.writeUInt32LE(combination.length, this.#length);
    for (const [wire, coefficient] of sortByWire(combination)) {
      this.#length = this.#buffer.writeUInt32LE(wire, this.#length);
      writeElement(mod(coefficient), this.#buffer, this.#length);
      this.#length += 32;
    }
  }

  #reserve(bytes: number): void {
    const wanted = this.#length + bytes;
    if (wanted <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.#buffer.length, wanted));
    larger.set(this.bytes);
    this.#buffer = larger;
  }
}

function sortByWire(combination: Combination): Combination {
  const isSorted = combination.every(([wire], index) => index === 0 || wire > (combination[index - 1] as Term)[0]);
  return isSorted ? combination : combination.toSorted(([left], [right]) => left - right);
}
