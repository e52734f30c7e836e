/** A planned task as a user would apply it, and what may come of it. */
import type { InferenceTaskSpec } from "../../../src/api/v1alpha1/generated/inferencetasks.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { aTask } from "../../integration/operator/operator-fixture.ts";
import { slowAbove } from "./members.ts";
import type { PlannedTask, TaskKind } from "./plan.ts";

export interface ModelFile {
  readonly uri: string;
  readonly digest: string;
}

export interface Expectation {
  readonly phases: readonly ("Succeeded" | "Failed" | "Rejected" | "Deleted" | "Pending" | "Queued")[];
  /** What the attempts or conditions of a task that failed must speak of, where it is the task's own fault. */
  readonly reason?: RegExp;
}

/** Under faults a good task may run out of attempts; then it says so, and is not paid. */
export const expectations: Readonly<Record<TaskKind, Expectation>> = {
  plain: { phases: ["Succeeded"] },
  slow: { phases: ["Succeeded"] },
  suspended: { phases: ["Succeeded"] },
  deleted: { phases: ["Deleted"] },
  "too-slow": { phases: ["Failed"] },
  "bad-input": { phases: ["Failed"], reason: /InputInvalid/ },
  "wrong-digest": { phases: ["Failed"], reason: /DigestMismatch/ },
  // Waits for an order that allows it, and says so.
  "over-order": { phases: ["Pending"], reason: /RewardAboveOrder/ },
  leased: { phases: ["Succeeded"] },
  unjudged: { phases: ["Failed"] },
  unplaceable: { phases: ["Queued"], reason: /tier/i },
};

/** It is at its end where it waits and says why. */
export const isWaitedFor = ({ phases }: Expectation) => phases.includes("Pending") || phases.includes("Queued");

/** @param slowness time is given so many times as on a machine of its own */
export function buildTask({ name, kind, x }: PlannedTask, model: ModelFile, slowness: number): TaskObject {
  const input = (value: number, tensor = "x") => ({
    inline: { [tensor]: { dtype: "float32" as const, shape: [1], data: [value] } },
  });
  const changes: Readonly<Record<TaskKind, Partial<InferenceTaskSpec>>> = {
    plain: {},
    deleted: {},
    suspended: { suspend: true },
    slow: { input: input(slowAbove + x) },
    "too-slow": { input: input(slowAbove + 60_000), timeoutSeconds: 1, retries: 0, deadlineSeconds: 8 },
    "bad-input": { input: input(x, "z") },
    "wrong-digest": { model: { ...model, format: "onnx" as const, digest: `sha256:${"0".repeat(63)}1` } },
    "over-order": { reward: "11" },
    leased: { input: input(slowAbove + x), timeoutSeconds: 60, retries: 0 },
    unjudged: { deadlineSeconds: 8 },
    unplaceable: { tier: "High", priority: 100 },
  };
  const verification = { policy: "Exact" as const, validators: 3, quorum: 2 };
  return aTask(name, {
    model: { ...model, format: "onnx" },
    input: input(x),
    timeoutSeconds: Math.ceil(3 * slowness),
    retries: 5,
    verification,
    ...changes[kind],
  });
}
