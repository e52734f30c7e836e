/**
 * When an ended container may start again. As in Kubernetes: at once after its first end, then 10 s doubling to 5 min
 * since the last end, forgotten after it ran for twice the maximum. Pure.
 */
export interface CrashBackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
}

export const defaultCrashBackoff: CrashBackoffOptions = { initialMs: 10_000, maxMs: 300_000 };

/** `undefined` before the first restart. */
export interface CrashBackoff {
  readonly delayMs: number;
  /** Milliseconds since the epoch of the restart that set `delayMs`. */
  readonly updatedAt: number;
}

/** Milliseconds since the epoch from which a container that ended at `finishedAt` may start. */
export function computeRestartAt(
  backoff: CrashBackoff | undefined,
  finishedAt: number,
  options: CrashBackoffOptions,
): number {
  if (backoff === undefined || isForgotten(backoff, finishedAt, options)) return finishedAt;
  return finishedAt + backoff.delayMs;
}

/** The backoff after a restart at `now` of a container that had ended at `finishedAt`. */
export function advanceBackoff(
  backoff: CrashBackoff | undefined,
  times: { readonly finishedAt: number; readonly now: number },
  options: CrashBackoffOptions,
): CrashBackoff {
  const fresh = backoff === undefined || isForgotten(backoff, times.finishedAt, options);
  return { delayMs: fresh ? options.initialMs : Math.min(options.maxMs, backoff.delayMs * 2), updatedAt: times.now };
}

function isForgotten(backoff: CrashBackoff, finishedAt: number, options: CrashBackoffOptions): boolean {
  return finishedAt - backoff.updatedAt > 2 * options.maxMs;
}
