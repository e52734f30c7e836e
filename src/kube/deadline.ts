/**
 * One abort signal out of a time-out and a caller's signal, released when the call is over, so that a signal which lives
 * as long as the process does not collect a listener per request.
 */
export interface Deadline {
  readonly signal: AbortSignal;
  /** True when the time-out, not the caller, aborted. */
  readonly expired: () => boolean;
  /** Milliseconds left; Infinity once disarmed. */
  readonly remainingMs: () => number;
  /** Gives the time-out its whole length again. */
  readonly restart: () => void;
  /** Drops the time-out and keeps the caller's signal. */
  readonly disarm: () => void;
  /** To be called when the work is over, always. */
  readonly release: () => void;
}

export function startDeadline(timeoutMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  let expired = false;
  let endsAt = performance.now() + timeoutMs;
  const onParent = () => controller.abort(parent?.reason);
  const onTimeout = () => {
    expired = true;
    controller.abort(new Error(`no answer within ${timeoutMs} ms`));
  };
  const timer = setTimeout(onTimeout, timeoutMs);
  const disarm = () => {
    endsAt = Number.POSITIVE_INFINITY;
    clearTimeout(timer);
  };
  const restart = () => {
    endsAt = performance.now() + timeoutMs;
    timer.refresh();
  };
  if (parent?.aborted) onParent();
  else parent?.addEventListener("abort", onParent, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    remainingMs: () => endsAt - performance.now(),
    restart,
    disarm,
    release: () => {
      disarm();
      parent?.removeEventListener("abort", onParent);
    },
  };
}
