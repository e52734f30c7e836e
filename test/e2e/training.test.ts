/**
 * Trainings on the running system, as a user submits them: run in pods that Kubernetes places, checked by validators that compute
 * drawn slices again, settled; and what happens where a pod is taken away, or a training cannot work.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { type ArtifactServer, startArtifactServer } from "../../src/embedded/demo/artifact-server.ts";
import { loadMnist } from "../../src/embedded/demo/data/mnist.ts";
import { buildTrainingTask, type TrainingPlan } from "../../src/embedded/demo/training.ts";
import { taskNamespace } from "../../src/embedded/up/role-pods.ts";
import { sliceDigits } from "../../src/inference/training/perceptron/digits.ts";
import { createClient, type KubeClient } from "../../src/kube/client.ts";
import { loadKubeConnection } from "../../src/kube/connection.ts";
import { pods as podResource } from "../../src/kube/core-resources.ts";
import type { Pod } from "../../src/kube/pod-types.ts";
import { createTransport, type Transport } from "../../src/kube/transport.ts";
import { type TaskObject, tasks as taskResource } from "../../src/operator/kinds.ts";
import { readInline } from "../../src/pool/inline-tensors.ts";
import { readTrainingResult, type TrainingTerms } from "../../src/protocol/training.ts";
import { parsePodTask } from "../../src/worker/pods/pod-task.ts";
import { readReport } from "../../src/worker/pods/report.ts";
import { type Running, startInferium } from "../support/run-command.ts";

let dir = "";
let up: Running;
let artifacts: ArtifactServer;
let transport: Transport;
let tasks: KubeClient<TaskObject>;
let pods: KubeClient<Pod>;

const patience = { timeout: 60_000, interval: 200 };

const plan = {
  ...{ seed: 7, rates: [0.03, 0.01], imagesPerStep: 20, heldImages: 20, sampledSlices: 2 },
  ...{ steps: 40, checkpointEvery: 10 },
};

async function submit(name: string, change: Partial<TrainingPlan>, spec: Partial<TaskObject["spec"]> = {}) {
  const set = sliceDigits(await loadMnist("train"), 0, 1_000);
  const task = buildTrainingTask({ name, set, ...plan, ...change }, artifacts, "");
  const { model, input, training } = task.spec;
  // As the sample has it, with files that are there. It pays nothing: the requester's order is the demonstration's own.
  const sample = parse(await readFile(new URL("../../manifests/samples/training.yaml", import.meta.url), "utf8"));
  const own = { ...sample.spec, model, input, training: { ...sample.spec.training, ...training } };
  return tasks.create({ ...sample, metadata: { name, namespace: "default" }, spec: { ...own, ...spec } });
}

const statusOf = async (name: string) => (await tasks.get({ namespace: "default", name })).status;

/** All pods of the task that were seen, by name. */
function collectPods(name: string, seen: Map<string, Pod>) {
  return async () => {
    const { items } = await pods.list({ namespace: taskNamespace });
    for (const pod of items)
      if (pod.metadata.annotations?.["inferium.io/task"] === `default/${name}`) seen.set(pod.metadata.name, pod);
  };
}

const knownOf = (pod: Pod) => {
  const variable = pod.spec.containers[0]?.env?.find((one) => one.name === "INFERIUM_TASK");
  return parsePodTask(variable?.value ?? "").known;
};

describe("a training", () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "inferium-e2e-"));
    artifacts = await startArtifactServer();
    up = await startInferium(["up", "--no-tasks", "--train", "--dir", join(dir, "run")]);
    await up.printed(/Running\. Press Ctrl-C/, 200_000);
    transport = createTransport(await loadKubeConnection({ kubeconfigPath: join(dir, "run", "kubeconfig") }));
    tasks = createClient(transport, taskResource);
    pods = createClient(transport, podResource);
  }, 280_000);

  afterAll(async () => {
    up?.interrupt();
    await up?.done;
    await transport?.close();
    await artifacts?.close();
    await rm(dir, { recursive: true, force: true });
  }, 60_000);

  test("runs in a pod on a node of its tier, is checked by slices that were drawn later, and is settled", async () => {
    await submit("small", {});
    const seen = new Map<string, Pod>();
    await vi.waitFor(async () => {
      await collectPods("small", seen)();
      expect((await statusOf("small"))?.phase).toBe("Succeeded");
    }, patience);
    const { spec, status } = await tasks.get({ namespace: "default", name: "small" });
    expect(status?.assignment).toMatchObject({ worker: "gpu-high-b", attempt: 1 });
    expect(status?.verdict).toMatchObject({ result: "Accepted", policy: "Exact", accept: 3 });
    expect(status?.verdict?.notProven?.join()).toContain("The steps of 2 of 4 slices");
    expect(status?.settlement?.batch).toBeGreaterThan(0);
    const result = readTrainingResult(spec.training as TrainingTerms, readInline(status?.output?.inline as never));
    expect(result.checkpoints).toHaveLength(5);
    expect(result.checkpoints[0]).toBe(spec.model.digest);
    // What was trained lies in the store under the digest that was verified.
    const trained = await fetch(`${artifacts.storeUri}/${result.model.replace(":", "-")}`);
    expect(trained.status).toBe(200);
    const [pod] = [...seen.values()];
    expect(pod?.spec.nodeName).toMatch(/^gpu-high-/);
    expect(pod?.spec.containers[0]?.resources?.limits).toEqual({ cpu: "2", memory: "4Gi", "nvidia.com/gpu": "1" });
    expect(pod?.spec.automountServiceAccountToken).toBe(false);
  }, 90_000);

  test("whose pod is evicted goes on from its newest checkpoint on another node, in the same attempt", async () => {
    await submit("evicted", { steps: 240, checkpointEvery: 60, imagesPerStep: 100 });
    const seen = new Map<string, Pod>();
    const collect = collectPods("evicted", seen);
    const evicted = await vi.waitFor(async () => {
      await collect();
      const [pod] = [...seen.values()];
      const ref = { namespace: taskNamespace, name: pod?.metadata.name ?? "none" };
      const log = await pods.getSubresource<string>(ref, "log");
      expect(log.split("\n").filter((line) => readReport(line)?.kind === "checkpoint").length).toBeGreaterThan(1);
      const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: ref };
      await pods.createSubresource(ref, "eviction", eviction);
      return pod;
    }, patience);
    await vi.waitFor(async () => {
      await collect();
      expect((await statusOf("evicted"))?.phase).toBe("Succeeded");
    }, patience);
    const status = await statusOf("evicted");
    expect(status?.assignment?.attempt).toBe(1);
    expect(status?.attempts).toBeUndefined();
    expect(status?.verdict?.result).toBe("Accepted");
    const others = [...seen.values()].filter(({ metadata }) => metadata.name !== evicted?.metadata.name);
    expect(others).toHaveLength(1);
    expect(others[0]?.spec.nodeName).not.toBe(evicted?.spec.nodeName);
    expect(knownOf(others[0] as Pod).length).toBeGreaterThan(0);
  }, 150_000);

  test("that could work nowhere fails at once, and says why", async () => {
    const training = { program: "no-such-program", steps: 1, checkpointEvery: 1, seed: 1 };
    const terms = { ...training, checkpointStore: artifacts.storeUri } as unknown as TaskObject["spec"]["training"];
    await submit("impossible", {}, { ...(terms ? { training: terms } : {}) });
    await vi.waitFor(async () => expect((await statusOf("impossible"))?.phase).toBe("Failed"), patience);
    const status = await statusOf("impossible");
    const last = status?.conditions?.find(({ type }) => type === "Stalled");
    expect(`${last?.message} ${JSON.stringify(status?.attempts)}`).toContain(
      'There is no training program \\"no-such-program\\"',
    );
  }, 90_000);

  test("leaves no job behind", async () => {
    await vi.waitFor(async () => {
      const path = `/apis/batch/v1/namespaces/${taskNamespace}/jobs`;
      expect((await transport.request<{ items: unknown[] }>({ method: "GET", path })).items).toEqual([]);
    }, patience);
  }, 90_000);
});
