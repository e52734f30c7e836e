/** Argo CD's view of our kinds: the scripts of manifests/argocd on objects of every state. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Health, runHealthScript } from "./run-health-script.ts";

const root = new URL("../../../", import.meta.url);
const { data } = parse(readFileSync(new URL("manifests/argocd/argocd-cm.yaml", root), "utf8")) as {
  readonly data: Readonly<Record<string, string>>;
};
const prefix = "resource.customizations.health.inferium.io_";
const healthOf = (kind: string, object: object) => runHealthScript(data[`${prefix}${kind}`] ?? "", object);

const condition = (type: string, status: "True" | "False", message: string, reason = "R") => ({
  ...{ type, status, reason, message, lastTransitionTime: "2026-01-01T00:00:00Z", observedGeneration: 1 },
});

interface Case {
  readonly name: string;
  readonly object: { readonly spec?: object; readonly status?: object };
  readonly want: Health;
}

const tasks: readonly Case[] = [
  {
    name: "just made",
    object: { spec: {} },
    want: { status: "Progressing", message: "No operator has taken it up yet." },
  },
  {
    name: "suspended",
    object: { spec: { suspend: true }, status: { phase: "Pending", observedGeneration: -1 } },
    want: { status: "Suspended", message: "It is suspended: set spec.suspend to false." },
  },
  {
    name: "waiting",
    object: {
      status: { phase: "Queued", conditions: [condition("Reconciling", "True", "0/6 workers: 3 below tier Mid.")] },
    },
    want: { status: "Progressing", message: "0/6 workers: 3 below tier Mid." },
  },
  {
    name: "settled",
    object: { spec: {}, status: { phase: "Succeeded", conditions: [condition("Settled", "True", "Batch 7.")] } },
    want: { status: "Healthy", message: "Batch 7." },
  },
  {
    name: "settled and overturned by a jury",
    object: {
      status: {
        phase: "Succeeded",
        conditions: [
          condition("Settled", "True", "Batch 7."),
          condition("Overturned", "True", "A jury found it wrong."),
        ],
      },
    },
    want: { status: "Degraded", message: "A jury found it wrong." },
  },
  {
    name: "failed",
    object: { status: { phase: "Failed", conditions: [condition("Stalled", "True", "No attempt is left.")] } },
    want: { status: "Degraded", message: "No attempt is left." },
  },
  {
    name: "rejected",
    object: { status: { phase: "Rejected" } },
    want: { status: "Degraded", message: "It is Rejected." },
  },
];

const ready = (status: "True" | "False", reason: string) => ({
  status: { conditions: [condition("Bonded", "True", "b"), condition("Ready", status, "why", reason)] },
});
const nodes: readonly Case[] = [
  {
    name: "just made",
    object: {},
    want: { status: "Progressing", message: "No operator has taken notice of it yet." },
  },
  { name: "connected", object: ready("True", "Connected"), want: { status: "Healthy", message: "why" } },
  { name: "cordoned", object: ready("False", "Cordoned"), want: { status: "Suspended", message: "why" } },
  ...["NotBonded", "NotElected", "NotProven"].map((reason) => ({
    name: reason,
    object: ready("False", reason),
    want: { status: "Progressing", message: "why" },
  })),
  { name: "offline", object: ready("False", "Offline"), want: { status: "Degraded", message: "why" } },
  { name: "banned", object: ready("False", "Disqualified"), want: { status: "Degraded", message: "why" } },
];

const validations: readonly Case[] = [
  { name: "just made", object: {}, want: { status: "Progressing", message: "The vote is open: Committing." } },
  {
    name: "revealing",
    object: { status: { phase: "Revealing" } },
    want: { status: "Progressing", message: "The vote is open: Revealing." },
  },
  {
    name: "decided",
    object: { status: { phase: "Decided", accepted: 2, rejected: 1, verdicts: ["Accepted", "Rejected", "Accepted"] } },
    want: { status: "Healthy", message: "2 accepted, 1 rejected." },
  },
  {
    name: "decided without a quorum",
    object: { status: { phase: "Decided", verdicts: ["Accepted", "Inconclusive"] } },
    want: { status: "Suspended", message: "No quorum for one of the receipts; a larger panel votes." },
  },
];

const models: readonly Case[] = [
  { name: "just made", object: {}, want: { status: "Progressing", message: "No operator has taken it up yet." } },
  {
    name: "being checked",
    object: { status: { conditions: [{ ...condition("Approved", "False", "Validators look."), status: "Unknown" }] } },
    want: { status: "Progressing", message: "Validators look." },
  },
  {
    name: "approved",
    object: { status: { conditions: [condition("Approved", "True", "2 validators found the same.")] } },
    want: { status: "Healthy", message: "2 validators found the same." },
  },
  {
    name: "refused",
    object: { status: { conditions: [condition("Approved", "False", "A constant lies outside the file.")] } },
    want: { status: "Degraded", message: "A constant lies outside the file." },
  },
];

const waiting: readonly Case[] = [
  { name: "just made", object: {}, want: { status: "Progressing", message: "No operator has taken it up yet." } },
  {
    name: "stalled",
    object: { spec: { suspend: true }, status: { conditions: [condition("Stalled", "True", "No such agent.")] } },
    want: { status: "Degraded", message: "No such agent." },
  },
  {
    name: "suspended",
    object: { spec: { suspend: true }, status: { conditions: [condition("Ready", "True", "r")] } },
    want: { status: "Suspended", message: "It is suspended: set spec.suspend to false." },
  },
  {
    name: "ready",
    object: { spec: {}, status: { conditions: [condition("Stalled", "False", "s"), condition("Ready", "True", "r")] } },
    want: { status: "Healthy", message: "r" },
  },
  {
    name: "not ready yet",
    object: { spec: {}, status: { phase: "Running", conditions: [condition("Ready", "False", "0 of 2 replicas.")] } },
    want: { status: "Progressing", message: "0 of 2 replicas." },
  },
];
const leaderboards: readonly Case[] = [
  ...waiting,
  {
    name: "without a ranking after its run",
    object: {
      spec: {},
      status: { phase: "Failed", conditions: [condition("Ready", "False", "No model was ranked.")] },
    },
    want: { status: "Degraded", message: "No model was ranked." },
  },
];

describe.each([
  ["Agent", waiting],
  ["Leaderboard", leaderboards],
  ["Model", models],
  ["InferenceTask", tasks],
  ["WorkerNode", nodes],
  ["Validation", validations],
])("Argo CD finds a %s", (kind, cases) => {
  test.each(cases)("that is $name $want.status", ({ object, want }) => {
    expect(healthOf(kind, object)).toEqual(want);
  });
});

test("every kind of ours has a script, and no other", () => {
  expect(Object.keys(data).sort()).toEqual(
    ["Agent", "InferenceTask", "Leaderboard", "Model", "Validation", "WorkerNode"].map((kind) => prefix + kind),
  );
});

test("every phase of a task is told apart: none that is over is still progressing", () => {
  const { spec } = parse(readFileSync(new URL("crds/inferencetasks.yaml", root), "utf8"));
  const phases: string[] = spec.versions[0].schema.openAPIV3Schema.properties.status.properties.phase.enum;
  const found = Object.fromEntries(
    phases.map((phase) => [phase, healthOf("InferenceTask", { status: { phase } }).status]),
  );
  expect(Object.keys(found).filter((phase) => found[phase] !== "Progressing")).toEqual([
    "Succeeded",
    "Failed",
    "Rejected",
  ]);
});
