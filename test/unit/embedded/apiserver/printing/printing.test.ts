import { describe, expect, test } from "vitest";
import { formatDuration } from "../../../../../src/embedded/apiserver/printing/age.ts";
import { compileJsonPath } from "../../../../../src/embedded/apiserver/printing/jsonpath.ts";
import { podColumns, podStatusWord } from "../../../../../src/embedded/apiserver/printing/pod-columns.ts";

const s = 1000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;

describe("ages", () => {
  const cases: Array<[ms: number, want: string]> = [
    [0, "0s"],
    [119 * s, "119s"],
    [120 * s, "2m"],
    [3 * m + 20 * s, "3m20s"],
    [12 * m + 20 * s, "12m"],
    [179 * m, "179m"],
    [5 * h + 10 * m, "5h10m"],
    [9 * h + 10 * m, "9h"],
    [3 * d + 4 * h, "3d4h"],
    [100 * d + 4 * h, "100d"],
    [800 * d, "2y70d"],
    [9 * 365 * d, "9y"],
    [-5 * s, "<invalid>"],
  ];
  test.each(cases)("%d ms is %s", (ms, want) => expect(formatDuration(ms)).toBe(want));
});

describe("JSON paths of columns", () => {
  const object = {
    spec: {
      a: { "b.c": 1 },
      list: [
        { n: "x", v: 1 },
        { n: "y", v: 2 },
      ],
      "odd-name": 3,
    },
    status: {
      conditions: [
        { type: "Other", status: "False" },
        { type: "Ready", status: "True" },
      ],
    },
  };
  const cases: Array<{ path: string; want: unknown[] }> = [
    { path: ".spec.list[0].n", want: ["x"] },
    { path: ".spec.list[-1].n", want: ["y"] },
    { path: ".spec.list[*].v", want: [1, 2] },
    { path: '.status.conditions[?(@.type=="Ready")].status', want: ["True"] },
    { path: ".status.conditions[?(@.type=='None')].status", want: [] },
    { path: ".spec.list[?(@.v>1)].n", want: ["y"] },
    { path: ".spec.a.b\\.c", want: [1] },
    { path: ".spec['odd-name']", want: [3] },
    { path: "{.spec.odd-name}", want: [3] },
    { path: ".spec.missing.deep", want: [] },
    { path: ".constructor", want: [] },
  ];
  test.each(cases)("$path", ({ path, want }) => expect(compileJsonPath(path)(object)).toEqual(want));
  test.each([".a[", ".a[?(@.b==)]", "..a", "a"])("%s is refused", (path) =>
    expect(() => compileJsonPath(path)).toThrow(/cannot read/),
  );
});

describe("the status word of a pod", () => {
  const pod = (status: object, more: object = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", ...more },
    spec: { containers: [{}], initContainers: [{}] },
    status,
  });
  const container = (state: object, more: object = {}) => ({
    phase: "Running",
    containerStatuses: [{ state, ...more }],
  });
  const cases: Array<{ name: string; pod: ReturnType<typeof pod>; want: string }> = [
    { name: "the phase, when there is nothing better", pod: pod({ phase: "Pending" }), want: "Pending" },
    {
      name: "why a container waits",
      pod: pod(container({ waiting: { reason: "CrashLoopBackOff" } })),
      want: "CrashLoopBackOff",
    },
    {
      name: "how a container ended",
      pod: pod(container({ terminated: { reason: "OOMKilled", exitCode: 137 } })),
      want: "OOMKilled",
    },
    {
      name: "its exit code without a reason",
      pod: pod(container({ terminated: { exitCode: 3 } })),
      want: "ExitCode:3",
    },
    {
      name: "completed",
      pod: pod({
        phase: "Succeeded",
        containerStatuses: [{ state: { terminated: { reason: "Completed", exitCode: 0 } } }],
      }),
      want: "Completed",
    },
    { name: "evicted by its reason", pod: pod({ phase: "Failed", reason: "Evicted" }), want: "Evicted" },
    {
      name: "an init container that runs",
      pod: pod({ phase: "Pending", initContainerStatuses: [{ state: { running: {} } }] }),
      want: "Init:0/1",
    },
    {
      name: "an init container that runs and, being no sidecar, has to end",
      pod: pod({ phase: "Pending", initContainerStatuses: [{ name: "i", started: true, state: { running: {} } }] }),
      want: "Init:0/1",
    },
    {
      name: "an init container that failed",
      pod: pod({
        phase: "Pending",
        initContainerStatuses: [{ state: { terminated: { reason: "Error", exitCode: 1 } } }],
      }),
      want: "Init:Error",
    },
    {
      name: "terminating",
      pod: pod({ phase: "Running" }, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      want: "Terminating",
    },
    {
      name: "still failed while it is deleted",
      pod: pod({ phase: "Failed" }, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      want: "Failed",
    },
  ];
  test.each(cases)("$name", ({ pod: given, want }) => expect(podStatusWord(given)).toBe(want));
});

test("a started sidecar counts with the main containers, and so do its restarts", () => {
  const running = { running: {} };
  const lastState = { terminated: { finishedAt: "2026-01-01T00:00:00Z" } };
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "p" } },
    spec: { containers: [{ name: "main" }], initContainers: [{ name: "side", restartPolicy: "Always" }] },
    status: {
      phase: "Running",
      conditions: [{ type: "Initialized", status: "True" }],
      initContainerStatuses: [{ name: "side", started: true, ready: true, restartCount: 2, state: running, lastState }],
      containerStatuses: [{ name: "main", ready: true, restartCount: 0, state: running }],
    },
  };
  const [, ready, word, restarts] = podColumns.map((column) => column.value(pod, Date.parse("2026-01-01T00:01:00Z")));
  expect([ready, word, restarts]).toEqual(["2/2", "Running", "2 (60s ago)"]);
});
