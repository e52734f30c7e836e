/**
 * Stage 2: the tasks that wait, in memory, as compact records. Tasks with the same requirements and model share a class
 * with its own heap, so that a claim looks at one head per class: a head that does not fit never blocks one that does,
 * and the cost of a claim grows with the number of classes and not of tasks. Mutable and deterministic; no I/O.
 */
import { checkedKey, Heap } from "./heap.ts";
import type { Requirements } from "./matching.ts";

export interface FailedWorker {
  readonly worker: string;
  readonly owner?: string;
}

export interface WaitingTask {
  /** namespace/name */
  readonly id: string;
  /** Smaller goes first; see computeQueueKey. */
  readonly key: number;
  readonly requirements: Requirements;
  readonly model: string;
  readonly failedWorkers: readonly FailedWorker[];
}

export interface TakeRequest {
  readonly count: number;
  /** Digests that the worker has loaded. */
  readonly models: ReadonlySet<string>;
  /** Asked once per class. */
  readonly fits: (requirements: Requirements) => boolean;
  /** Asked per task, for what belongs to the task alone. */
  readonly takes: (task: WaitingTask) => boolean;
}

/** A task whose model is loaded goes before one that came at most so much earlier. */
export const localityMs = 1_000;

interface TaskClass {
  readonly requirements: Requirements;
  readonly model: string;
  readonly heap: Heap<WaitingTask>;
}

export class TaskPool {
  readonly #tasks = new Map<string, WaitingTask>();
  readonly #classes = new Map<string, TaskClass>();

  get size(): number {
    return this.#tasks.size;
  }

  has(id: string): boolean {
    return this.#tasks.has(id);
  }

  get(id: string): WaitingTask | undefined {
    return this.#tasks.get(id);
  }

  /** Replaces a task of the same id. */
  add(task: WaitingTask): void {
    checkedKey(task.key);
    this.#tasks.set(task.id, task);
    const signature = signatureOf(task);
    let known = this.#classes.get(signature);
    if (!known) {
      known = { requirements: task.requirements, model: task.model, heap: new Heap(compareTasks) };
      this.#classes.set(signature, known);
    }
    known.heap.push(task);
  }

  /** Its heap forgets it when it comes to the top. */
  remove(id: string): boolean {
    return this.#tasks.delete(id);
  }

  values(): IterableIterator<WaitingTask> {
    return this.#tasks.values();
  }

  /** Takes out up to `count` tasks, best first. */
  take(request: TakeRequest): WaitingTask[] {
    const taken: WaitingTask[] = [];
    const refused: WaitingTask[] = [];
    const classes = this.#liveClasses().filter((known) => request.fits(known.requirements));
    while (taken.length < request.count) {
      const best = pickClass(classes, request.models);
      const task = best?.heap.pop();
      if (!best || !task) break;
      this.#dropStale(best.heap);
      if (request.takes(task)) taken.push(task);
      else refused.push(task);
    }
    for (const task of taken) this.#tasks.delete(task.id);
    for (const task of refused) this.#classes.get(signatureOf(task))?.heap.push(task);
    return taken;
  }

  /** Classes with a task at the top that still waits; empty ones are forgotten. */
  #liveClasses(): TaskClass[] {
    const live: TaskClass[] = [];
    for (const [signature, known] of this.#classes) {
      this.#dropStale(known.heap);
      if (known.heap.size > 0) live.push(known);
      else this.#classes.delete(signature);
    }
    return live;
  }

  #dropStale(heap: Heap<WaitingTask>): void {
    for (let top = heap.peek(); top !== undefined && this.#tasks.get(top.id) !== top; top = heap.peek()) heap.pop();
  }
}

function pickClass(classes: readonly TaskClass[], loaded: ReadonlySet<string>): TaskClass | undefined {
  let best: TaskClass | undefined;
  let bestKey = Number.POSITIVE_INFINITY;
  for (const known of classes) {
    const top = known.heap.peek();
    if (!top) continue;
    const key = loaded.has(known.model) ? top.key - localityMs : top.key;
    if (key >= bestKey) continue;
    best = known;
    bestKey = key;
  }
  return best;
}

function compareTasks(a: WaitingTask, b: WaitingTask): number {
  if (a.key !== b.key) return a.key - b.key;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function signatureOf({ requirements, model }: WaitingTask): string {
  const { tier, gpus, memoryMiB, computeCapability, migProfile, nodeSelector } = requirements;
  const labels = Object.entries(nodeSelector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([tier, gpus, memoryMiB, computeCapability, migProfile, labels, model]);
}
