/**
 * The state machine of a probe: consecutive outcomes against its thresholds. Pure. Driven by `probe-loop.ts`.
 */
import type { Probe } from "./core-types.ts";

export type ProbeVerdict = "unknown" | "success" | "failure";

export interface ProbeState {
  readonly verdict: ProbeVerdict;
  /** Length of the current run of equal outcomes. */
  readonly run: number;
  readonly lastOutcome: boolean | undefined;
}

export interface ProbeTiming {
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

/** The defaults are those of the Kubernetes API. */
export function computeProbeTiming(probe: Probe): ProbeTiming {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
    periodMs: Math.max(1, probe.periodSeconds ?? 10) * 1000,
    timeoutMs: Math.max(1, probe.timeoutSeconds ?? 1) * 1000,
    successThreshold: Math.max(1, probe.successThreshold ?? 1),
    failureThreshold: Math.max(1, probe.failureThreshold ?? 3),
  };
}

export const initialProbeState: ProbeState = { verdict: "unknown", run: 0, lastOutcome: undefined };

export function advanceProbe(state: ProbeState, outcome: boolean, timing: ProbeTiming): ProbeState {
  const run = state.lastOutcome === outcome ? state.run + 1 : 1;
  const threshold = outcome ? timing.successThreshold : timing.failureThreshold;
  const verdict = run < threshold ? state.verdict : outcome ? "success" : "failure";
  return { verdict, run, lastOutcome: outcome };
}
