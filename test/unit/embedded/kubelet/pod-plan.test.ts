import { describe, expect, it } from "vitest";
import {
  type ContainerRecord,
  createRecords,
  markStarted,
  markTerminated,
} from "../../../../src/embedded/kubelet/container-record.ts";
import type { Pod, PodSpec } from "../../../../src/embedded/kubelet/core-types.ts";
import { defaultCrashBackoff } from "../../../../src/embedded/kubelet/crash-backoff.ts";
import { decidePod } from "../../../../src/embedded/kubelet/decide-pod.ts";
import { computePodStatus } from "../../../../src/embedded/kubelet/pod-status.ts";
import { aContainer, aPod } from "./builders.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const time = "2026-01-01T00:00:00Z";

/** One letter per container: w never started, r running, 0 succeeded, 1 failed just now, c failed for the second time. */
function recordsOf(pod: Pod, states: string): readonly ContainerRecord[] {
  return createRecords(pod).map((record, index) => bring(record, states[index] ?? "w"));
}

function bring(record: ContainerRecord, state: string): ContainerRecord {
  const start = (one: ContainerRecord) =>
    markStarted(one, { containerId: "id", startedAt: time, now }, defaultCrashBackoff);
  const end = (one: ContainerRecord, exitCode: number) =>
    markTerminated(one, { exitCode, reason: exitCode === 0 ? "Completed" : "Error", finishedAt: time }, now);
  if (state === "r") return start(record);
  if (state === "0") return end(start(record), 0);
  if (state === "1") return end(start(record), 1);
  if (state === "c") return end(start(end(start(record), 1)), 1);
  return record;
}

function evaluate(spec: Partial<PodSpec>, states: string) {
  const pod = aPod(spec);
  const records = recordsOf(pod, states);
  const plan = decidePod({ pod, records, now, backoff: defaultCrashBackoff });
  const delays = new Map([...plan.backingOff].map(([name, until]) => [name, until - now]));
  const facts = { hostIP: "127.0.0.1", podIP: "127.0.0.1", startTime: time, now: time, verdict: undefined };
  const { initialized, finished } = plan;
  return { plan, status: computePodStatus({ pod, records, initialized, finished, backingOff: delays, ...facts }) };
}

const init = { initContainers: [aContainer({ name: "i1" }), aContainer({ name: "i2" })] };
const sidecar = { initContainers: [aContainer({ name: "side", restartPolicy: "Always" })] };
const pair = { containers: [aContainer({ name: "a" }), aContainer({ name: "b" })] };

describe("decidePod and computePodStatus", () => {
  const cases: {
    name: string;
    spec: Partial<PodSpec>;
    states: string;
    start?: string[];
    stop?: string[];
    finished?: boolean;
    phase: string;
  }[] = [
    { name: "a new pod starts all its containers", spec: pair, states: "ww", start: ["a", "b"], phase: "Pending" },
    { name: "a running pod needs nothing", spec: pair, states: "rr", phase: "Running" },
    { name: "the first init container goes first", spec: init, states: "www", start: ["i1"], phase: "Pending" },
    { name: "an init container that runs holds the rest back", spec: init, states: "rww", phase: "Pending" },
    { name: "the second init container follows", spec: init, states: "0ww", start: ["i2"], phase: "Pending" },
    { name: "the main container follows the last", spec: init, states: "00w", start: ["main"], phase: "Pending" },
    { name: "a failed init container starts again", spec: init, states: "1ww", start: ["i1"], phase: "Pending" },
    {
      name: "a failed init container under Never fails the pod",
      spec: { ...init, restartPolicy: "Never" },
      states: "1ww",
      finished: true,
      phase: "Failed",
    },
    { name: "under Always a success starts again", spec: {}, states: "0", start: ["main"], phase: "Running" },
    {
      name: "under OnFailure a failure starts again",
      spec: { restartPolicy: "OnFailure" },
      states: "1",
      start: ["main"],
      phase: "Running",
    },
    {
      name: "under OnFailure a success is the end",
      spec: { restartPolicy: "OnFailure" },
      states: "0",
      finished: true,
      phase: "Succeeded",
    },
    {
      name: "under Never a failure is the end",
      spec: { restartPolicy: "Never" },
      states: "1",
      finished: true,
      phase: "Failed",
    },
    {
      name: "one failure among successes fails the pod",
      spec: { ...pair, restartPolicy: "Never" },
      states: "01",
      finished: true,
      phase: "Failed",
    },
    { name: "one container of two goes on", spec: { ...pair, restartPolicy: "Never" }, states: "0r", phase: "Running" },
    { name: "a second crash waits", spec: {}, states: "c", phase: "Running" },
    {
      name: "a sidecar goes before the main container",
      spec: sidecar,
      states: "ww",
      start: ["side"],
      phase: "Pending",
    },
    {
      name: "a main container does not wait for a sidecar's end",
      spec: sidecar,
      states: "rw",
      start: ["main"],
      phase: "Pending",
    },
    {
      name: "a lost sidecar starts again beside its main container",
      spec: { ...sidecar, restartPolicy: "Never" },
      states: "1r",
      start: ["side"],
      phase: "Running",
    },
    {
      name: "a sidecar is stopped when the main container is over",
      spec: { ...sidecar, restartPolicy: "Never" },
      states: "r0",
      stop: ["side"],
      finished: true,
      phase: "Running",
    },
  ];
  it.each(cases)("$name", ({ spec, states, start = [], stop = [], finished = false, phase }) => {
    const { plan, status } = evaluate(spec, states);
    expect({ start: plan.start, stop: plan.stop, finished: plan.finished, phase: status.phase }).toEqual({
      start,
      stop,
      finished,
      phase,
    });
  });

  it("shows a container that waits after a crash as CrashLoopBackOff, with its end as the last state", () => {
    const { plan, status } = evaluate({}, "c");
    expect(plan.wakeAt).toBe(now + 10_000);
    expect(status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      ready: false,
      state: {
        waiting: { reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container=main pod=p_ns" },
      },
      lastState: { terminated: { exitCode: 1 } },
    });
  });

  const conditionCases = [
    {
      name: "waiting for init containers",
      spec: init,
      states: "0rw",
      want: { Initialized: "False", Ready: "False", ContainersReady: "False" },
    },
    { name: "running", spec: {}, states: "r", want: { Initialized: "True", Ready: "True", ContainersReady: "True" } },
    {
      name: "held by a readiness gate",
      spec: { readinessGates: [{ conditionType: "x/y" }] },
      states: "r",
      want: { Ready: "False", ContainersReady: "True" },
    },
    { name: "succeeded", spec: { restartPolicy: "Never" }, states: "0", want: { Initialized: "True", Ready: "False" } },
    {
      name: "probed and not ready",
      spec: { containers: [aContainer({ readinessProbe: {} })] },
      states: "r",
      want: { Ready: "False" },
    },
  ];
  it.each(conditionCases)("has the conditions of a pod that is $name", ({ spec, states, want }) => {
    const { status } = evaluate(spec, states);
    const got = Object.fromEntries((status.conditions ?? []).map((one) => [one.type, one.status]));
    expect(got).toMatchObject(want);
  });

  it("keeps the transition time of an unchanged condition, and conditions of others", () => {
    const old = "2025-01-01T00:00:00Z";
    const conditions = [
      { type: "Ready", status: "True", lastTransitionTime: old },
      { type: "ContainersReady", status: "False", lastTransitionTime: old },
      { type: "x/y", status: "True" },
    ];
    const pod = { ...aPod(), status: { conditions } };
    const records = recordsOf(pod, "r");
    const rest = {
      initialized: true,
      finished: false,
      backingOff: new Map(),
      verdict: undefined,
      hostIP: "h",
      podIP: "h",
    };
    const status = computePodStatus({ pod, records, startTime: time, now: time, ...rest });
    const times = Object.fromEntries((status.conditions ?? []).map((one) => [one.type, one.lastTransitionTime]));
    expect(times).toMatchObject({ Ready: old, ContainersReady: time });
    expect(status.conditions).toContainEqual({ type: "x/y", status: "True" });
  });
});
