import { describe, expect, test } from "vitest";
import type { InferenceTaskStatus } from "../../../src/api/v1alpha1/generated/inferencetasks.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { KubeClient } from "../../../src/kube/client.ts";
import { createRetireTasks } from "../../../src/operator/controllers/retire.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import type { TaskLedger } from "../../../src/operator/ledger.ts";

const finishedAt = "2026-01-01T00:00:00Z";
const condition = (type: string, status: "True" | "False") => ({
  ...{ type, status, reason: "Because", message: "because", lastTransitionTime: finishedAt },
});
const done: InferenceTaskStatus = {
  observedGeneration: 1,
  phase: "Succeeded",
  conditions: [condition("Ready", "True")],
};

async function retire(status: InferenceTaskStatus, secondsLater: number) {
  const deleted: string[] = [];
  const task = { metadata: { namespace: "demo", name: "job" }, spec: { ttlSecondsAfterFinished: 60 } };
  const reconcile = createRetireTasks({
    ledger: { get: () => ({ key: "demo/job", uid: "uid", task, status }) } as unknown as TaskLedger,
    client: {
      delete: async ({ name }: { name: string }) => void deleted.push(name),
    } as unknown as KubeClient<TaskObject>,
    clock: { now: () => Date.parse(finishedAt) + secondsLater * 1_000 } as Clock,
  });
  return { again: await reconcile("demo/job", new AbortController().signal), deleted };
}

describe("a finished task", () => {
  test("is deleted when its time to live is over, and not before", async () => {
    expect(await retire(done, 59)).toEqual({ again: { requeueAfterMs: 1_000 }, deleted: [] });
    expect(await retire(done, 60)).toEqual({ again: undefined, deleted: ["job"] });
  });

  test("stays while its result is disputed: the jury has to run it again", async () => {
    const disputed = { ...done, conditions: [condition("Ready", "True"), condition("Disputed", "True")] };
    expect(await retire(disputed, 61)).toEqual({ again: { requeueAfterMs: 60_000 }, deleted: [] });
    const answered = { ...done, conditions: [condition("Ready", "True"), condition("Disputed", "False")] };
    expect((await retire(answered, 61)).deleted).toEqual(["job"]);
  });
});
