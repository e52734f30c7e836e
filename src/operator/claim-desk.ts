/**
 * Stage 3: workers ask, the pool answers. Claims wait here until a task fits; each round offers the tasks to the waiting
 * workers in the order of their rank, then decides per worker. Holds no durable state: whoever is given a task writes the
 * assignment, or puts the task back.
 */
import type { Clock } from "../base/clock.ts";
import { decideAssignments, type WorkerFacts } from "../protocol/matching.ts";
import type { TaskPool } from "../protocol/pool.ts";
import { computeOfferRank } from "../protocol/priority.ts";
import type { WaitingTask } from "../protocol/waiting-task.ts";

export interface ClaimDeskOptions {
  readonly pool: TaskPool;
  readonly clock: Clock;
  /** Undefined for a worker that is no longer known. */
  readonly factsOf: (name: string) => WorkerFacts | undefined;
  readonly workers: () => readonly WorkerFacts[];
  readonly scoreOf: (name: string) => number;
}

export interface WorkerClaim {
  readonly worker: string;
  readonly slots: number;
  readonly waitMs: number;
}

interface WaitingClaim extends WorkerClaim {
  readonly sinceMs: number;
  /** The pool knows that this worker is there for what it fits. */
  isHeard: boolean;
  readonly resolve: (tasks: WaitingTask[]) => void;
}

/** Claims that come within this time of each other are ranked against each other. */
const roundMs = 2;

export class ClaimDesk {
  readonly #options: ClaimDeskOptions;
  readonly #waiting = new Set<WaitingClaim>();
  /** Tasks given to a worker whose assignment is not written yet, by worker. */
  readonly #handing = new Map<string, number>();
  #round: NodeJS.Timeout | undefined;

  constructor(options: ClaimDeskOptions) {
    this.#options = options;
  }

  handing(worker: string): number {
    return this.#handing.get(worker) ?? 0;
  }

  /** The task's assignment is written, or was given up. */
  handed(worker: string): void {
    const left = this.handing(worker) - 1;
    if (left > 0) this.#handing.set(worker, left);
    else this.#handing.delete(worker);
  }

  /** Tasks for the worker, taken out of the pool; none when the time is over or the caller went away. */
  claim(claim: WorkerClaim, signal: AbortSignal): Promise<WaitingTask[]> {
    return new Promise((resolve) => {
      if (signal.aborted || claim.slots < 1) return resolve([]);
      const end = (tasks: WaitingTask[]) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        this.#waiting.delete(waiting);
        resolve(tasks);
      };
      const giveUp = () => end([]);
      const waiting: WaitingClaim = {
        ...claim,
        sinceMs: this.#options.clock.monotonic(),
        isHeard: false,
        resolve: end,
      };
      const timer = setTimeout(giveUp, claim.waitMs);
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(waiting);
      this.kick();
    });
  }

  /** Something changed that may let a waiting claim have a task. */
  kick(): void {
    if (this.#waiting.size === 0 || this.#options.pool.size === 0) return;
    this.#round ??= setTimeout(() => {
      this.#round = undefined;
      this.#match();
    }, roundMs);
  }

  /** Ends all claims with nothing. */
  close(): void {
    clearTimeout(this.#round);
    for (const waiting of [...this.#waiting]) waiting.resolve([]);
  }

  #match(): void {
    let known: readonly WorkerFacts[] | undefined;
    const others = () => {
      known ??= this.#options.workers();
      return known;
    };
    const { pool } = this.#options;
    // Where quotas are used up nothing is given, but what nobody has asked for yet must be asked for once.
    const isNews = pool.takeNews();
    if (!isNews && !pool.hasRunnable() && [...this.#waiting].every(({ isHeard }) => isHeard)) return;
    for (const waiting of this.#ranked()) {
      if (waiting.isHeard && !isNews && !pool.hasRunnable()) continue;
      waiting.isHeard = true;
      const facts = this.#options.factsOf(waiting.worker);
      if (!facts) continue;
      const freeSlots = Math.min(waiting.slots, facts.freeSlots);
      const tasks = decideAssignments({ ...facts, freeSlots }, pool, others);
      if (tasks.length === 0) continue;
      this.#handing.set(waiting.worker, this.handing(waiting.worker) + tasks.length);
      waiting.resolve(tasks);
    }
  }

  #ranked(): WaitingClaim[] {
    const nowMs = this.#options.clock.monotonic();
    const ranked = [...this.#waiting].map((claim) => {
      const reputation = this.#options.scoreOf(claim.worker);
      return { claim, rank: computeOfferRank({ reputation, waitedMs: nowMs - claim.sinceMs }) };
    });
    return ranked.sort((a, b) => b.rank - a.rank).map(({ claim }) => claim);
  }
}
