/** What a container that could not be started shows, and when it is tried again. Pure but for the jitter of the backoff. */
import { computeBackoffMs } from "../../base/backoff.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { WaitingState } from "./status-types.ts";

/** A table of images does not change by itself, so this is rarely worth another look. */
const neverPullRetryMs = 300_000;
const configBackoff = { initialMs: 2_000, maxMs: 60_000 };

export interface StartFailure {
  /** `undefined`: it goes on showing what it showed before. */
  readonly waiting: WaitingState | undefined;
  readonly retryDelayMs: number;
}

/** @param failures how often this start has failed before */
export function classifyStartFailure(error: unknown, failures: number): StartFailure {
  const message = describeError(error);
  if (error instanceof InferiumError && error.code === "ErrImageNeverPull") {
    return { waiting: { reason: error.code, message }, retryDelayMs: neverPullRetryMs };
  }
  const waiting = isMountFailure(error) ? undefined : { reason: "CreateContainerConfigError", message };
  return { waiting, retryDelayMs: computeBackoffMs(failures + 1, configBackoff) };
}

/** As in Kubernetes, a volume that is not there yet shows in the events alone. */
export function isMountFailure(error: unknown): boolean {
  return error instanceof InferiumError && error.code === "FailedMount";
}

/** The program could not be executed: the container counts as run and ended, as in Kubernetes. */
export function isStartError(error: unknown): error is InferiumError {
  return error instanceof InferiumError && error.code === "StartError";
}

export const startErrorExitCode = 128;
