/**
 * Stage 2: the tasks that wait, in memory, as compact records: which of them a worker gets next, by whose turn it is, then by
 * priority and age. A head that does not fit, or is over its quota, never blocks one that does. Also counts what runs, since
 * that is what quotas are about. Mutable and deterministic; no I/O.
 */
import { decideLevel, FairShare, type ShareLevel, type SharePolicies, type Tenant } from "./fair-share.ts";
import { checkedKey } from "./heap.ts";
import { keyFor, type Lane, type Waiting } from "./lane.ts";
import type { Requirements } from "./matching.ts";
import { markParked } from "./parking.ts";
import { endHold, Shape } from "./shape.ts";

export interface FailedWorker {
  readonly worker: string;
  readonly owner?: string;
}

export interface WaitingTask {
  /** namespace/name */
  readonly id: string;
  /** Smaller goes first; see computeQueueKey. */
  readonly key: number;
  /** Whose share it takes; see tenantOf. */
  readonly tenant: string;
  readonly requirements: Requirements;
  readonly model: string;
  readonly failedWorkers: readonly FailedWorker[];
}

export interface TakeRequest {
  readonly count: number;
  /** Digests that the worker has loaded. */
  readonly models: ReadonlySet<string>;
  /** Asked once per set of requirements. */
  readonly fits: (requirements: Requirements) => boolean;
  /** Asked for tasks that have failed before, once per set of those that failed them. */
  readonly isExcluded?: (task: Pick<WaitingTask, "requirements" | "failedWorkers">) => boolean;
}

interface Running {
  readonly tenant: Tenant;
  readonly units: number;
}

export class TaskPool {
  readonly #tasks = new Map<string, Waiting>();
  readonly #families = new Map<string, Family>();
  readonly #running = new Map<string, Running>();
  readonly #share: FairShare;

  constructor(policies: SharePolicies = {}) {
    this.#share = new FairShare(policies);
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** Tasks that were taken and neither finished nor put back. */
  get running(): number {
    return this.#running.size;
  }

  has(id: string): boolean {
    return this.#tasks.has(id);
  }

  get(id: string): WaitingTask | undefined {
    const task = this.#tasks.get(id);
    return task && describe(task);
  }

  *values(): IterableIterator<WaitingTask> {
    for (const task of this.#tasks.values()) yield describe(task);
  }

  /** Replaces a task of the same id, and one that ran: it waits again. */
  add(task: WaitingTask): void {
    checkedKey(task.key);
    this.remove(task.id);
    this.finish(task.id);
    const shape = this.#shapeOf(task);
    const tenant = this.#share.tenant(task.tenant);
    const lane = shape.laneOf(tenant) ?? shape.openLane(tenant);
    this.#share.startWaiting(tenant);
    this.#tasks.set(task.id, lane.add(task));
  }

  remove(id: string): boolean {
    const task = this.#tasks.get(id);
    if (!task) return false;
    const { lane } = task.queue;
    this.#leave(task);
    // What waited behind it need not wait any more.
    if (lane.tenant.nominal < Number.POSITIVE_INFINITY) reconsider(lane.tenant);
    this.#share.forget(lane.tenant);
    return true;
  }

  /** It runs already, by what a status says: it counts against its tenant's quota. */
  occupy(task: Pick<WaitingTask, "id" | "tenant" | "requirements">): void {
    if (this.#running.has(task.id)) return;
    const tenant = this.#share.tenant(task.tenant);
    const units = Math.max(1, task.requirements.gpus ?? 0);
    this.#share.occupy(tenant, units);
    this.#running.set(task.id, { tenant, units });
  }

  /** It runs no more: what it took is free again. */
  finish(id: string): void {
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    this.#share.release(running.tenant, running.units);
    if (running.tenant.nominal < Number.POSITIVE_INFINITY) reconsider(running.tenant);
    this.#share.forget(running.tenant);
  }

  /** Takes out up to `count` tasks, best first, and counts them as running. */
  take(request: TakeRequest): WaitingTask[] {
    const taken: WaitingTask[] = [];
    if (request.count < 1) return taken;
    const shapes: Shape[] = [];
    for (const family of this.#families.values()) {
      if (!request.fits(family.requirements)) continue;
      for (const shape of family.shapes.values())
        if (shape.failedWorkers.length === 0 || !request.isExcluded?.(shape)) shapes.push(shape);
    }
    while (taken.length < request.count) {
      const lane = this.#pick(shapes, request.models);
      const task = lane?.best(request.models);
      if (!lane || !task) break;
      // A shape that was looked at later may have found a task for which this one must leave room.
      if (lane.shape.first() !== lane) continue;
      taken.push(describe(task));
      this.#charge(task, lane);
    }
    return taken;
  }

  /** What keeps the tenant from running one more such task, apart from workers. */
  levelOf(id: string): ShareLevel | undefined {
    const lane = this.#tasks.get(id)?.queue.lane;
    return lane && decideLevel(lane.tenant, lane.shape.units, lane);
  }

  /** No worker is there for the task: nobody is held back for its sake until one asks again. */
  relax(id: string): void {
    const lane = this.#tasks.get(id)?.queue.lane;
    if (!lane || !holdsBack(lane)) return;
    endHold(lane);
    reconsider(lane.tenant);
  }

  /** Units that run, by tenant. */
  usage(): Map<string, number> {
    return new Map([...this.#share.tenants()].map((tenant) => [tenant.name, tenant.running]));
  }

  #charge(task: Waiting, lane: Lane): void {
    const { tenant, shape } = lane;
    this.#share.charge(tenant, shape.units);
    this.#running.set(task.id, { tenant, units: shape.units });
    const held = holdsBack(lane);
    endHold(lane);
    this.#leave(task);
    if (held) reconsider(tenant);
  }

  #leave(task: Waiting): void {
    const { lane } = task.queue;
    this.#tasks.delete(task.id);
    lane.remove(task);
    lane.tenant.waiting--;
    if (lane.size > 0) return;
    lane.shape.dropLane(lane);
    if (lane.shape.isEmpty) this.#drop(lane.shape);
  }

  /** Over the shapes: who is within its quota first, then the smallest tag, then of one tenant the best key. */
  #pick(shapes: readonly Shape[], models: ReadonlySet<string>): Lane | undefined {
    let best: Lane | undefined;
    // Of the best lane, once it was compared by it.
    let bestKey: number | undefined;
    for (const shape of shapes) {
      const lane = shape.first();
      if (!lane) continue;
      if (best === undefined || lane.tenant !== best.tenant || lane.standing !== best.standing) {
        if (best !== undefined && !isBefore(lane, best)) continue;
        best = lane;
        bestKey = undefined;
        continue;
      }
      bestKey ??= competingKey(best, models);
      const key = competingKey(lane, models);
      if (key >= bestKey) continue;
      best = lane;
      bestKey = key;
    }
    return best;
  }

  #shapeOf(task: WaitingTask): Shape {
    const wants = requirementsSignatureOf(task.requirements);
    let family = this.#families.get(wants);
    if (!family) {
      family = { requirements: task.requirements, shapes: new Map() };
      this.#families.set(wants, family);
    }
    const failures = failureSignatureOf(task.failedWorkers);
    const known = family.shapes.get(failures);
    if (known) return known;
    const made = new Shape({ requirements: family.requirements, failedWorkers: task.failedWorkers });
    family.shapes.set(failures, made);
    return made;
  }

  #drop(shape: Shape): void {
    const wants = requirementsSignatureOf(shape.requirements);
    const family = this.#families.get(wants);
    family?.shapes.delete(failureSignatureOf(shape.failedWorkers));
    if (family?.shapes.size === 0) this.#families.delete(wants);
  }
}

/** Shapes with the same requirements. */
interface Family {
  readonly requirements: Requirements;
  /** By who has failed their tasks. */
  readonly shapes: Map<string, Shape>;
}

function isBefore(a: Lane, b: Lane): boolean {
  if (a.standing !== b.standing) return a.standing === "Within";
  const [left, right] = [a.tenant, b.tenant];
  return left.tag < right.tag || (left.tag === right.tag && left.order < right.order);
}

function competingKey(lane: Lane, models: ReadonlySet<string>): number {
  const task = lane.best(models);
  return task ? keyFor(task, models) : Number.POSITIVE_INFINITY;
}

function holdsBack(lane: Lane): boolean {
  return lane.tenant.hold === lane || (lane.tenant.cohort?.reclaimers.has(lane) ?? false);
}

/** Quota became free, or a hold ended: lanes that wait for it are looked at again, and who borrowed may borrow no more. */
function reconsider(tenant: Tenant): void {
  if (tenant.borrowing > 0 && tenant.running < tenant.nominal) {
    for (const lane of tenant.lanes) if (lane.standing === "Borrowing") lane.shape.place(lane);
  }
  markParked(tenant);
}

function describe({ id, key, queue }: Waiting): WaitingTask {
  const { tenant, shape } = queue.lane;
  const { requirements, failedWorkers } = shape;
  return { id, key, tenant: tenant.name, requirements, model: queue.model, failedWorkers };
}

/** Equal for tasks that the same workers can take. */
export function signatureOf({ requirements, failedWorkers }: Pick<WaitingTask, "requirements" | "failedWorkers">) {
  return `${requirementsSignatureOf(requirements)}${failureSignatureOf(failedWorkers)}`;
}

function requirementsSignatureOf(requirements: Requirements): string {
  const { tier, gpus, memoryMiB, computeCapability, migProfile, nodeSelector } = requirements;
  const labels = Object.entries(nodeSelector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([tier, gpus, memoryMiB, computeCapability, migProfile, labels]);
}

function failureSignatureOf(failedWorkers: readonly FailedWorker[]): string {
  if (failedWorkers.length === 0) return "";
  return JSON.stringify(failedWorkers.map(({ worker, owner }) => [worker, owner]).sort());
}
