/** An answer of the pool server that is not a success, and how whatever was thrown becomes one. */
import { type Disposition, InferiumError } from "../base/errors.ts";
import type { ErrorResponse } from "./wire.ts";

export class PoolRefusal extends InferiumError {
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  /** @param retryAfterMs for 429 and 503 */
  constructor(status: number, code: string, message: string, retryAfterMs?: number) {
    const disposition: Disposition = status === 429 || status >= 500 ? "retry" : "reject";
    super(code, message, { disposition });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorResponse;
  readonly retryAfterSeconds?: number;
}

/** What the backend threw and did not mean for callers stays in the log: it may name objects they must not see. */
export function answerError(error: unknown): ErrorAnswer {
  const refusal = error instanceof PoolRefusal ? error : translate(error);
  const body = { error: { code: refusal.code, message: refusal.message } };
  if (refusal.status !== 429 && refusal.status !== 503) return { status: refusal.status, body };
  return { status: refusal.status, body, retryAfterSeconds: Math.ceil((refusal.retryAfterMs ?? 1000) / 1000) };
}

function translate(error: unknown): PoolRefusal {
  if (!(error instanceof InferiumError) || error.disposition === "fatal") {
    return new PoolRefusal(500, "Internal", "The pool could not answer; its log says why. Try again.");
  }
  if (error.disposition === "retry") return new PoolRefusal(503, error.code, error.message);
  return new PoolRefusal(422, error.code, error.message);
}
