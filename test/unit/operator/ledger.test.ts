import { Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import { KubeApiError } from "../../../src/kube/api-error.ts";
import type { KubeClient } from "../../../src/kube/client.ts";
import { keepTask } from "../../../src/operator/kept-task.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { TaskLedger } from "../../../src/operator/ledger.ts";
import { createOperatorMetrics } from "../../../src/operator/metrics.ts";
import { assignTask, explainTask } from "../../../src/protocol/lifecycle.ts";
import { stageOf } from "../../../src/protocol/task-stage.ts";

const key = "default/t";
const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() };

const keep = (task: TaskObject) => keepTask(structuredClone(task), key);

/** A server that holds one task and takes merge patches of its status. */
class FakeServer {
  task: TaskObject = {
    apiVersion: "inferium.io/v1alpha1",
    kind: "InferenceTask",
    metadata: { name: "t", namespace: "default", uid: "u1", resourceVersion: "1", generation: 1 },
    spec: { input: { uri: "https://x", digest: "d" } } as TaskObject["spec"],
    status: { observedGeneration: -1, phase: "Pending" },
  };
  patches: { metadata: { resourceVersion: string }; status: object }[] = [];

  readonly client = {
    get: async () => structuredClone(this.task),
    patch: async (_: unknown, { body }: { body: unknown }) => this.#patch(body as FakeServer["patches"][number]),
  } as unknown as KubeClient<TaskObject>;

  change(change: Partial<TaskObject>): void {
    const resourceVersion = String(Number(this.task.metadata.resourceVersion) + 1);
    this.task = { ...this.task, ...change, metadata: { ...this.task.metadata, resourceVersion } };
  }

  #patch(body: FakeServer["patches"][number]): TaskObject {
    if (body.metadata.resourceVersion !== this.task.metadata.resourceVersion) {
      throw new KubeApiError({ request: "PATCH", status: 409, body: { reason: "Conflict" } });
    }
    this.patches.push(body);
    this.change({ status: { ...this.task.status, ...body.status } as NonNullable<TaskObject["status"]> });
    return structuredClone(this.task);
  }
}

const explain = (ledger: TaskLedger, durable: boolean) =>
  ledger.change(key, {
    uid: "u1",
    stage: "queued",
    durable,
    decide: (status, context) => explainTask(status, { reason: "NoWorkers", message: "none" }, context),
  });
const assign = (ledger: TaskLedger) =>
  ledger.change(key, {
    uid: "u1",
    stage: "assigned",
    durable: true,
    decide: (status, context) =>
      stageOf(status) === "Wait"
        ? assignTask(status, { worker: "w", address: "0x1", attempt: 1, claimedAt: "", deadline: "" }, context)
        : undefined,
  });

describe("TaskLedger", () => {
  let server: FakeServer;
  let ledger: TaskLedger;
  beforeEach(() => {
    server = new FakeServer();
    ledger = new TaskLedger({ client: server.client, clock, metrics: createOperatorMetrics(new Registry()) });
    ledger.observe({ type: "added", key, object: keep(server.task) });
  });

  test("a durable change is one patch with the version that it was decided on", async () => {
    await assign(ledger);
    expect(server.patches).toHaveLength(1);
    expect(server.patches[0]?.metadata.resourceVersion).toBe("1");
    expect(ledger.get(key)?.status.phase).toBe("Assigned");
  });

  test("a draft holds at once, costs no write, and goes out with the next durable change", async () => {
    await explain(ledger, false);
    expect(ledger.get(key)?.status.phase).toBe("Queued");
    expect(server.patches).toEqual([]);
    await assign(ledger);
    expect(server.patches).toHaveLength(1);
    expect(server.task.status?.conditions?.map(({ type }) => type)).toContain("Queued");
  });

  test("flush writes a draft once, and nothing where there is none", async () => {
    await explain(ledger, false);
    await ledger.flush(key, "queued");
    await ledger.flush(key, "queued");
    expect(server.patches).toHaveLength(1);
  });

  test("a change of the spec in between is no obstacle", async () => {
    server.change({ spec: { ...server.task.spec, suspend: true } });
    await assign(ledger);
    expect(server.task).toMatchObject({ spec: { suspend: true }, status: { phase: "Assigned" } });
  });

  test("a status that somebody else wrote is taken as it is, and the change is not made", async () => {
    server.change({ status: { observedGeneration: 1, phase: "Failed" } });
    await expect(assign(ledger)).rejects.toMatchObject({ code: "StatusConflict" });
    expect(ledger.get(key)?.status.phase).toBe("Failed");
    expect(server.patches).toEqual([]);
  });

  test("of two changes at once the second decides on what the first has made", async () => {
    const [first, second] = await Promise.all([assign(ledger), assign(ledger)]);
    expect(server.patches).toHaveLength(1);
    expect(second).toEqual(first);
  });

  test("an older word of the server does not undo what was written", async () => {
    const old = keep(server.task);
    await assign(ledger);
    ledger.observe({ type: "updated", key, object: old, previous: old });
    expect(ledger.get(key)?.status.phase).toBe("Assigned");
  });

  test("of what was written and came back one object is kept, with the draft that is on top of it", async () => {
    await assign(ledger);
    const echo = keep(server.task);
    ledger.observe({ type: "updated", key, object: echo, previous: echo });
    expect(ledger.get(key)).toBe(echo);
    const draft = ledger.get(key)!.status;
    await ledger.change(key, {
      uid: "u1",
      stage: "x",
      durable: false,
      decide: () => ({ ...draft, phase: "Validating" }),
    });
    const again = keep(server.task);
    ledger.observe({ type: "updated", key, object: again, previous: echo });
    expect(ledger.get(key)).toMatchObject({ status: { phase: "Validating" } });
    expect(ledger.get(key)?.task.status).toBe(again.written);
  });

  test("a draft survives a change of the spec, and not a change of the status by somebody else", async () => {
    await explain(ledger, false);
    server.change({ spec: { ...server.task.spec, priority: 5 } });
    const changed = keep(server.task);
    ledger.observe({ type: "updated", key, object: changed, previous: changed });
    expect(ledger.get(key)).toMatchObject({ status: { phase: "Queued" }, task: { spec: { priority: 5 } } });
    server.change({ status: { observedGeneration: 1, phase: "Failed" } });
    ledger.observe({ type: "updated", key, object: keep(server.task), previous: changed });
    expect(ledger.get(key)?.status.phase).toBe("Failed");
  });

  test("a task of the same name that was made later is another one", async () => {
    const again = { ...server.task, metadata: { ...server.task.metadata, uid: "u2", resourceVersion: "9" } };
    ledger.observe({ type: "added", key, object: keep(again) });
    await expect(assign(ledger)).rejects.toMatchObject({ code: "TaskGone" });
    ledger.observe({ type: "deleted", key, object: keep(server.task) });
    expect(ledger.get(key)?.uid).toBe("u2");
  });
});
