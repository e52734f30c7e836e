/** How many requests are answered at once. What is above that is sent away for a second; long-running ones do not count. */
import { failure, type StatusError } from "../status.ts";

const limits = { mutating: 200, readOnly: 400 } as const;
const retryAfterSeconds = 1;

export type RequestKind = keyof typeof limits;

export class RequestLimits {
  readonly #open: Record<RequestKind, number> = { mutating: 0, readOnly: 0 };
  readonly #limits: Readonly<Record<RequestKind, number>>;

  constructor(limit: Readonly<Record<RequestKind, number>> = limits) {
    this.#limits = limit;
  }

  /** Throws a 429 when too many are open. @returns what is to be called when the answer has ended */
  enter(kind: RequestKind): () => void {
    if (this.#open[kind] >= this.#limits[kind]) throw tooManyRequests();
    this.#open[kind] += 1;
    return () => {
      this.#open[kind] -= 1;
    };
  }
}

function tooManyRequests(): StatusError {
  const message = "Too many requests, please try again later.";
  return failure(429, "TooManyRequests", message, { retryAfterSeconds });
}
