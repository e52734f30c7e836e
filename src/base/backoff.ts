/** Exponential backoff with full jitter, shared by every retry of the project. Pure but for the random source given. */
export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor?: number;
  /** Uniform in [0, 1); injected in tests. */
  readonly random?: () => number;
}

/** Delay before retry number `attempt` (1 is the first retry): between half and the whole of the exponential step. */
export function computeBackoffMs(attempt: number, options: BackoffOptions): number {
  const factor = options.factor ?? 2;
  const random = options.random ?? Math.random;
  const step = Math.min(options.maxMs, options.initialMs * factor ** Math.max(0, attempt - 1));
  return Math.round(step * (0.5 + random() / 2));
}
