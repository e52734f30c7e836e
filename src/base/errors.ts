/**
 * The one error class of the project. Every layer throws it; callers branch on `code` (stable) and `disposition`, never
 * on the message. The message says what happened, what was got, what was expected and what to do; it never holds a key.
 */
export type Disposition = "retry" | "reject" | "fatal";

export interface ErrorEvidence {
  readonly [field: string]: string | number | boolean | undefined | readonly string[];
}

export interface InferiumErrorOptions {
  /** retry: the same call may succeed later. reject: this input is wrong. fatal: the process cannot go on. */
  readonly disposition?: Disposition;
  readonly evidence?: ErrorEvidence;
  readonly cause?: unknown;
}

export class InferiumError extends Error {
  override readonly name = "InferiumError";
  readonly code: string;
  readonly disposition: Disposition;
  readonly evidence: ErrorEvidence;

  /** @param code stable PascalCase word, such as `DigestMismatch` */
  constructor(code: string, message: string, options: InferiumErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.disposition = options.disposition ?? "reject";
    this.evidence = options.evidence ?? {};
  }
}

/** The message of anything that was thrown, with its chain of causes, on one line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `: ${describeError(error.cause)}`;
  return `${error.message}${cause}`.replaceAll("\n", " ");
}
