import { describe, expect, it } from "vitest";
import type { Container } from "../../../../src/embedded/kubelet/core-types.ts";
import { runProbes } from "../../../../src/embedded/kubelet/probe-loop.ts";
import { advanceProbe, computeProbeTiming, initialProbeState } from "../../../../src/embedded/kubelet/probe-state.ts";
import { aContainer, FakeClock } from "./builders.ts";

describe("advanceProbe", () => {
  const timing = computeProbeTiming({ successThreshold: 2, failureThreshold: 3 });
  it.each([
    { outcomes: "s", want: "unknown" },
    { outcomes: "ss", want: "success" },
    { outcomes: "sfs", want: "unknown" },
    { outcomes: "ssff", want: "success" },
    { outcomes: "ssfff", want: "failure" },
    { outcomes: "ssffsff", want: "success" },
    { outcomes: "fffs", want: "failure" },
    { outcomes: "fffss", want: "success" },
  ])("is $want after $outcomes", ({ outcomes, want }) => {
    const state = [...outcomes].reduce(
      (before, outcome) => advanceProbe(before, outcome === "s", timing),
      initialProbeState,
    );
    expect(state.verdict).toBe(want);
  });

  it("has the defaults of the Kubernetes API", () => {
    expect(computeProbeTiming({})).toEqual({
      initialDelayMs: 0,
      periodMs: 10_000,
      timeoutMs: 1_000,
      successThreshold: 1,
      failureThreshold: 3,
    });
  });
});

/** Runs the probes of a container whose every attempt answers `isHealthy()`. */
function watch(container: Partial<Container>, isHealthy: (nowMs: number) => boolean) {
  const clock = new FakeClock(0);
  const seen: string[] = [];
  const ending = new AbortController();
  const at = () => `${clock.now() / 1000}s`;
  const done = runProbes({
    container: aContainer(container),
    attempt: async () => ({ succeeded: isHealthy(clock.now()), message: "no" }),
    listener: {
      onStarted: () => seen.push(`started ${at()}`),
      onReady: (isReady) => seen.push(`${isReady ? "ready" : "unready"} ${at()}`),
      onUnhealthy: (kind) => seen.push(`${kind} failed ${at()}`),
      onFailure: () => undefined,
    },
    clock,
    signal: ending.signal,
  });
  const end = async () => {
    ending.abort(new Error("over"));
    await done;
  };
  return { clock, seen, end };
}

const exec = { command: ["true"] };

describe("runProbes", () => {
  it("restarts a container after three failed liveness probes", async () => {
    const probes = watch({ livenessProbe: { exec, initialDelaySeconds: 5 } }, () => false);
    await probes.clock.advance(60_000);
    expect(probes.seen).toEqual(["liveness failed 25s"]);
    await probes.end();
  });

  it("holds back liveness and readiness until the startup probe passes", async () => {
    const probe = { exec, periodSeconds: 2 };
    const container = { startupProbe: { ...probe, failureThreshold: 10 }, livenessProbe: probe, readinessProbe: probe };
    const probes = watch(container, (now) => now >= 10_000);
    await probes.clock.advance(20_000);
    expect(probes.seen).toEqual(["started 10s", "ready 10s"]);
    await probes.end();
  });

  it("gives up on a container that does not start", async () => {
    const probes = watch(
      { startupProbe: { exec, periodSeconds: 1, failureThreshold: 4 }, readinessProbe: { exec } },
      () => false,
    );
    await probes.clock.advance(30_000);
    expect(probes.seen).toEqual(["startup failed 3s"]);
    await probes.end();
  });

  it("takes readiness away and gives it back", async () => {
    const readinessProbe = { exec, periodSeconds: 1, failureThreshold: 2 };
    const probes = watch({ readinessProbe }, (now) => now < 3_000 || now >= 8_000);
    await probes.clock.advance(10_000);
    expect(probes.seen).toEqual(["ready 0s", "unready 4s", "ready 8s"]);
    await probes.end();
  });

  it("leaves no timer behind when the container ends", async () => {
    const probes = watch({ livenessProbe: { exec }, readinessProbe: { exec } }, () => true);
    await probes.clock.advance(1_000);
    expect(probes.clock.sleeping).toBe(2);
    await probes.end();
    expect(probes.clock.sleeping).toBe(0);
  });
});
