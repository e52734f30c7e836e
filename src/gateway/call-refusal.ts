/** An answer to a caller that is no success. Routes write it in the words of the caller's protocol. */
import { InferiumError } from "../base/errors.ts";
import { PoolRefusal } from "../pool/refusal.ts";

export class CallRefusal extends InferiumError {
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  /** @param retryAfterMs for 429 and 503 */
  constructor(status: number, code: string, message: string, retryAfterMs?: number) {
    super(code, message, { disposition: status === 429 || status >= 500 ? "retry" : "reject" });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What was thrown and not meant for callers stays in the log: it may name files and hosts that they must not see. */
export function toRefusal(error: unknown): CallRefusal {
  if (error instanceof CallRefusal) return error;
  if (error instanceof PoolRefusal) return new CallRefusal(error.status, error.code, error.message);
  if (!(error instanceof InferiumError) || error.disposition === "fatal") {
    return new CallRefusal(500, "Internal", "The call failed inside the server; its log says why. Try again.");
  }
  if (error.disposition === "retry") return new CallRefusal(503, error.code, error.message, 1_000);
  return new CallRefusal(error.code === "ExecutionFailed" ? 500 : 400, error.code, error.message);
}

/** Whole seconds for Retry-After; undefined where it is not said. */
export function retryAfterOf({ status, retryAfterMs }: CallRefusal): string | undefined {
  if (status !== 429 && status !== 503) return undefined;
  return String(Math.max(1, Math.ceil((retryAfterMs ?? 1_000) / 1_000)));
}
