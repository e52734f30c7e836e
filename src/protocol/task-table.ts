/**
 * Stage 2: the waiting tasks as columns of numbers: 200,000 and more are in memory at once, and none of them is an object that
 * the collector must visit. A task is its row; rows of tasks that are gone are used again. Mutable and deterministic.
 */
import { InferiumError } from "../base/errors.ts";
import type { Lane } from "./lane.ts";
import { TaskHeaps } from "./task-heap.ts";

export class TaskTable {
  #keys = new Float64Array(startRows);
  #models = new Int32Array(startRows);
  readonly #ids: string[] = [""];
  readonly #lanes: (Lane | undefined)[] = [undefined];
  readonly #rows = new Map<string, number>();
  readonly #free: number[] = [];
  /** Of a lane, and of one model in it. */
  readonly byLane: TaskHeaps;
  readonly byModel: TaskHeaps;

  constructor() {
    const isBefore = (a: number, b: number) => this.isBefore(a, b);
    this.byLane = new TaskHeaps(startRows, isBefore);
    this.byModel = new TaskHeaps(startRows, isBefore);
  }

  get size(): number {
    return this.#rows.size;
  }

  ids(): IterableIterator<string> {
    return this.#rows.keys();
  }

  rowOf(id: string): number | undefined {
    return this.#rows.get(id);
  }

  idOf(row: number): string {
    return this.#ids[row] as string;
  }

  keyOf(row: number): number {
    return this.#keys[row] as number;
  }

  modelOf(row: number): number {
    return this.#models[row] as number;
  }

  laneOf(row: number): Lane | undefined {
    return this.#lanes[row];
  }

  /** The smaller key, and of equal ones the smaller id. */
  isBefore(a: number, b: number): boolean {
    const [left, right] = [this.#keys[a] as number, this.#keys[b] as number];
    return left < right || (left === right && (this.#ids[a] as string) < (this.#ids[b] as string));
  }

  /** @returns its row */
  add(id: string, { key, model, lane }: { readonly key: number; readonly model: number; readonly lane: Lane }): number {
    const row = this.#free.pop() ?? this.#ids.length;
    if (row >= this.#keys.length) this.#grow(this.#keys.length * 2);
    this.#keys[row] = key;
    this.#models[row] = model;
    this.#ids[row] = id;
    this.#lanes[row] = lane;
    this.#rows.set(id, row);
    return row;
  }

  remove(row: number): void {
    this.#rows.delete(this.idOf(row));
    this.#ids[row] = "";
    this.#lanes[row] = undefined;
    this.#free.push(row);
  }

  #grow(rows: number): void {
    const [keys, models] = [this.#keys, this.#models];
    this.#keys = new Float64Array(rows);
    this.#keys.set(keys);
    this.#models = new Int32Array(rows);
    this.#models.set(models);
    this.byLane.grow(rows);
    this.byModel.grow(rows);
  }
}

const startRows = 64;

/** A key that is no number would break the order silently. @throws InferiumError InvalidQueueKey */
export function checkedKey(key: number): number {
  if (Number.isFinite(key)) return key;
  throw new InferiumError("InvalidQueueKey", `A queue key is ${key}; expected a finite number.`);
}
