/**
 * Stage 2: the tasks that wait or run, as rows of numbers: 200,000 and more are in memory at once, and none of them is an object
 * that the collector must visit. A task is its row; rows of tasks that are gone are used again. Mutable and deterministic.
 */
import { InferiumError } from "../base/errors.ts";
import type { Tenant } from "./fair-share.ts";
import type { RankedRunning } from "./outrank.ts";
import { TaskHeaps } from "./task-heap.ts";
import { cell, keyStride, stride, TaskRows, taskStates } from "./task-rows.ts";

/** On whose account a task waits or runs, and how much of a quota it takes. */
export interface Holding {
  readonly tenant: Tenant;
  readonly units: number;
}

/** Which tasks go before it. */
export interface Rank {
  readonly key: number;
  readonly priority: number;
}

interface NewTask<Lane> extends Rank {
  readonly model: number;
  readonly lane: Lane;
}

type State = (typeof taskStates)[keyof typeof taskStates];

export class TaskTable<Lane extends Holding> {
  readonly #cells = new TaskRows();
  readonly #ids: string[] = [""];
  readonly #holdings: (Lane | Holding | undefined)[] = [undefined];
  readonly #rows = new Map<string, number>();
  readonly #free: number[] = [];
  /** Of a lane, and of one model in it. */
  readonly byLane: TaskHeaps;
  readonly byModel: TaskHeaps;
  waiting = 0;
  running = 0;

  constructor() {
    const isEqualBefore = (a: number, b: number) => (this.#ids[a] as string) < (this.#ids[b] as string);
    this.byLane = new TaskHeaps(this.#cells, cell.laneHeap, isEqualBefore);
    this.byModel = new TaskHeaps(this.#cells, cell.modelHeap, isEqualBefore);
  }

  *waitingIds(): IterableIterator<string> {
    for (const [id, row] of this.#rows) if (this.#stateOf(row) === taskStates.Waiting) yield id;
  }

  /** Row of a task that waits; 0 where it does not. */
  waitingRow(id: string): number {
    const row = this.#rows.get(id) ?? 0;
    return this.#stateOf(row) === taskStates.Waiting ? row : 0;
  }

  /** Row of a task that runs; 0 where it does not. */
  runningRow(id: string): number {
    const row = this.#rows.get(id) ?? 0;
    return this.#stateOf(row) >= taskStates.Running ? row : 0;
  }

  idOf(row: number): string {
    return this.#ids[row] as string;
  }

  keyOf(row: number): number {
    return this.#cells.keys[keyStride * row] as number;
  }

  priorityOf(row: number): number {
    return this.#cells.cells[stride * row + cell.priority] as number;
  }

  modelOf(row: number): number {
    return this.#cells.cells[stride * row + cell.model] as number;
  }

  /** Of a row that waits. */
  laneOf(row: number): Lane {
    return this.#holdings[row] as Lane;
  }

  holdingOf(row: number): Holding {
    return this.#holdings[row] as Holding;
  }

  isEnding(row: number): boolean {
    return this.#stateOf(row) === taskStates.Ending;
  }

  setEnding(row: number, isEnding: boolean): void {
    this.#setState(row, isEnding ? taskStates.Ending : taskStates.Running);
  }

  /** The smaller key, and of equal ones the smaller id. */
  isBefore(a: number, b: number): boolean {
    return this.byLane.isBefore(a, b);
  }

  /** @returns the row of a task that waits from now on */
  add(id: string, { key, priority, model, lane }: NewTask<Lane>): number {
    const row = this.#open(id, lane);
    this.#setRank(row, { key, priority });
    this.#cells.cells[stride * row + cell.model] = model;
    this.#setState(row, taskStates.Waiting);
    this.waiting++;
    return row;
  }

  /** What waited runs now. */
  start(row: number): void {
    this.waiting--;
    this.#run(row);
  }

  /** It runs already. */
  addRunning(id: string, holding: Holding, rank: Rank): void {
    const row = this.#open(id, holding);
    this.#setRank(row, rank);
    this.#run(row);
  }

  remove(row: number): void {
    if (this.#stateOf(row) === taskStates.Waiting) this.waiting--;
    else this.#end(row);
    this.#rows.delete(this.idOf(row));
    this.#ids[row] = "";
    this.#holdings[row] = undefined;
    this.#setState(row, taskStates.Free);
    this.#free.push(row);
  }

  /** What the tenants run, of each in the order of its starts. */
  runningOf(tenants: readonly Tenant[]): RankedRunning[] {
    const running: RankedRunning[] = [];
    for (const tenant of tenants)
      for (let row = tenant.lastStart; row !== 0; row = this.#cells.cells[stride * row + cell.before] as number)
        running.push({
          ...{ id: this.idOf(row), tenant, units: this.holdingOf(row).units, isEnding: this.isEnding(row) },
          ...{ key: this.keyOf(row), priority: this.priorityOf(row) },
        });
    return running.reverse();
  }

  #open(id: string, holding: Lane | Holding): number {
    const row = this.#free.pop() ?? this.#ids.length;
    if (row >= this.#cells.capacity) this.#cells.grow();
    this.#ids[row] = id;
    this.#holdings[row] = holding;
    this.#rows.set(id, row);
    return row;
  }

  #setRank(row: number, { key, priority }: Rank): void {
    this.#cells.keys[keyStride * row] = key;
    this.#cells.cells[stride * row + cell.priority] = priority;
  }

  #run(row: number): void {
    const { tenant } = this.holdingOf(row);
    const { cells } = this.#cells;
    const at = stride * row;
    cells[at + cell.state] = taskStates.Running;
    this.running++;
    // Nobody else is asked to give way.
    if (!tenant.givesWay) return;
    cells[at + cell.before] = tenant.lastStart;
    cells[at + cell.after] = 0;
    if (tenant.lastStart !== 0) cells[stride * tenant.lastStart + cell.after] = row;
    tenant.lastStart = row;
  }

  #end(row: number): void {
    const { tenant } = this.holdingOf(row);
    this.running--;
    if (!tenant.givesWay) return;
    const { cells } = this.#cells;
    const [before, after] = [cells[stride * row + cell.before] as number, cells[stride * row + cell.after] as number];
    if (before !== 0) cells[stride * before + cell.after] = after;
    if (after !== 0) cells[stride * after + cell.before] = before;
    else tenant.lastStart = before;
  }

  #stateOf(row: number): number {
    return this.#cells.cells[stride * row + cell.state] as number;
  }

  #setState(row: number, state: State): void {
    this.#cells.cells[stride * row + cell.state] = state;
  }
}

/** A key that is no number would break the order silently. @throws InferiumError InvalidQueueKey */
export function checkedKey(key: number): number {
  if (Number.isFinite(key)) return key;
  throw new InferiumError("InvalidQueueKey", `A queue key is ${key}; expected a finite number.`);
}
