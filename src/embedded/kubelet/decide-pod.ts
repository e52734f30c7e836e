/**
 * What to do next for a pod, from its spec and its containers' records. Pure; the pod worker applies the plan.
 * Order: init containers one after another, each to its end; sidecars until started; then all main containers; when
 * these have ended for good, the sidecars are stopped, the last one first, and the pod is over. Nothing starts before the
 * postStart hook of what was started before it has ended.
 */
import { type ContainerRecord, computeEndedAt } from "./container-record.ts";
import type { Pod } from "./core-types.ts";
import { type CrashBackoffOptions, computeRestartAt } from "./crash-backoff.ts";

export interface PodPlan {
  /** Containers to start now, in order. */
  readonly start: readonly string[];
  /** The sidecar to stop next, as the pod is over. */
  readonly stop: readonly string[];
  /** Containers that wait for their crash backoff, and until when (milliseconds since the epoch). */
  readonly backingOff: ReadonlyMap<string, number>;
  /** When the plan changes by itself; undefined when only an event can change it. */
  readonly wakeAt: number | undefined;
  /** No container will run again: the phase is final once the sidecars have ended. */
  readonly finished: boolean;
  readonly initialized: boolean;
}

export interface PlanInput {
  readonly pod: Pod;
  readonly records: readonly ContainerRecord[];
  readonly now: number;
  readonly backoff: CrashBackoffOptions;
}

/** What one container needs. */
type Need =
  | { readonly kind: "start" }
  | { readonly kind: "hook" }
  | { readonly kind: "wait"; readonly until: number; readonly crashed: boolean }
  | { readonly kind: "none" };

export function decidePod(input: PlanInput): PodPlan {
  const { records } = input;
  const mains = records.filter((record) => record.role === "main");
  const inits = records.filter((record) => record.role !== "main");
  const begun = mains.some(
    (record) =>
      record.starting || record.state.kind !== "waiting" || record.last !== undefined || record.retry !== undefined,
  );
  const blocker = begun ? undefined : inits.find((record) => !isInitStepDone(record));
  if (hasFailedForGood(input, blocker)) return finish(input, false);
  if (begun && mains.every((record) => isOver(input.pod, record))) return finish(input, true);
  const wanted = listWanted(inits, mains, blocker);
  return buildPlan(input, wanted, blocker === undefined);
}

function listWanted(
  inits: readonly ContainerRecord[],
  mains: readonly ContainerRecord[],
  blocker: ContainerRecord | undefined,
): readonly ContainerRecord[] {
  const sidecars = inits.filter((record) => record.role === "sidecar");
  if (blocker === undefined) return [...sidecars, ...mains];
  const earlier = inits.slice(0, inits.indexOf(blocker));
  return [...earlier.filter((record) => record.role === "sidecar"), blocker];
}

function buildPlan(input: PlanInput, wanted: readonly ContainerRecord[], initialized: boolean): PodPlan {
  const all = wanted.map((record) => [record.name, decideContainer(input, record)] as const);
  const hooked = all.findIndex(([, need]) => need.kind === "hook");
  const needs = hooked < 0 ? all : all.slice(0, hooked);
  const waits = needs.flatMap(([name, need]) => (need.kind === "wait" ? [{ name, ...need }] : []));
  return {
    start: needs.filter(([, need]) => need.kind === "start").map(([name]) => name),
    stop: [],
    backingOff: new Map(waits.filter((wait) => wait.crashed).map((wait) => [wait.name, wait.until])),
    wakeAt: waits.length === 0 ? undefined : Math.min(...waits.map((wait) => wait.until)),
    finished: false,
    initialized,
  };
}

function finish(input: PlanInput, initialized: boolean): PodPlan {
  const running = input.records.filter(
    (record) => record.role === "sidecar" && (record.starting || record.state.kind === "running"),
  );
  const stop = running.slice(-1).map((record) => record.name);
  return { start: [], stop, backingOff: new Map(), wakeAt: undefined, finished: true, initialized };
}

function decideContainer(input: PlanInput, record: ContainerRecord): Need {
  if (record.starting) return { kind: "hook" };
  if (record.state.kind === "running") return { kind: "none" };
  if (record.retry !== undefined) return waitUntil(input, record.retry.at, false);
  if (record.state.kind === "waiting") return { kind: "start" };
  if (isOver(input.pod, record)) return { kind: "none" };
  const finishedAt = computeEndedAt(record, input.now);
  return waitUntil(input, computeRestartAt(record.backoff, finishedAt, input.backoff), true);
}

function waitUntil(input: PlanInput, until: number, crashed: boolean): Need {
  return until <= input.now ? { kind: "start" } : { kind: "wait", until, crashed };
}

/** The container has ended and its policy lets it rest. */
export function isOver(pod: Pod, record: ContainerRecord): boolean {
  if (record.starting || record.state.kind !== "terminated") return false;
  const succeeded = record.state.terminated.exitCode === 0;
  if (record.role === "sidecar") return false;
  const policy = pod.spec.restartPolicy ?? "Always";
  if (policy === "Never") return true;
  // An init container that has succeeded is done under every policy.
  return succeeded && (policy === "OnFailure" || record.role === "init");
}

function isInitStepDone(record: ContainerRecord): boolean {
  if (record.role === "sidecar") return record.state.kind === "running" && record.started;
  return record.state.kind === "terminated" && record.state.terminated.exitCode === 0;
}

function hasFailedForGood(input: PlanInput, blocker: ContainerRecord | undefined): boolean {
  return blocker !== undefined && blocker.role === "init" && isOver(input.pod, blocker);
}
