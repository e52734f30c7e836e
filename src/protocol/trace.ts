/**
 * What happened to a pool, as lines that can be played again: the pool is deterministic, so the same lines give the same
 * decisions. Written by the operator, read by `inferium replay`. Pure.
 */
import { InferiumError } from "../base/errors.ts";
import type { SharePolicies } from "./fair-share.ts";
import type { WorkerFacts } from "./matching.ts";
import type { RunningAlready, WaitingTask } from "./waiting-task.ts";

/** Only what had an effect is told. */
export type PoolEvent =
  | { readonly op: "add"; readonly task: WaitingTask }
  | { readonly op: "occupy"; readonly task: RunningAlready }
  | { readonly op: "remove" | "finish" | "relax" | "spare"; readonly id: string }
  | { readonly op: "reclaim" | "preempt"; readonly ids: readonly string[] }
  | TakeEvent;

export interface TakeEvent {
  readonly op: "take";
  readonly worker: WorkerFacts;
  readonly count: number;
  /** Signatures of the demands from which it was excluded for earlier failures. */
  readonly excluded: readonly string[];
  readonly taken: readonly string[];
}

interface BeginEvent {
  readonly op: "begin";
  readonly version: 1;
  readonly policies: SharePolicies;
}

export type TraceEvent = (PoolEvent | BeginEvent) & {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
};

/** One line of JSON, without its end. */
export function formatTraceEvent(event: TraceEvent): string {
  return JSON.stringify(event, (_, value: unknown) => (value instanceof Set ? [...value] : value));
}

const operations = new Set<unknown>([
  "begin",
  "add",
  "occupy",
  "remove",
  "finish",
  "relax",
  "spare",
  "reclaim",
  "preempt",
  "take",
]);

/** @throws InferiumError InvalidTrace, with the number of the line */
export function parseTraceEvent(line: string, number: number): TraceEvent {
  try {
    const event = JSON.parse(line) as TraceEvent;
    if (!operations.has(event?.op) || !Number.isFinite(event.atMs))
      throw new SyntaxError("it has no known op and atMs");
    if (event.op === "begin" && event.version !== 1) throw new SyntaxError(`version is ${event.version}, expected 1`);
    if (event.op !== "take") return event;
    return { ...event, worker: { ...event.worker, models: new Set(event.worker.models) } };
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    const message = `Line ${number} of the trace cannot be used: ${problem}. Expected what an operator wrote to INFERIUM_TRACE_FILE.`;
    throw new InferiumError("InvalidTrace", message);
  }
}
