/**
 * Many sums of points times scalars at once, by Straus' method: one pass over the digits of all scalars of a sum, doubling once for each
 * position, adding odd multiples of the points. Multiples are made when a point is first needed and kept while there is room: a
 * constraint's point is needed by every wire of the constraint. A scalar of few digits, as nearly all of ours are, costs as few additions.
 * Called by setup-thread.ts. Effects: the instance's memory.
 */
import { encodeCoordinate } from "../coordinates.ts";
import type { CurveInstance, GroupCalls } from "./curve-instance.ts";
import { betas } from "./endomorphism.ts";
import { multiples, type RecodedScalar } from "./recode-scalar.ts";

/** Sums of one call, and points whose multiples are kept. */
export const mostSums = 1024;
const mostKept = 2048;
/** Points that are needed as they are. */
const mostPlain = 4096;
/** Points whose multiples are made affine at once, for one inversion. */
const madeAtOnce = 64;

/** A point of a table; the table's number tells it from those of others. */
export interface TablePoint {
  readonly points: Uint8Array;
  readonly number: number;
  readonly index: number;
}

const tableStep = 2 ** 40;

export interface PointSums {
  /** Affine, as key files hold them. */
  readonly points: Uint8Array;
  /** The same as transcripts hash them. */
  readonly uncompressed: Uint8Array;
}

/** What a summer allocates, and how many points become affine at once. */
export function summerMemory({ affineBytes, jacobianBytes }: Pick<GroupCalls, "affineBytes" | "jacobianBytes">) {
  const sums = (mostSums + 1) * jacobianBytes + mostSums * affineBytes;
  const making = madeAtOnce * multiples * jacobianBytes + jacobianBytes;
  const bytes = sums + making + mostKept * 2 * multiples * affineBytes + mostPlain * affineBytes + 1024;
  return { bytes, points: Math.max(mostSums, madeAtOnce * multiples) };
}

export class PointSummer {
  readonly #curve: CurveInstance;
  readonly #group: GroupCalls;
  readonly #beta: number;
  readonly #sums: number;
  readonly #uncompressed: number;
  readonly #sum: number;
  readonly #kept: number;
  readonly #plain: number;
  readonly #making: number;
  readonly #double: number;
  /** Where a point's multiples are, by table and index. */
  readonly #places = new Map<number, number>();
  #unmade: number[] = [];
  #plainCount = 0;
  /** Terms that wait: the sum that each belongs to, its point, and its scalar. */
  #targets: number[] = [];
  #addresses: number[] = [];
  #scalars: RecodedScalar[] = [];

  constructor(curve: CurveInstance, group: GroupCalls) {
    this.#curve = curve;
    this.#group = group;
    const { affineBytes, jacobianBytes } = group;
    this.#beta = curve.allocate(32);
    curve.bytes.set(encodeCoordinate(betas[group.name]), this.#beta);
    this.#sums = curve.allocate(mostSums * jacobianBytes);
    this.#uncompressed = curve.allocate(mostSums * affineBytes);
    this.#sum = curve.allocate(jacobianBytes);
    this.#kept = curve.allocate(mostKept * this.#keptBytes);
    this.#plain = curve.allocate(mostPlain * affineBytes);
    this.#making = curve.allocate(madeAtOnce * multiples * jacobianBytes);
    this.#double = curve.allocate(jacobianBytes);
  }

  /** Of one point: its multiples, each followed by its image. */
  get #keptBytes(): number {
    return 2 * multiples * this.#group.affineBytes;
  }

  /** @param count how many sums; each begins at zero */
  begin(count: number): void {
    if (count > mostSums) throw new RangeError(`${count} sums at once; a summer takes ${mostSums}.`);
    for (let index = 0; index < count; index++) this.#group.zero(this.#sumAt(index));
  }

  /** Adds to a sum. Terms of one sum come one after another. */
  add(sum: number, { points, number, index }: TablePoint, scalar: RecodedScalar): void {
    if (scalar.length === 0) return;
    const id = number * tableStep + index;
    const isFull = scalar.isPlain ? this.#plainCount === mostPlain : this.#isUnknownAndFull(id);
    if (isFull) this.#flush();
    this.#targets.push(sum);
    this.#addresses.push(scalar.isPlain ? this.#copyPlain(points, index) : this.#keep(points, id, index));
    this.#scalars.push(scalar);
  }

  /** Makes a sum the difference of two affine points, as they are: also where they are no points, as snarkjs hashes some. */
  subtract(sum: number, points: Uint8Array, less: Uint8Array, index: number): void {
    this.#plainCount = 0;
    const [point, other] = [this.#copyPlain(points, index), this.#copyPlain(less, index)];
    this.#plainCount = 0;
    this.#group.subAffine(point, other, this.#sumAt(sum));
  }

  /** @returns the sums since `begin` */
  finish(count: number): PointSums {
    this.#flush();
    const { affineBytes, batchToAffine, batchLEMtoU } = this.#group;
    batchToAffine(this.#sums, count, this.#sums);
    batchLEMtoU(this.#sums, count, this.#uncompressed);
    const take = (start: number) => this.#curve.bytes.slice(start, start + count * affineBytes);
    return { points: take(this.#sums), uncompressed: take(this.#uncompressed) };
  }

  /** For points that no later sum will need. */
  forget(): void {
    this.#flush();
    this.#places.clear();
  }

  #sumAt(index: number): number {
    return this.#sums + index * this.#group.jacobianBytes;
  }

  #isUnknownAndFull(id: number): boolean {
    return this.#places.size === mostKept && !this.#places.has(id);
  }

  #copyPlain(table: Uint8Array, index: number): number {
    const { affineBytes } = this.#group;
    const place = this.#plain + affineBytes * this.#plainCount++;
    this.#curve.bytes.set(table.subarray(index * affineBytes, (index + 1) * affineBytes), place);
    return place;
  }

  #keep(table: Uint8Array, id: number, index: number): number {
    const known = this.#places.get(id);
    if (known !== undefined) return known;
    const { affineBytes } = this.#group;
    const place = this.#kept + this.#keptBytes * this.#places.size;
    this.#curve.bytes.set(table.subarray(index * affineBytes, (index + 1) * affineBytes), place);
    this.#places.set(id, place);
    this.#unmade.push(place);
    return place;
  }

  /** Adds what waits to its sums. */
  #flush(): void {
    for (let from = 0; from < this.#unmade.length; from += madeAtOnce) {
      this.#makeMultiples(this.#unmade.slice(from, from + madeAtOnce));
    }
    const targets = this.#targets;
    for (let from = 0, to = 0; from < targets.length; from = to) {
      while (to < targets.length && targets[to] === targets[from]) to++;
      this.#addTerms(from, to);
    }
    [this.#targets, this.#addresses, this.#scalars, this.#unmade] = [[], [], [], []];
    this.#plainCount = 0;
    if (this.#places.size === mostKept) this.#places.clear();
  }

  /** 1, 3, 5, ... times the point at each place, and their images, to the place. */
  #makeMultiples(places: readonly number[]): void {
    const { affineBytes, jacobianBytes, zero, double, add, addMixed, batchToAffine, scaleX } = this.#group;
    const { bytes } = this.#curve;
    places.forEach((place, index) => {
      const first = this.#making + index * multiples * jacobianBytes;
      zero(first);
      addMixed(first, place, first);
      double(first, this.#double);
      for (let step = 1; step < multiples; step++) {
        const made = first + step * jacobianBytes;
        add(made - jacobianBytes, this.#double, made);
      }
    });
    batchToAffine(this.#making, places.length * multiples, this.#making);
    places.forEach((place, index) => {
      for (let step = 0; step < multiples; step++) {
        const from = this.#making + (index * multiples + step) * affineBytes;
        const to = place + step * 2 * affineBytes;
        const image = to + affineBytes;
        bytes.copyWithin(to, from, from + affineBytes);
        bytes.copyWithin(image, from, from + affineBytes);
        scaleX(image, this.#beta, image);
      }
    });
  }

  #addTerms(from: number, to: number): void {
    const { double, zero, add } = this.#group;
    const sum = this.#sum;
    zero(sum);
    let length = 0;
    for (let term = from; term < to; term++) length = Math.max(length, (this.#scalars[term] as RecodedScalar).length);
    for (let position = length - 1; position >= 0; position--) {
      if (position < length - 1) double(sum, sum);
      for (let term = from; term < to; term++) this.#addDigits(term, position);
    }
    const target = this.#sumAt(this.#targets[from] as number);
    add(target, sum, target);
  }

  #addDigits(term: number, position: number): void {
    const { first, second } = this.#scalars[term] as RecodedScalar;
    const address = this.#addresses[term] as number;
    this.#addDigit(first[position] as number, address);
    this.#addDigit(second[position] as number, address + this.#group.affineBytes);
  }

  /** Multiples stand two points apart: each is followed by its image. */
  #addDigit(digit: number, address: number): void {
    if (digit === 0) return;
    const { affineBytes, addMixed, subMixed } = this.#group;
    if (digit > 0) addMixed(this.#sum, address + (digit - 1) * affineBytes, this.#sum);
    else subMixed(this.#sum, address + (-digit - 1) * affineBytes, this.#sum);
  }
}
