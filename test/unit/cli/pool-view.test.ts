import { expect, test } from "vitest";
import type { InferenceTask, WorkerNode } from "../../../src/api/v1alpha1/types.ts";
import { formatPool, viewPool } from "../../../src/cli/pool-view.ts";

const aTask = (phase?: string) =>
  ({ metadata: { name: "t" }, ...(phase ? { status: { phase } } : {}) }) as InferenceTask;
const aMember = (name: string, role: string, status: object, spec: object = {}) =>
  ({ metadata: { name }, spec: { role, slots: 2, cordoned: false, ...spec }, status }) as unknown as WorkerNode;
const ready = { conditions: [{ type: "Ready", status: "True", reason: "r", message: "m", lastTransitionTime: "t" }] };

const members = [
  aMember("v1", "Validator", { ...ready, tier: "High" }),
  aMember("w-low", "Worker", { ...ready, tier: "Low", active: 2 }),
  aMember("w-new", "Worker", {}),
  aMember("w-high", "Worker", {
    ...ready,
    tier: "High",
    capability: { level: "Inspected" },
    hardware: { summary: "4x A100" },
    bond: { state: "Active" },
    reputation: { completed: 5, failed: 1, rejected: 0, score: "0.9000" },
  }),
  aMember("w-cordoned", "Worker", { ...ready, tier: "Mid" }, { cordoned: true }),
];

test("counts tasks by phase in the order of the flow; a task without status is pending", () => {
  const view = viewPool([aTask("Succeeded"), aTask(), aTask("Queued"), aTask("Queued")], []);
  expect(view.tasks).toEqual({ total: 4, byPhase: { Pending: 1, Queued: 2, Succeeded: 1 } });
  expect(formatPool(view)).toEqual([
    "Tasks: 4 (Pending 1, Queued 2, Succeeded 1)",
    "",
    "No workers and no validators yet.",
  ]);
});

test("lists workers by tier and then validators", () => {
  const { members: shown } = viewPool([], members);
  expect(shown.map(({ name }) => name)).toEqual(["w-high", "w-cordoned", "w-low", "w-new", "v1"]);
});

test("a cordoned member is not ready, and one that is unknown is said to be so", () => {
  const shown = Object.fromEntries(viewPool([], members).members.map((member) => [member.name, member]));
  expect(shown["w-cordoned"]?.ready).toBe(false);
  expect(shown["w-low"]).toMatchObject({ ready: true, active: 2, slots: 2 });
  expect(shown["w-new"]).toMatchObject({ tier: "Unknown", level: "Unknown", bond: "None", ready: false });
});

test("shows what a member is matched by, not what its agent says", () => {
  const claims = { ...ready, tier: "High", capability: { level: "Inspected" } };
  const shown = viewPool(
    [],
    [
      aMember("a", "Worker", { ...claims, proven: { level: "Challenged", tier: "High" } }),
      aMember("b", "Worker", { ...claims, proven: { level: "Inspected", tier: "Low" } }),
      aMember("c", "Worker", { ...claims, proven: { level: "Declared" } }),
    ],
  ).members;
  expect(shown.map(({ name, tier, level }) => [name, tier, level])).toEqual([
    ["a", "High", "Challenged"],
    ["b", "Low", "Inspected"],
    ["c", "None", "Declared"],
  ]);
});

test("prints a table", () => {
  const lines = formatPool(viewPool([], members.slice(3, 4)));
  expect(lines.slice(2)).toEqual([
    "NAME     ROLE     TIER   PROVEN      READY   BOND     ACTIVE   SCORE    DONE   FAILED   REJECTED   GPU",
    "w-high   Worker   High   Inspected   yes     Active   0/2      0.9000   5      1        0          4x A100",
  ]);
});
