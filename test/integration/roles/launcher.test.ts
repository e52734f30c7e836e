/** A launcher on a cluster with controllers, a scheduler and two nodes whose pods are real processes: what it makes of a task's pods. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { digestToBytes32 } from "../../../src/base/digest.ts";
import { type Logger, silentLogger } from "../../../src/base/log.ts";
import {
  type RunningControllers,
  startControllerManager,
} from "../../../src/embedded/controllers/controller-manager.ts";
import { type ArtifactServer, startArtifactServer } from "../../../src/embedded/demo/artifact-server.ts";
import { createRandom } from "../../../src/inference/training/exact-math.ts";
import { findProgram } from "../../../src/inference/training/program.ts";
import { createClient } from "../../../src/kube/client.ts";
import { pods as podResource, services } from "../../../src/kube/core-resources.ts";
import { createInformer, type Informer } from "../../../src/kube/informer.ts";
import { type Job, jobs as jobResource } from "../../../src/kube/job-types.ts";
import type { Pod } from "../../../src/kube/pod-types.ts";
import { writeInline } from "../../../src/pool/inline-tensors.ts";
import type { PodReference, WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { writeSafetensors } from "../../../src/protocol/tensors/safetensors.ts";
import { readTrainingResult, type TrainingTerms } from "../../../src/protocol/training.ts";
import { decideVote } from "../../../src/protocol/verdict/cast-vote.ts";
import { createTrainingCheck } from "../../../src/validator/check-training.ts";
import { createLauncher } from "../../../src/worker/pods/launcher.ts";
import { parsePodTask } from "../../../src/worker/pods/pod-task.ts";
import { openProgressRecord } from "../../../src/worker/pods/progress-record.ts";
import { createJobClients } from "../../../src/worker/pods/run-job.ts";
import { type Cluster, openCluster } from "../kubelet/cluster.ts";
import { eventually } from "../kubelet/worker-bench.ts";
import { mnistData } from "./mnist-data.ts";

const account = `0x${"Ab".repeat(20)}`;
const namespace = "default";

let dir = "";
let cluster: Cluster;
let controllers: RunningControllers;
let artifacts: ArtifactServer;
let terms: TrainingTerms;
let model: { uri: string; digest: string };
let input: { uri: string; digest: string };
let informer: Informer<Pod>;
const moves: unknown[] = [];
const logger: Logger = { ...silentLogger, info: (_, fields) => void moves.push(fields?.reason) };
const stopping = new AbortController();
const seen = new Map<string, Pod>();

const servicesOf = () => createClient(cluster.transport, services);
const jobsOf = () => createClient(cluster.transport, jobResource);

async function listPods(): Promise<Pod[]> {
  const { items } = await cluster.pods.list({ namespace });
  for (const pod of items) seen.set(pod.metadata.name, pod as Pod);
  return items as Pod[];
}

function prepareTraining() {
  const random = createRandom(5);
  const data = mnistData(40, () => random() * 256);
  terms = {
    program: "mnist-perceptron",
    hyperparameters: { imagesPerStep: "10", heldImages: "1" },
    ...{ steps: 12, checkpointEvery: 4, seed: 3, sampledSlices: 2, checkpointStore: artifacts.storeUri },
  };
  const weights = findProgram(terms.program).open(data, terms).initial();
  model = artifacts.publish("initial", writeSafetensors(weights));
  input = artifacts.publish("data", writeSafetensors(data));
}

async function openLauncher(images: readonly string[] = ["sh", "missing"]) {
  return createLauncher({
    clients: createJobClients(cluster.transport, informer),
    ...{ namespace, account, images, pollMs: 100, clock: systemClock, logger },
    defaults: {
      ...{ image: "own", imagePullPolicy: "Never", tolerations: [{ operator: "Exists" }] },
      env: [{ name: "INFERIUM_ALLOWED_ADDRESSES", value: "127.0.0.0/8" }],
    },
    progress: await openProgressRecord(dir, Date.now()),
  });
}

let taskCount = 0;
function assign(pod: Partial<PodReference> = {}, training: TrainingTerms | undefined = terms): WorkAssignment {
  taskCount += 1;
  return {
    ...{ namespace: "tenant", task: `t${taskCount}`, taskId: `0x${String(taskCount).padStart(64, "0")}`, attempt: 1 },
    ...{ model, input, verification: { policy: "Exact" }, deadlineMs: Date.now() + 120_000 },
    pod: { size: 1, startTimeoutSeconds: 30, tiers: ["High"], ...pod },
    ...(training ? { training } : {}),
  };
}

const shell = (script: string) => ({ image: "sh", args: ["-c", script] });
const run = async (assignment: WorkAssignment, signal = stopping.signal) =>
  (await openLauncher()).run(assignment, signal);

/** Long enough to be caught in the middle, on any machine: the end is not waited for where the test cannot have it. */
const long = () => ({ ...terms, steps: 400, checkpointEvery: 100 });

/** A pod that has made at least two checkpoints. */
const withCheckpoints = () =>
  eventually("two checkpoints are made", async () => {
    for (const pod of await listPods()) {
      if (pod.status?.phase !== "Running") continue;
      const log = await cluster.log(pod.metadata.name).catch(() => "");
      if (log.split('"kind":"checkpoint"').length > 2) return pod;
    }
    await systemClock.sleep(100);
    return false;
  });

const knownOf = ({ spec }: Pod) =>
  parsePodTask(spec.containers[0]?.env?.find(({ name }) => name === "INFERIUM_TASK")?.value ?? "").known;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "launcher-"));
  cluster = await openCluster();
  artifacts = await startArtifactServer();
  const common = { transport: cluster.transport, clock: systemClock, logger: silentLogger };
  controllers = await startControllerManager({ ...common, timing: { jobBackoffMs: 50 } });
  const capacity = { cpu: "4", memory: "8Gi", pods: "10", "nvidia.com/gpu": "1" };
  const nodeTemplate = { labels: { "inferium.io/tier": "High" }, capacity };
  const root = new URL("../../../", import.meta.url).pathname;
  const own = { entrypoint: [process.execPath, `${root}src/main.ts`] };
  const images = { own, sh: { entrypoint: ["/bin/sh"] } };
  for (const name of ["node-a", "node-b"]) await cluster.startKubelet(name, { images, nodeTemplate });
  informer = createInformer(cluster.transport, podResource, { namespace });
  informer.start();
  prepareTraining();
});

afterEach(() => seen.clear());

afterAll(async () => {
  stopping.abort(new Error("the tests are over"));
  await informer?.stop();
  await controllers?.stop();
  await artifacts?.close();
  await cluster?.close();
  await rm(dir, { recursive: true, force: true });
});

describe("a launcher", () => {
  it("trains in a pod, and a validator finds the result right by slices that it computes again", async () => {
    const assignment = assign({ gpus: 1 });
    const execution = await run(assignment);
    const result = readTrainingResult(terms, execution.outputs);
    expect(result.checkpoints).toHaveLength(4);
    expect(execution).toMatchObject({ modelDigest: model.digest, inputDigest: input.digest, items: 1 });
    const message = {
      modelDigest: digestToBytes32(execution.modelDigest),
      inputDigest: digestToBytes32(execution.inputDigest),
      outputDigest: digestToBytes32(execution.outputDigest),
    };
    const check = createTrainingCheck({ cacheDir: join(dir, "cache"), allowedAddresses: ["127.0.0.0/8"] });
    const item = { ...assignment, training: terms, sampleSeed: "0x1", output: writeInline(execution.outputs) };
    const judge = async (change: Partial<typeof message>) => {
      const receipt = { message: { ...message, ...change }, signature: "" };
      const own = await check({ ...item, receipt } as never, stopping.signal);
      return decideVote({ policy: { policy: "Exact" }, receipt: receipt.message, own }).vote;
    };
    expect(await judge({})).toBe("Accept");
    expect(await judge({ inputDigest: `0x${"00".repeat(32)}` })).toBe("Reject");
    // Another output than the one handed on: nothing can be said of it.
    expect(await judge({ outputDigest: `0x${"00".repeat(32)}` })).toBe("Abstain");
    expect((await jobsOf().list({ namespace })).items).toEqual([]);
  });

  it("moves an attempt whose pod is evicted to the other node, where it goes on from the newest checkpoint", async () => {
    const stop = new AbortController();
    const running = run(assign({}, long()), stop.signal);
    const pod = await withCheckpoints();
    const { name } = pod.metadata;
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
    await cluster.pods.createSubresource({ namespace, name }, "eviction", eviction);
    const next = await eventually("another pod runs", async () =>
      (await listPods()).find((one) => one.metadata.name !== name && one.status?.phase === "Running"),
    );
    expect(moves).toEqual(["PodEvicted"]);
    expect(next.spec.nodeName).not.toBe(pod.spec.nodeName);
    expect(knownOf(next).length).toBeGreaterThan(0);
    // Where it arrives is the end-to-end test's.
    stop.abort(new Error("seen"));
    await expect(running).rejects.toThrow("seen");
  });

  it("takes up what it had done before a stop, for the same task, and nothing of it for other terms", async () => {
    const stop = new AbortController();
    const first = assign({}, long());
    const running = run(first, stop.signal);
    await withCheckpoints();
    stop.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    await eventually("its job is gone", async () => (await jobsOf().list({ namespace })).items.length === 0);
    const begin = async (assignment: WorkAssignment) => {
      const again = new AbortController();
      const ended = run(assignment, again.signal).catch(() => undefined);
      const pod = await eventually("a pod of the next attempt", async () =>
        (await listPods()).find(
          ({ metadata }) => metadata.annotations?.["inferium.io/attempt"] === String(assignment.attempt),
        ),
      );
      again.abort(new Error("enough"));
      await ended;
      return knownOf(pod).length;
    };
    expect(await begin({ ...first, attempt: 2 })).toBeGreaterThan(0);
    expect(await begin({ ...first, attempt: 3, training: { ...long(), seed: 4 } })).toBe(0);
  });

  it("runs a gang of pods, each with its rank, and hears the first of them", async () => {
    const script = `test "$INFERIUM_WORLD_SIZE" = 2 || exit 1
      case "$INFERIUM_MASTER_ADDR" in task-*-0-0.task-*-0.default) ;; *) exit 2 ;; esac
      sleep 1
      echo "{\\"inferium.io/report\\":{\\"kind\\":\\"outputs\\",\\"outputs\\":{\\"rank\\":{\\"dtype\\":\\"int32\\",\\"shape\\":[1],\\"data\\":[$INFERIUM_RANK]}}}}"`;
    const { training: _, ...assignment } = assign({
      ...shell(script),
      size: 2,
      gpus: 1,
      spreadTopologyKey: "kubernetes.io/hostname",
    });
    const running = run(assignment);
    const service = await eventually("the gang has names", async () =>
      (await servicesOf().list({ namespace })).items.find(({ spec }) => spec?.clusterIP === "None"),
    );
    expect(service.metadata.ownerReferences?.[0]).toMatchObject({ kind: "Job", name: service.metadata.name });
    const execution = await running;
    await eventually("they go with it", async () => {
      const { items } = await servicesOf().list({ namespace });
      return items.every(({ metadata }) => metadata.name !== service.metadata.name);
    });
    expect([...(execution.outputs.get("rank")?.data ?? [])]).toEqual([0, 0, 0, 0]);
    expect(execution.runtime).toBe("pods/2 sh");
  });

  it.each<[string, Partial<PodReference>, string]>([
    ["a program that fails", shell("echo oops; exit 3"), "PodFailed"],
    ["a program that says nothing", shell("true"), "NoResult"],
    ["an image that is not there", { image: "missing" }, "ImageUnavailable"],
    [
      "a gang that does not fit as a whole",
      { ...shell("sleep 60"), gpus: 1, size: 3, startTimeoutSeconds: 2 },
      "Unschedulable",
    ],
    ["a tier that no node has", { ...shell("true"), tiers: ["Low"], startTimeoutSeconds: 1 }, "Unschedulable"],
    ["resources that are none", { ...shell("true"), requests: { memory: "much" } }, "PodInvalid"],
  ])("says why there is no result of %s, and leaves nothing behind", async (_, pod, code) => {
    const { training: __, ...assignment } = assign(pod);
    await expect(run(assignment)).rejects.toMatchObject({ code });
    expect((await jobsOf().list({ namespace })).items).toEqual([]);
  });

  it("passes on what its trainer says of a training that cannot work", async () => {
    await expect(run(assign({}, { ...terms, program: "other" }))).rejects.toMatchObject({ code: "UnknownProgram" });
    const wrongStore = { ...terms, checkpointStore: `${artifacts.storeUri}/elsewhere` };
    await expect(run(assign({}, wrongStore))).rejects.toMatchObject({ code: "StoreRefused" });
  });

  it("refuses an image that it was not told to allow, before it makes anything", async () => {
    const launcher = await openLauncher(["ghcr.io/acme/"]);
    await expect(launcher.run(assign({ image: "sh" }), stopping.signal)).rejects.toMatchObject({ code: "PodInvalid" });
  });

  it("waits, suspended, until a queue admits the job", async () => {
    const script = `echo '{"inferium.io/report":{"kind":"outputs","outputs":{"y":{"dtype":"int32","shape":[1],"data":[7]}}}}'`;
    const { training: _, ...assignment } = assign({ ...shell(script), queueName: "gpus", startTimeoutSeconds: 30 });
    const running = run(assignment);
    const job = await eventually("the job is there", async () => (await jobsOf().list({ namespace })).items[0]);
    expect(job?.metadata.labels).toMatchObject({ "kueue.x-k8s.io/queue-name": "gpus" });
    expect(await listPods()).toEqual([]);
    await jobsOf().patch((job as Job).metadata, { kind: "merge", body: { spec: { suspend: false } } });
    expect((await running).outputs.has("y")).toBe(true);
  });

  it("removes at its start what an earlier run of it left, and nobody else's", async () => {
    const left = (name: string, launcher: string): Job => ({
      ...{
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name, namespace, labels: { "inferium.io/launcher": launcher } },
      },
      spec: {
        suspend: true,
        template: { spec: { restartPolicy: "Never", containers: [{ name: "task", image: "sh" }] } },
      },
    });
    await jobsOf().create(left("mine", account.toLowerCase()));
    await jobsOf().create(left("another", `0x${"cd".repeat(20)}`));
    await (await openLauncher()).cleanUp();
    expect((await jobsOf().list({ namespace })).items.map(({ metadata }) => metadata.name)).toEqual(["another"]);
    await jobsOf().delete({ namespace, name: "another" });
  });
});
