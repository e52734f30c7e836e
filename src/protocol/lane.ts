/**
 * Stage 2: the waiting tasks of one tenant that ask for the same. The best of them is found without looking at the others,
 * and so is the best whose model a worker has loaded. Mutable and deterministic.
 */
import type { Column } from "./columns.ts";
import type { Tenant } from "./fair-share.ts";
import { ModelRoots } from "./model-roots.ts";
import type { Holding, TaskTable } from "./task-table.ts";

/** A task whose model is loaded goes before one that came at most so much earlier. */
export const localityMs = 1_000;

export class Lane implements Holding {
  readonly tenant: Tenant;
  readonly column: Column;
  readonly #table: TaskTable<Lane>;
  readonly #models = new ModelRoots();
  #root = 0;
  size = 0;
  /** In its tenant's list. */
  place = 0;

  constructor(tenant: Tenant, column: Column, table: TaskTable<Lane>) {
    this.tenant = tenant;
    this.column = column;
    this.#table = table;
  }

  get units(): number {
    return this.column.units;
  }

  /** Of its oldest task. */
  get headKey(): number {
    return this.#root === 0 ? Number.POSITIVE_INFINITY : this.#table.keyOf(this.#root);
  }

  /** Row of its oldest task; 0 where it is empty. */
  get head(): number {
    return this.#root;
  }

  add(row: number): void {
    const { byLane, byModel } = this.#table;
    const model = this.#table.modelOf(row);
    this.#models.set(model, byModel.insert(this.#models.get(model), row));
    this.#root = byLane.insert(this.#root, row);
    this.size++;
  }

  remove(row: number): void {
    const { byLane, byModel } = this.#table;
    const model = this.#table.modelOf(row);
    this.#models.set(model, byModel.remove(this.#models.get(model), row));
    this.#root = byLane.remove(this.#root, row);
    this.size--;
  }

  /** The best for a worker with these models loaded. */
  best(loaded: readonly number[]): number {
    let best = this.#root;
    if (this.#models.size === 1) return best;
    for (const model of loaded) {
      const row = this.#models.get(model);
      if (row !== 0 && isBetter(this.#table, row, best, loaded)) best = row;
    }
    return best;
  }

  isBeforeHeadOf(other: Lane): boolean {
    return this.#table.isBefore(this.#root, other.#root);
  }
}

/** The tenant waits for such a task from now on. */
export function openLane(tenant: Tenant, column: Column, table: TaskTable<Lane>): Lane {
  const lane = new Lane(tenant, column, table);
  column.lanes.set(tenant, lane);
  tenant.lanes.add(lane);
  return lane;
}

/** By key, with the credit of a loaded model; of equal ones by key and id alone. */
export function isBetter(table: TaskTable<Lane>, row: number, than: number, loaded: readonly number[]): boolean {
  const [a, b] = [competingKey(table, row, loaded), competingKey(table, than, loaded)];
  return a < b || (a === b && table.isBefore(row, than));
}

/** At which a task competes where these models are loaded. */
function competingKey(table: TaskTable<Lane>, row: number, loaded: readonly number[]): number {
  const key = table.keyOf(row);
  return loaded.includes(table.modelOf(row)) ? key - localityMs : key;
}
