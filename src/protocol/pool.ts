/**
 * Stage 2: the tasks that wait, in memory: which of them a worker gets next, by whose turn it is, then by priority and age. A
 * head that does not fit, or is over its quota, never blocks one that does. Also counts what runs, since that is what quotas
 * are about. Mutable and deterministic; no I/O.
 *
 * The order of a decision: who is within its nominal before who borrows, then the smallest tag, then the smallest key (with
 * the credit of a loaded model; of equal ones the smallest without it), then the smallest id.
 *
 * The bound on starvation, for a task t of tenant i within its nominal. No task of i that came more than 2,000 levels of aging
 * after t has a smaller key, so at most the A tasks of i go first that came before that. Each time i is given something its tag
 * grows, and no other tenant's tag is left behind by more than `maxLag`; so between two of i's turns tenant j has at most
 * 1 + (u / w_i + maxLag) * w_j of them, u being the units of i's task. t is therefore taken within (A + 1) times the sum of that over all j of the
 * decisions for workers that fit it and find quota; the two rules in quota.ts see to it that the quota comes.
 */

import { findBest } from "./best-task.ts";
import { Claimants } from "./claimants.ts";
import type { Mask } from "./column-mask.ts";
import { Columns, unitsOf } from "./columns.ts";
import { FairShare, type SharePolicies, type Tenant } from "./fair-share.ts";
import { GivingWay } from "./giving-way.ts";
import { type Lane, openLane } from "./lane.ts";
import { ModelNames } from "./model-names.ts";
import { decideLevel, placeTenant, type ShareLevel } from "./quota.ts";
import { TakeRecord, type TakeRequest } from "./take-request.ts";
import { checkedKey, TaskTable } from "./task-table.ts";
import type { Plane } from "./tenant-tree.ts";
import type { PoolEvent } from "./trace.ts";
import { Turns } from "./turns.ts";
import type { RunningAlready, WaitingTask } from "./waiting-task.ts";

export class TaskPool {
  readonly #table = new TaskTable<Lane>();
  readonly #columns = new Columns();
  readonly #models = new ModelNames();
  readonly #claimants = new Claimants();
  readonly #share: FairShare;
  readonly #tell: ((event: PoolEvent) => void) | undefined;
  readonly #turns: Turns;
  readonly #givingWay: GivingWay;

  /** @param tell hears of everything that has an effect */
  constructor(policies: SharePolicies = {}, tell?: (event: PoolEvent) => void) {
    this.#share = new FairShare(policies);
    this.#turns = new Turns(this.#share, this.#columns);
    this.#givingWay = new GivingWay(this.#share, this.#columns, this.#table);
    this.#tell = tell;
  }

  get size(): number {
    return this.#table.waiting;
  }

  /** Tasks that were taken and neither finished nor put back. */
  get running(): number {
    return this.#table.running;
  }

  has(id: string): boolean {
    return this.#table.waitingRow(id) !== 0;
  }

  get(id: string): WaitingTask | undefined {
    const row = this.#table.waitingRow(id);
    return row === 0 ? undefined : this.#describe(row);
  }

  *values(): IterableIterator<WaitingTask> {
    for (const id of this.#table.waitingIds()) {
      const task = this.get(id);
      if (task) yield task;
    }
  }

  /** Replaces a task of the same id, and one that ran: it waits again. @throws InferiumError InvalidQueueKey */
  add(task: WaitingTask): void {
    checkedKey(task.key);
    this.#tell?.({ op: "add", task });
    this.#forget(task.id);
    const column = this.#columns.of(task);
    const tenant = this.#share.tenant(task.tenant);
    const lane = column.lanes.get(tenant) ?? openLane(tenant, column, this.#table);
    this.#share.startWaiting(tenant);
    const before = lane.head;
    const { key, priority = 0 } = task;
    lane.add(this.#table.add(task.id, { key, priority, model: this.#models.use(task.model), lane }));
    if (lane.head === before) return;
    tenant.lanes.setHead(lane);
    // Without a quota it makes no difference which task is the oldest.
    if (before === 0 || tenant.nominal < Number.POSITIVE_INFINITY) this.#place(tenant);
  }

  remove(id: string): boolean {
    const row = this.#table.waitingRow(id);
    if (row === 0) return false;
    this.#tell?.({ op: "remove", id });
    this.#cancel(row);
    return true;
  }

  #cancel(row: number): void {
    const lane = this.#table.laneOf(row);
    this.#leave(row, lane);
    this.#table.remove(row);
    this.#place(lane.tenant);
    this.#share.forget(lane.tenant);
  }

  /** It runs already, by what a status says: it counts against its tenant's quota. */
  occupy(task: RunningAlready): void {
    if (this.#table.runningRow(task.id) !== 0) return;
    this.#tell?.({ op: "occupy", task });
    this.#forget(task.id);
    const tenant = this.#share.tenant(task.tenant);
    const units = unitsOf(task.requirements);
    this.#share.occupy(tenant, units);
    // Of which no key is known goes before all others: nobody has it give way.
    const { key = Number.NEGATIVE_INFINITY, priority = 0 } = task;
    this.#table.addRunning(task.id, { tenant, units }, { key, priority });
    this.#place(tenant);
  }

  /** It runs no more: what it took is free again. */
  finish(id: string): void {
    const row = this.#table.runningRow(id);
    if (row === 0) return;
    this.#tell?.({ op: "finish", id });
    this.#end(row);
  }

  #end(row: number): void {
    const { tenant, units } = this.#table.holdingOf(row);
    this.#table.remove(row);
    this.#share.release(tenant, units);
    if (tenant.nominal < Number.POSITIVE_INFINITY) this.#place(tenant);
    this.#share.forget(tenant);
  }

  #forget(id: string): void {
    const [waiting, running] = [this.#table.waitingRow(id), this.#table.runningRow(id)];
    if (waiting !== 0) this.#cancel(waiting);
    if (running !== 0) this.#end(running);
  }

  /** Takes out up to `count` tasks, best first, and counts them as running. */
  take(request: TakeRequest): WaitingTask[] {
    const taken: WaitingTask[] = [];
    if (request.count < 1) return taken;
    const record = this.#tell ? new TakeRecord(request) : undefined;
    const claimant = request.facts && this.#claimants.of(request.facts);
    const mask = this.#columns.maskFor(request, claimant, record);
    const isNews = this.#serve(mask);
    const loaded = claimant ? this.#models.loadedBy(claimant) : this.#models.known(request.models);
    while (taken.length < request.count) {
      const row = this.#pick("Within", mask, loaded) || this.#pick("Borrowing", mask, loaded);
      if (row === 0) break;
      taken.push(this.#give(row));
    }
    if (record && (isNews || taken.length > 0)) this.#tell?.(record.end(taken));
    return taken;
  }

  /** Whether some task waits for nothing but a worker. */
  hasRunnable(): boolean {
    return this.#turns.hasAny();
  }

  /** Whether something is asked for, since the last call, that was not before: every worker should ask once. */
  takeNews(): boolean {
    return this.#columns.takeNews();
  }

  /** What keeps the tenant from running one more such task, apart from workers. */
  levelOf(id: string): ShareLevel | undefined {
    const lane = this.#laneOf(id);
    return lane && decideLevel(lane);
  }

  /** Where the task stands among those that wait. */
  standingOf(id: string): { readonly level: ShareLevel; readonly tag: number; readonly key: number } | undefined {
    const row = this.#table.waitingRow(id);
    if (row === 0) return undefined;
    const lane = this.#table.laneOf(row);
    return { level: decideLevel(lane), tag: lane.tenant.tag, key: this.#table.keyOf(row) };
  }

  /** No worker is there for the task: nobody leaves room for its like until one asks again. */
  relax(id: string): void {
    const column = this.#laneOf(id)?.column;
    if (!column || !this.#columns.isServed(column.id)) return;
    this.#tell?.({ op: "relax", id });
    this.#columns.abandon(column);
    for (const tenant of column.lanes.keys()) this.#place(tenant);
  }

  /** Running tasks that must give way so that tenants get back what they lent. Each is named once, until it ends or is spared. */
  reclaim(): string[] {
    return this.#tellEnding("reclaim", this.#givingWay.reclaim());
  }

  /** Running tasks that must give way to the next one of their tenant, which has a higher priority. Named as by `reclaim`. */
  preempt(): string[] {
    return this.#tellEnding("preempt", this.#givingWay.preempt());
  }

  #tellEnding(op: "reclaim" | "preempt", ids: string[]): string[] {
    if (ids.length > 0) this.#tell?.({ op, ids });
    return ids;
  }

  /** It could not be ended. */
  spare(id: string): void {
    if (this.#givingWay.spare(this.#table.runningRow(id))) this.#tell?.({ op: "spare", id });
  }

  /** Units that run, by tenant. */
  usage(): Map<string, number> {
    return new Map([...this.#share.tenants()].map((tenant) => [tenant.name, tenant.running]));
  }

  /** Row of the task; 0 where there is none. */
  #pick(standing: Plane, mask: Mask, loaded: readonly number[]): number {
    const turn = this.#turns.find(standing, mask);
    return turn ? findBest(turn.tenant, { standing, mask: turn.allowed, loaded, table: this.#table }) : 0;
  }

  #give(row: number): WaitingTask {
    const lane = this.#table.laneOf(row);
    const { tenant } = lane;
    const task = this.#describe(row);
    this.#share.charge(tenant, lane.column.units);
    this.#leave(row, lane);
    this.#table.start(row);
    if (lane.size > 0 && tenant.nominal === Number.POSITIVE_INFINITY) tenant.tree.retag(tenant);
    else this.#place(tenant);
    return task;
  }

  #leave(row: number, lane: Lane): void {
    const { tenant } = lane;
    lane.remove(row);
    this.#models.release(this.#table.modelOf(row));
    tenant.waiting--;
    if (lane.size > 0) tenant.lanes.setHead(lane);
    else this.#drop(lane);
  }

  #drop(lane: Lane): void {
    const { tenant, column } = lane;
    tenant.lanes.remove(lane);
    column.lanes.delete(tenant);
    if (column.lanes.size === 0) this.#columns.release(column);
  }

  #place(tenant: Tenant): void {
    placeTenant(tenant, this.#columns);
    this.#givingWay.note(tenant);
    if (tenant.cohort) this.#turns.place(tenant.cohort);
  }

  /** @returns whether no worker has asked for some of these before */
  #serve(mask: Mask): boolean {
    const fresh = this.#columns.serve(mask);
    for (const column of fresh)
      for (const tenant of column.lanes.keys()) if (tenant.nominal < Number.POSITIVE_INFINITY) this.#place(tenant);
    return fresh.length > 0;
  }

  #laneOf(id: string): Lane | undefined {
    const row = this.#table.waitingRow(id);
    return row === 0 ? undefined : this.#table.laneOf(row);
  }

  #describe(row: number): WaitingTask {
    const { tenant, column } = this.#table.laneOf(row);
    return {
      id: this.#table.idOf(row),
      key: this.#table.keyOf(row),
      ...(this.#table.priorityOf(row) === 0 ? {} : { priority: this.#table.priorityOf(row) }),
      tenant: tenant.name,
      requirements: column.requirements,
      model: this.#models.nameOf(this.#table.modelOf(row)),
      failedWorkers: column.failedWorkers,
    };
  }
}
