/**
 * Stage 2: the waiting tasks of one tenant that ask for the same, by model. The best of them is found without looking at the
 * others, and so is the best whose model a worker has loaded. Removed tasks are dropped when they come up, or all at once
 * when they are the greater part. Mutable and deterministic.
 */
import type { Tenant } from "./fair-share.ts";
import { Heap } from "./heap.ts";
import type { Shape, Standing } from "./shape.ts";

/** A task as the pool keeps it: 200,000 of these are in memory at once. */
export interface Waiting {
  readonly id: string;
  readonly key: number;
  readonly queue: ModelQueue;
  /** False: taken, removed or replaced. */
  waits: boolean;
}

/** A task whose model is loaded goes before one that came at most so much earlier. */
export const localityMs = 1_000;

export class ModelQueue {
  readonly lane: Lane;
  readonly model: string;
  #heap = new Heap<Waiting>(compareWaiting);
  #gone = 0;
  /** Its entry among the heads of its lane; others are void. */
  head: Head | undefined;

  constructor(lane: Lane, model: string) {
    this.lane = lane;
    this.model = model;
  }

  /** Answers whether it is now the first. */
  push(task: Waiting): boolean {
    this.#heap.push(task);
    return this.#heap.peek() === task;
  }

  first(): Waiting | undefined {
    for (let top = this.#heap.peek(); top !== undefined; top = this.#heap.peek()) {
      if (top.waits) return top;
      this.#heap.pop();
      if (this.#gone > 0) this.#gone--;
    }
    return undefined;
  }

  noteGone(): void {
    this.#gone++;
    if (this.#gone < 32 || this.#gone * 2 < this.#heap.size) return;
    this.#heap = this.#heap.filter((task) => task.waits);
    this.#gone = 0;
  }
}

interface Head {
  readonly key: number;
  readonly queue: ModelQueue;
}

export class Lane {
  readonly tenant: Tenant;
  readonly shape: Shape;
  readonly #models = new Map<string, ModelQueue>();
  readonly #heads = new Heap<Head>((a, b) => a.key - b.key);
  size = 0;
  standing: Standing = "Within";
  /** Orders of its shape that have an entry of it; where `standing` is another, that entry is void. */
  readonly listed = { Within: false, Borrowing: false };

  constructor(tenant: Tenant, shape: Shape) {
    this.tenant = tenant;
    this.shape = shape;
  }

  add(task: { readonly id: string; readonly key: number; readonly model: string }): Waiting {
    let queue = this.#models.get(task.model);
    if (!queue) {
      queue = new ModelQueue(this, task.model);
      this.#models.set(task.model, queue);
    }
    const waiting: Waiting = { id: task.id, key: task.key, queue, waits: true };
    if (queue.push(waiting)) {
      queue.head = { key: task.key, queue };
      this.#heads.push(queue.head);
    }
    this.size++;
    return waiting;
  }

  remove(task: Waiting): void {
    task.waits = false;
    this.size--;
    task.queue.noteGone();
  }

  /** The best for a worker with these models loaded. */
  best(loaded: ReadonlySet<string>): Waiting | undefined {
    let best = this.#first();
    if (!best || this.#models.size === 1) return best;
    let bestKey = keyFor(best, loaded);
    for (const model of loaded) {
      const task = this.#models.get(model)?.first();
      if (!task || task.key - localityMs >= bestKey) continue;
      best = task;
      bestKey = task.key - localityMs;
    }
    return best;
  }

  headKey(): number {
    return this.#first()?.key ?? Number.POSITIVE_INFINITY;
  }

  #first(): Waiting | undefined {
    for (let top = this.#heads.peek(); top !== undefined; top = this.#heads.peek()) {
      const { queue } = top;
      if (queue.head !== top) {
        this.#heads.pop();
        continue;
      }
      const first = queue.first();
      if (first?.key === top.key) return first;
      queue.head = first && { key: first.key, queue };
      if (queue.head) this.#heads.replaceTop(queue.head);
      else {
        this.#heads.pop();
        this.#models.delete(queue.model);
      }
    }
    return undefined;
  }
}

/** At which a task competes where these models are loaded. */
export function keyFor(task: Waiting, loaded: ReadonlySet<string>): number {
  return loaded.has(task.queue.model) ? task.key - localityMs : task.key;
}

function compareWaiting(a: Waiting, b: Waiting): number {
  if (a.key !== b.key) return a.key - b.key;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
