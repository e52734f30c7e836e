/**
 * A circuit's sums on one thread: the points of groups of rows, and with them the points of wires. Called by setup-thread.ts.
 * Effects: the summer's memory.
 */
import { readElement } from "../field.ts";
import type { PointSummer, PointSums } from "./point-summer.ts";
import { type RecodedScalar, recodeScalar } from "./recode-scalar.ts";
import type { CircuitData, WireSum } from "./sum-task.ts";

/** Of recoded values; a circuit with more different ones recodes some of them again. */
const mostRecoded = 1 << 15;
/** Sides of the constraints that a sum is over, as RowGroups has them. */
const sidesOf: Readonly<Record<WireSum, number>> = { a: 1, b1: 2, b2: 2, statement: 7 };
/** A table of points for each side; told from all others by a number before theirs. */
interface Table {
  readonly points: Uint8Array;
  readonly number: number;
}

export class CircuitSums {
  readonly #data: CircuitData;
  readonly #recoded = new Map<number, RecodedScalar>();

  constructor(data: CircuitData) {
    this.#data = data;
  }

  sumGroups(summer: PointSummer, sum: WireSum, from: number, to: number): PointSums {
    const { rowStarts, rows, rowFactors } = this.#data.groups;
    const tables = tablesOf(sum, this.#data);
    summer.begin(to - from);
    for (let group = from; group < to; group++) {
      for (let entry = rowStarts[group] as number; entry < (rowStarts[group + 1] as number); entry++) {
        const row = rows[entry] as number;
        const table = tables[row % 3];
        if (table === undefined) continue;
        const constraint = Math.floor(row / 3);
        summer.add(group - from, { ...table, index: constraint }, this.#recode(rowFactors[entry] as number));
      }
    }
    return summer.finish(to - from);
  }

  sumWires(summer: PointSummer, sum: WireSum, from: number, to: number): PointSums {
    const { wireStarts, wireGroups, wireCoefficients, sides } = this.#data.groups;
    const table = { points: this.#data.groupPoints[sum], number: groupTables[sum] };
    summer.begin(to - from);
    for (let wire = from; wire < to; wire++) {
      for (let entry = wireStarts[wire] as number; entry < (wireStarts[wire + 1] as number); entry++) {
        const group = wireGroups[entry] as number;
        if (((sides[group] as number) & sidesOf[sum]) === 0) continue;
        summer.add(wire - from, { ...table, index: group }, this.#recode(wireCoefficients[entry] as number));
      }
    }
    return summer.finish(to - from);
  }

  #recode(value: number): RecodedScalar {
    const known = this.#recoded.get(value);
    if (known !== undefined) return known;
    if (this.#recoded.size >= mostRecoded) this.#recoded.clear();
    const recoded = recodeScalar(readElement(this.#data.groups.values, 32 * value));
    this.#recoded.set(value, recoded);
    return recoded;
  }
}

const groupTables: Readonly<Record<WireSum, number>> = { a: 4, b1: 5, b2: 6, statement: 7 };

/** By side; none where the sum is not over the side. */
function tablesOf(sum: WireSum, { lagrange }: CircuitData): readonly (Table | undefined)[] {
  const g1 = { points: lagrange.g1, number: 0 };
  switch (sum) {
    case "a":
      return [g1];
    case "b1":
      return [undefined, g1];
    case "b2":
      return [undefined, { points: lagrange.g2, number: 3 }];
    case "statement":
      return [{ points: lagrange.betaG1, number: 1 }, { points: lagrange.alphaG1, number: 2 }, g1];
  }
}
