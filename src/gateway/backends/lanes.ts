/**
 * Shares calls among an agent's backends: the least busy one that has room, else a place in a bounded queue, first come
 * first served. A backend that could not be reached is passed over for a moment. No effects of its own.
 */
import type { Clock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import { CallRefusal } from "../call-refusal.ts";

export interface LaneBounds {
  /** Calls of one backend at once. */
  readonly concurrency: number;
  /** Calls that may wait. */
  readonly queue: number;
}

export interface Lanes<Backend> {
  /** Runs on one backend; on a second one where the first could not be reached. @throws CallRefusal 503; the signal's reason */
  use<T>(work: (backend: Backend) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Calls on backends that are not there any more end in peace. */
  update(backends: ReadonlyMap<string, Backend>, bounds: LaneBounds): void;
  inFlight(): number;
  queued(): number;
}

interface Lane<Backend> {
  readonly backend: Backend;
  busy: number;
  downUntilMs: number;
}

interface Waiter<Backend> {
  give(lane: Lane<Backend>): void;
  fail(error: CallRefusal): void;
}

const downMs = 1_000;
/** Thrown by backends that could not be reached at all: nothing was computed, another may do it. */
export const unreachable = "BackendUnreachable";

export function createLanes<Backend>(clock: Clock): Lanes<Backend> {
  let lanes = new Map<string, Lane<Backend>>();
  let bounds: LaneBounds = { concurrency: 1, queue: 0 };
  const waiting = new Set<Waiter<Backend>>();
  let inFlight = 0;

  function pick(not?: Lane<Backend>): Lane<Backend> | undefined {
    const now = clock.monotonic();
    let best: Lane<Backend> | undefined;
    for (const lane of lanes.values()) {
      if (lane === not || lane.busy >= bounds.concurrency) continue;
      if (best === undefined || rank(lane, now) < rank(best, now)) best = lane;
    }
    return best;
  }

  /** One that is down is still better than none: it is how it is found to be up again. */
  function rank(lane: Lane<Backend>, now: number): number {
    return lane.busy + (lane.downUntilMs > now ? 1e6 : 0);
  }

  /** Whoever has a lane occupies it from this very moment, so that nobody else can take it meanwhile. */
  function acquire(signal: AbortSignal): Lane<Backend> | Promise<Lane<Backend>> {
    signal.throwIfAborted();
    if (lanes.size === 0) throw noBackend();
    const lane = waiting.size === 0 ? pick() : undefined;
    if (lane === undefined) return wait(signal);
    occupy(lane);
    return lane;
  }

  function occupy(lane: Lane<Backend>): void {
    lane.busy += 1;
    inFlight += 1;
  }

  function wait(signal: AbortSignal): Promise<Lane<Backend>> {
    if (waiting.size >= bounds.queue) {
      throw new CallRefusal(503, "QueueFull", `${waiting.size} calls wait for this agent already; try again.`, 1_000);
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        waiting.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter<Backend> = {
        give: (lane) => {
          signal.removeEventListener("abort", onAbort);
          resolve(lane);
        },
        fail: (error) => {
          signal.removeEventListener("abort", onAbort);
          reject(error);
        },
      };
      waiting.add(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  function serveWaiting(): void {
    for (const waiter of waiting) {
      const lane = pick();
      if (lane === undefined && lanes.size > 0) return;
      waiting.delete(waiter);
      if (lane === undefined) waiter.fail(noBackend());
      else {
        occupy(lane);
        waiter.give(lane);
      }
    }
  }

  /** On a lane that is occupied for it. */
  async function runOn<T>(lane: Lane<Backend>, work: (backend: Backend) => Promise<T>): Promise<T> {
    try {
      return await work(lane.backend);
    } catch (error) {
      if (isUnreachable(error)) lane.downUntilMs = clock.monotonic() + downMs;
      throw error;
    } finally {
      lane.busy -= 1;
      inFlight -= 1;
      serveWaiting();
    }
  }

  return {
    async use(work, signal) {
      const found = acquire(signal);
      const lane = found instanceof Promise ? await found : found;
      try {
        return await runOn(lane, work);
      } catch (error) {
        const other = isUnreachable(error) && !signal.aborted ? pick(lane) : undefined;
        if (other === undefined) throw error;
        occupy(other);
        return await runOn(other, work);
      }
    },
    update(backends, next) {
      bounds = next;
      lanes = new Map(
        [...backends].map(([name, backend]) => {
          const known = lanes.get(name);
          return [name, known?.backend === backend ? known : { backend, busy: 0, downUntilMs: 0 }];
        }),
      );
      // There may be room now, or nothing left to wait for.
      serveWaiting();
    },
    inFlight: () => inFlight,
    queued: () => waiting.size,
  };
}

function noBackend(): CallRefusal {
  return new CallRefusal(503, "NoBackend", "The agent has no ready replica; try again.", 2_000);
}

function isUnreachable(error: unknown): boolean {
  return error instanceof InferiumError && error.code === unreachable;
}
