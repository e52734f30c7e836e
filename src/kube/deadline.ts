/**
 * A time-out and a caller's signal in one, released when the call is over, so that a signal which lives as long as the
 * process does not collect a listener per request.
 */
import { EventEmitter } from "node:events";

export interface Deadline {
  readonly aborted: boolean;
  /** Why, once aborted. */
  readonly reason: unknown;
  readonly signal: AbortSignal;
  /** What an HTTP request takes in place of the signal: it costs a tenth of one, and every request has its own. */
  readonly emitter: EventEmitter;
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
  return new TimedDeadline(timeoutMs, parent);
}

/** Emits `abort`; the HTTP client reads `reason` then. */
class AbortEmitter extends EventEmitter {
  reason: unknown = undefined;
}

class TimedDeadline implements Deadline {
  aborted = false;
  reason: unknown = undefined;
  readonly #timeoutMs: number;
  readonly #parent: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  #endsAt: number;
  #expired = false;
  /** Both are made when somebody asks for them: most reconciles send no request. */
  #emitter: AbortEmitter | undefined;
  #controller: AbortController | undefined;

  constructor(timeoutMs: number, parent: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs;
    this.#parent = parent;
    this.#endsAt = performance.now() + timeoutMs;
    this.#timer = setTimeout(this.#onTimeout, timeoutMs);
    if (parent?.aborted) this.#onParent();
    else parent?.addEventListener("abort", this.#onParent, { once: true });
  }

  get emitter(): EventEmitter {
    if (this.#emitter === undefined) {
      this.#emitter = new AbortEmitter();
      this.#emitter.reason = this.reason;
    }
    return this.#emitter;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.aborted) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  readonly expired = () => this.#expired;
  readonly remainingMs = () => this.#endsAt - performance.now();

  readonly restart = () => {
    this.#endsAt = performance.now() + this.#timeoutMs;
    this.#timer.refresh();
  };

  readonly disarm = () => {
    this.#endsAt = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
  };

  readonly release = () => {
    this.disarm();
    this.#parent?.removeEventListener("abort", this.#onParent);
  };

  readonly #onParent = () => this.#abort(this.#parent?.reason);

  readonly #onTimeout = () => {
    this.#expired = true;
    this.#abort(new Error(`no answer within ${this.#timeoutMs} ms`));
  };

  #abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#controller?.abort(reason);
    if (this.#emitter === undefined) return;
    this.#emitter.reason = reason;
    this.#emitter.emit("abort");
  }
}
