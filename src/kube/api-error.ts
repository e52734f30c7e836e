/**
 * What a call to the API server throws. `KubeApiError` is an answer of the server (a Status); the plain errors below are
 * calls that got no answer. Both carry `disposition: "retry"` where the same call may succeed later. Pure.
 */
import { type Disposition, InferiumError } from "../base/errors.ts";

/** The part of a metav1.Status that is read. */
export interface KubeStatus {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: KubeStatusDetails;
  readonly metadata?: { readonly continue?: string };
}

export interface KubeStatusDetails {
  readonly name?: string;
  readonly kind?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
}

export interface KubeApiErrorInput {
  /** What was asked: `PUT /api/v1/...`. */
  readonly request: string;
  /** HTTP status code. */
  readonly status: number;
  readonly body: KubeStatus | string;
  readonly retryAfterMs?: number | undefined;
}

export class KubeApiError extends InferiumError {
  /** HTTP status, or the Status code of an error inside a stream. */
  readonly status: number;
  /** The Status reason, such as `NotFound`; `Unknown` where the server gave none. */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  readonly details: KubeStatusDetails | undefined;
  readonly body: KubeStatus | string;

  constructor(input: KubeApiErrorInput) {
    const status = typeof input.body === "string" ? undefined : input.body;
    const reason = status?.reason || "Unknown";
    const said = status?.message ?? (typeof input.body === "string" ? input.body.slice(0, 300) : "no message");
    super(`Kube${reason}`, `${input.request} was answered ${input.status} ${reason}: ${said}`, {
      disposition: decideDisposition(input.status),
      evidence: { request: input.request, status: input.status, reason },
    });
    this.status = input.status;
    this.reason = reason;
    this.retryAfterMs = input.retryAfterMs;
    this.details = status?.details;
    this.body = input.body;
  }
}

const retryable = new Set([401, 408, 409, 410, 429]);

function decideDisposition(status: number): Disposition {
  return status >= 500 || retryable.has(status) ? "retry" : "reject";
}

export function isNotFound(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 404;
}

/** A write lost against another one: read again and decide anew. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 409 && error.reason !== "AlreadyExists";
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 409 && error.reason === "AlreadyExists";
}

/** The object itself is not what the server takes, now or later: a field is wrong, or a policy forbids it. */
export function isRefused(error: unknown): boolean {
  return error instanceof KubeApiError && (error.status === 422 || error.status === 400);
}

/**
 * The resource version asked for is unknown to the server: list again. Either it is too old, or, after a restore from a
 * backup, it lies in a future that never was.
 */
export function isGone(error: unknown): boolean {
  if (!(error instanceof KubeApiError)) return false;
  if (error.status === 410 || error.reason === "Expired") return true;
  return error.details?.causes?.some((cause) => cause.reason === "ResourceVersionTooLarge") ?? false;
}

/** How long the server asked to wait, if it did. */
export function retryAfterOf(error: unknown): number | undefined {
  return error instanceof KubeApiError ? error.retryAfterMs : undefined;
}

/** Header `Retry-After` (seconds or a date) or the Status's own hint, in milliseconds. */
export function parseRetryAfterMs(header: string | undefined, status: KubeStatus | undefined): number | undefined {
  if (header !== undefined) {
    const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
    if (Number.isFinite(ms)) return Math.max(0, ms);
  }
  const seconds = status?.details?.retryAfterSeconds;
  return seconds === undefined ? undefined : seconds * 1000;
}
