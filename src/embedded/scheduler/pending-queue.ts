/**
 * Which pending pods are worth a try now. A pod that fitted nowhere waits for a change that may help it, and no less
 * than its backoff, which grows with each try. No effects but its own memory; one instance a scheduler.
 */
import type { Pod } from "../kubelet/core-types.ts";
import { comparePending } from "./decide-node.ts";

interface Failure {
  readonly attempts: number;
  readonly retryAt: number;
  /** The change count that the try had seen. */
  readonly seen: number;
  readonly shape: string;
}

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
}

export class PendingQueue {
  readonly #backoff: BackoffOptions;
  readonly #failures = new Map<string, Failure>();
  #changes = 0;

  constructor(backoff: BackoffOptions) {
    this.#backoff = backoff;
  }

  /** Something in the cluster changed that may make room. */
  noteChange(): void {
    this.#changes += 1;
  }

  noteFailure(pod: Pod, nowMs: number): void {
    const attempts = (this.#failures.get(uidOf(pod))?.attempts ?? 0) + 1;
    const delayMs = Math.min(this.#backoff.maxMs, this.#backoff.initialMs * 2 ** Math.min(20, attempts - 1));
    this.#failures.set(uidOf(pod), { attempts, retryAt: nowMs + delayMs, seen: this.#changes, shape: shapeOf(pod) });
  }

  forget(pod: Pod): void {
    this.#failures.delete(uidOf(pod));
  }

  /** Those to try now, in order, and when the next of the others is to be tried. */
  select(
    pending: readonly Pod[],
    nowMs: number,
  ): { readonly ready: readonly Pod[]; readonly nextAt: number | undefined } {
    const ready: Pod[] = [];
    let nextAt: number | undefined;
    for (const pod of pending) {
      const failure = this.#failures.get(uidOf(pod));
      if (failure === undefined || failure.shape !== shapeOf(pod)) ready.push(pod);
      else if (failure.seen === this.#changes) continue;
      else if (failure.retryAt <= nowMs) ready.push(pod);
      else nextAt = Math.min(nextAt ?? failure.retryAt, failure.retryAt);
    }
    return { ready: ready.sort(comparePending), nextAt };
  }
}

function uidOf(pod: Pod): string {
  return pod.metadata.uid ?? `${pod.metadata.namespace}/${pod.metadata.name}`;
}

/** What of a pending pod decides where it fits: a change of it is worth a try at once. */
function shapeOf({ metadata, spec }: Pod): string {
  return JSON.stringify([metadata.labels, spec]);
}
