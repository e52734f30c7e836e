/**
 * The rows of A, B and C, one for each constraint, put together where they are equal, or equal once a common factor is taken out. The
 * points that go with equal rows are added before anything is multiplied: rows of a hash function are long, and most stand twice in B and
 * once in A. A row that is small but for its factor becomes one of small numbers. Called by first-key.ts. Pure.
 */
import { CommonFactor } from "./common-factor.ts";
import { one } from "./distinct-values.ts";
import type { CircuitSize, Terms } from "./read-terms.ts";

/** All of it in shared memory. */
export interface RowGroups {
  readonly groupCount: number;
  /** The rows of each group: from rowStarts[group] to rowStarts[group + 1]. */
  readonly rowStarts: Uint32Array;
  /** Three times its constraint, and 0 for A, 1 for B, 2 for C. */
  readonly rows: Uint32Array;
  /** The group times this value is the row. */
  readonly rowFactors: Uint32Array;
  /** Where each group has rows: 1 in A, 2 in B, 4 in C, added. */
  readonly sides: Uint8Array;
  /** The groups of each wire: from wireStarts[wire] to wireStarts[wire + 1]. */
  readonly wireStarts: Uint32Array;
  readonly wireGroups: Uint32Array;
  readonly wireCoefficients: Uint32Array;
  /** Coefficients and factors, 32 bytes each, little-endian. */
  readonly values: Uint8Array;
}

/** With a row of A for the constant and each public wire, after all constraints, that holds it alone. */
export function groupRows(terms: Terms, size: CircuitSize): RowGroups {
  const grouping = new Grouping(terms);
  for (let row = 0; row < terms.ends.length; row++) grouping.addRow(row);
  for (let wire = 0; wire <= size.publicCount; wire++) grouping.addPublic(wire, 3 * (size.constraintCount + wire));
  return grouping.finish(size.wireCount);
}

interface Group {
  readonly wires: Uint32Array;
  readonly coefficients: Uint32Array;
}

class Grouping {
  readonly #terms: Terms;
  readonly #factors: CommonFactor;
  /** By a hash of what a row holds. */
  readonly #known = new Map<number, number>();
  readonly #groups: Group[] = [];
  readonly #rows: number[] = [];
  readonly #rowGroups: number[] = [];
  readonly #rowFactors: number[] = [];

  constructor(terms: Terms) {
    this.#terms = terms;
    this.#factors = new CommonFactor(terms.values);
  }

  addRow(row: number): void {
    const { ends, wires, coefficients } = this.#terms;
    const [start, end] = [row === 0 ? 0 : (ends[row - 1] as number), ends[row] as number];
    if (start === end) return;
    const found = coefficients.subarray(start, end);
    const factor = this.#factors.find(found);
    const own = factor === one ? found : found.map((index) => this.#factors.divide(index, factor));
    this.#place(row, { wires: wires.subarray(start, end), coefficients: own }, factor);
  }

  addPublic(wire: number, row: number): void {
    this.#place(row, { wires: Uint32Array.of(wire), coefficients: Uint32Array.of(one) }, one);
  }

  finish(wireCount: number): RowGroups {
    const groupCount = this.#groups.length;
    const values = new Uint8Array(new SharedArrayBuffer(this.#terms.values.bytes.length));
    values.set(this.#terms.values.bytes);
    return { groupCount, ...this.#sortRows(groupCount), ...this.#sortByWire(wireCount), values };
  }

  #place(row: number, group: Group, factor: number): void {
    this.#rows.push(row);
    this.#rowGroups.push(this.#find(group));
    this.#rowFactors.push(factor);
  }

  #find(group: Group): number {
    const hash = hashGroup(group);
    const known = this.#known.get(hash);
    if (known !== undefined && isSame(this.#groups[known] as Group, group)) return known;
    const number = this.#groups.push(group) - 1;
    this.#known.set(hash, number);
    return number;
  }

  #sortRows(groupCount: number): Pick<RowGroups, "rowStarts" | "rows" | "rowFactors" | "sides"> {
    const rowStarts = countStarts(this.#rowGroups, groupCount);
    const next = rowStarts.slice();
    const [rows, rowFactors] = [shareWords(this.#rows.length), shareWords(this.#rows.length)];
    const sides = new Uint8Array(new SharedArrayBuffer(groupCount));
    for (const [index, group] of this.#rowGroups.entries()) {
      const place = next[group] as number;
      next[group] = place + 1;
      rows[place] = this.#rows[index] as number;
      rowFactors[place] = this.#rowFactors[index] as number;
      sides[group] = (sides[group] as number) | (1 << ((this.#rows[index] as number) % 3));
    }
    return { rowStarts, rows, rowFactors, sides };
  }

  #sortByWire(wireCount: number): Pick<RowGroups, "wireStarts" | "wireGroups" | "wireCoefficients"> {
    const wireStarts = shareWords(wireCount + 1);
    for (const { wires } of this.#groups)
      for (const wire of wires) wireStarts[wire + 1] = (wireStarts[wire + 1] as number) + 1;
    accumulate(wireStarts);
    const next = wireStarts.slice();
    const total = wireStarts[wireCount] as number;
    const [wireGroups, wireCoefficients] = [shareWords(total), shareWords(total)];
    for (const [group, { wires, coefficients }] of this.#groups.entries()) {
      for (const [index, wire] of wires.entries()) {
        const place = next[wire] as number;
        next[wire] = place + 1;
        wireGroups[place] = group;
        wireCoefficients[place] = coefficients[index] as number;
      }
    }
    return { wireStarts, wireGroups, wireCoefficients };
  }
}

/** FNV-1a over words. */
function hashGroup({ wires, coefficients }: Group): number {
  let hash = 2166136261;
  for (let index = 0; index < wires.length; index++) {
    hash = Math.imul(hash ^ (wires[index] as number), 16777619);
    hash = Math.imul(hash ^ (coefficients[index] as number), 16777619);
  }
  return hash;
}

function isSame(left: Group, right: Group): boolean {
  return isEqual(left.wires, right.wires) && isEqual(left.coefficients, right.coefficients);
}

function isEqual(left: Uint32Array, right: Uint32Array): boolean {
  return left.length === right.length && left.every((word, index) => word === right[index]);
}

function countStarts(numbers: readonly number[], count: number): Uint32Array {
  const starts = shareWords(count + 1);
  for (const number of numbers) starts[number + 1] = (starts[number + 1] as number) + 1;
  accumulate(starts);
  return starts;
}

/** From counts, each one place late, to where each begins. */
function accumulate(counts: Uint32Array): void {
  for (let index = 1; index < counts.length; index++)
    counts[index] = (counts[index] as number) + (counts[index - 1] as number);
}

function shareWords(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(4 * length));
}
