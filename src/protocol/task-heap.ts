/**
 * Stage 2: heaps of tasks within their rows: a heap is the row at its root, and 0 is the empty one. They are skew heaps: adding, taking
 * the first and taking out any other cost logarithmic time in the mean over any sequence, without an allocation. Mutable and
 * deterministic.
 */
import { keyStride, stride, type TaskRows } from "./task-rows.ts";

export class TaskHeaps {
  readonly #rows: TaskRows;
  /** Where in a row its left child is; right child and parent follow. */
  readonly #left: number;
  /** Decides between two rows of equal keys. */
  readonly #isEqualBefore: (a: number, b: number) => boolean;

  constructor(rows: TaskRows, left: number, isEqualBefore: (a: number, b: number) => boolean) {
    this.#rows = rows;
    this.#left = left;
    this.#isEqualBefore = isEqualBefore;
  }

  /** @returns the new root */
  insert(root: number, row: number): number {
    const { cells } = this.#rows;
    const at = stride * row + this.#left;
    cells[at] = 0;
    cells[at + 1] = 0;
    cells[at + 2] = 0;
    return this.#merge(root, row);
  }

  /** @returns the new root of the heap that the row was in */
  remove(root: number, row: number): number {
    const { cells } = this.#rows;
    const left = this.#left;
    const at = stride * row + left;
    const above = cells[at + 2] as number;
    const rest = this.#merge(cells[at] as number, cells[at + 1] as number);
    if (rest !== 0) cells[stride * rest + left + 2] = above;
    if (root === row) return rest;
    const side = stride * above + left;
    cells[cells[side] === row ? side : side + 1] = rest;
    return root;
  }

  isBefore(a: number, b: number): boolean {
    const { keys } = this.#rows;
    const [left, right] = [keys[keyStride * a] as number, keys[keyStride * b] as number];
    return left < right || (left === right && this.#isEqualBefore(a, b));
  }

  /** Down the right spines, whose parts change sides on the way: that is what keeps them short. */
  #merge(a: number, b: number): number {
    if (a === 0 || b === 0) return a + b;
    const { cells } = this.#rows;
    const left = this.#left;
    const root = this.isBefore(b, a) ? b : a;
    let loser = root === a ? b : a;
    cells[stride * root + left + 2] = 0;
    for (let row = root; ; ) {
      const at = stride * row + left;
      let next = cells[at + 1] as number;
      cells[at + 1] = cells[at] as number;
      const isEnd = next === 0;
      if (isEnd || this.isBefore(loser, next)) {
        const passed = next;
        next = loser;
        loser = passed;
      }
      cells[at] = next;
      cells[stride * next + left + 2] = row;
      if (isEnd) return root;
      row = next;
    }
  }
}
