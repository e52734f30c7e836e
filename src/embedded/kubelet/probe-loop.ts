/**
 * Runs the probes of one container run: first the startup probe alone, then liveness and readiness side by side.
 * Effects: handlers, timers; ends with the signal, which the run aborts when its process ends.
 */
import type { Clock } from "../../base/clock.ts";
import type { Container, Probe } from "./core-types.ts";
import type { HandlerOutcome } from "./handler-run.ts";
import { advanceProbe, computeProbeTiming, initialProbeState, type ProbeTiming } from "./probe-state.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";

export interface ProbeListener {
  onStarted(): void;
  onReady(isReady: boolean): void;
  /** The container must be restarted. */
  onUnhealthy(kind: ProbeKind, message: string): void;
  /** Every failed attempt, for the events. */
  onFailure(kind: ProbeKind, message: string): void;
}

export interface ProbeLoopInput {
  readonly container: Container;
  readonly attempt: (probe: Probe, timing: ProbeTiming) => Promise<HandlerOutcome>;
  readonly listener: ProbeListener;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Resolves when the signal aborts or nothing is left to probe; never rejects because of a probe. */
export async function runProbes(input: ProbeLoopInput): Promise<void> {
  const { startupProbe, livenessProbe, readinessProbe } = input.container;
  const startedAt = input.clock.monotonic();
  if (startupProbe !== undefined && !(await runStartup(startupProbe, input, startedAt))) return;
  await Promise.all([
    livenessProbe === undefined ? undefined : runLiveness(livenessProbe, input, startedAt),
    readinessProbe === undefined ? undefined : runReadiness(readinessProbe, input, startedAt),
  ]);
}

async function runStartup(probe: Probe, input: ProbeLoopInput, startedAt: number): Promise<boolean> {
  for await (const change of watchProbe("startup", probe, input, startedAt)) {
    if (change.verdict === "success") {
      input.listener.onStarted();
      return true;
    }
    input.listener.onUnhealthy("startup", change.message);
    return false;
  }
  return false;
}

async function runLiveness(probe: Probe, input: ProbeLoopInput, startedAt: number): Promise<void> {
  for await (const change of watchProbe("liveness", probe, input, startedAt)) {
    if (change.verdict === "success") continue;
    input.listener.onUnhealthy("liveness", change.message);
    return;
  }
}

async function runReadiness(probe: Probe, input: ProbeLoopInput, startedAt: number): Promise<void> {
  for await (const change of watchProbe("readiness", probe, input, startedAt)) {
    input.listener.onReady(change.verdict === "success");
  }
}

interface VerdictChange {
  readonly verdict: "success" | "failure";
  readonly message: string;
}

async function* watchProbe(
  kind: ProbeKind,
  probe: Probe,
  input: ProbeLoopInput,
  startedAt: number,
): AsyncGenerator<VerdictChange> {
  const timing = computeProbeTiming(probe);
  let state = initialProbeState;
  await pause(input, startedAt + timing.initialDelayMs - input.clock.monotonic());
  while (!input.signal.aborted) {
    const outcome = await input.attempt(probe, timing);
    if (input.signal.aborted) return;
    if (!outcome.succeeded) input.listener.onFailure(kind, outcome.message);
    const next = advanceProbe(state, outcome.succeeded, timing);
    const changed = next.verdict !== state.verdict && next.verdict !== "unknown";
    state = next;
    if (changed) yield { verdict: next.verdict, message: outcome.message };
    await pause(input, timing.periodMs);
  }
}

async function pause(input: ProbeLoopInput, ms: number): Promise<void> {
  if (ms <= 0 || input.signal.aborted) return;
  await input.clock.sleep(ms, input.signal).catch((error: unknown) => {
    if (!input.signal.aborted) throw error;
  });
}
