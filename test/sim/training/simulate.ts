/**
 * A training in pods while everything around it fails: its launcher is killed, its pod evicted, the operator killed, the store of its
 * checkpoints down. It must end settled once with the very bits of an undisturbed run, nobody honest slashed, and no Job left behind.
 * A real launcher in a process of its own, real pods as processes, validators that compute slices again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../../src/base/clock.ts";
import { sha256 } from "../../../src/base/digest.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { startControllerManager } from "../../../src/embedded/controllers/controller-manager.ts";
import { startArtifactServer } from "../../../src/embedded/demo/artifact-server.ts";
import { buildTrainingTask } from "../../../src/embedded/demo/training.ts";
import { findProgram } from "../../../src/inference/training/program.ts";
import { runTraining } from "../../../src/inference/training/run-training.ts";
import { createClient } from "../../../src/kube/client.ts";
import { jobs } from "../../../src/kube/job-types.ts";
import type { Pod } from "../../../src/kube/pod-types.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import { writeSafetensors } from "../../../src/protocol/tensors/safetensors.ts";
import { createTensor } from "../../../src/protocol/tensors/tensor.ts";
import { readTrainingResult, type TrainingResult, type TrainingTerms } from "../../../src/protocol/training.ts";
import { decideVote } from "../../../src/protocol/verdict/cast-vote.ts";
import { createTrainingCheck } from "../../../src/validator/check-training.ts";
import { createRandom } from "../../chaos/random.ts";
import { type Cluster as KubeletCluster, openCluster } from "../../integration/kubelet/cluster.ts";
import { type Cluster, requester, startCluster } from "../../integration/operator/operator-fixture.ts";
import { runValidator } from "../../integration/operator/scripted-members.ts";
import { type Gate, startGate } from "../gate.ts";
import { type KilledOperator, startKilledOperator } from "../killed-operator.ts";
import { countFault, type FaultCounts, type ScenarioOptions, type ScenarioReport } from "../scenario.ts";
import { waitUntil } from "../wait-until.ts";

const launcher = "launcher";
const validators = ["v1", "v2", "v3"];
const name = "disturbed";
const images = 40;
const root = new URL("../../../", import.meta.url).pathname;
const allowedAddresses = ["127.0.0.0/8"];

interface World {
  readonly kube: KubeletCluster;
  readonly cluster: Cluster;
  readonly operator: KilledOperator;
  readonly store: Gate;
  readonly dir: string;
  readonly timeoutMs: number;
}

export async function simulateTraining({ seed, numbers, timeoutMs }: ScenarioOptions): Promise<ScenarioReport> {
  const { slices = 4, rounds = 1 } = numbers;
  const began = performance.now();
  const faults: FaultCounts = {};
  const random = createRandom(seed);
  const dir = await mkdtemp(join(tmpdir(), "inferium-sim-training-"));
  const kube = await openCluster();
  const controllers = await startControllerManager({
    ...{ transport: kube.transport, clock: systemClock, logger: silentLogger, timing: { jobBackoffMs: 50 } },
  });
  const nodeTemplate = { labels: { "inferium.io/tier": "High" }, capacity: { cpu: "4", memory: "8Gi", pods: "10" } };
  const own = { entrypoint: [process.execPath, `${root}src/main.ts`] };
  for (const node of ["pods-a", "pods-b"]) await kube.startKubelet(node, { images: { own }, nodeTemplate });
  const startServer = async () => ({ ...kube.server, close: async () => undefined }) as unknown as Cluster["server"];
  const cluster = await startCluster({ workers: [launcher], validators, startServer });
  await becomeLauncher(cluster);
  const operator = await startKilledOperator(cluster.config);
  const artifacts = await startArtifactServer();
  const store = await startGate();
  store.setTarget(Number(new URL(artifacts.storeUri).port));
  const world: World = { kube, cluster, operator, store, dir, timeoutMs };
  const members = startValidators(world);
  let running = await startLauncher(world);
  try {
    await cluster.order("order");
    const { task, terms, undisturbed } = await prepare(artifacts, store, { slices, seed });
    await cluster.tasks.create(task);
    for (let round = 0; round < rounds; round++) {
      await untilPodRuns(world);
      await sleep(random.between(100, 1_500));
      await evict(world);
      countFault(faults, "eviction");
      store.setOpen(false);
      countFault(faults, "store-outage");
      await operator.replace();
      countFault(faults, "operator-kill");
      store.setOpen(true);
      await untilPodRuns(world);
      await kill(running);
      countFault(faults, "launcher-kill");
      running = await startLauncher(world);
    }
    const problems = await check(world, terms, undisturbed);
    return { seed, seconds: Math.round((performance.now() - began) / 1_000), faults, problems, tasks: 1 };
  } finally {
    await kill(running);
    await Promise.all(members.map((member) => member.stop()));
    await operator.close();
    await store.close();
    await artifacts.close();
    await controllers.stop();
    await cluster.close();
    await kube.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function becomeLauncher({ workers }: Cluster): Promise<void> {
  await workers.patch({ name: launcher }, { kind: "merge", body: { spec: { mode: "Pod" } } });
  const found = await workers.get({ name: launcher });
  await workers.applyStatus({ metadata: { name: launcher }, status: { ...found.status, tier: "High" } as never });
}

/** Ends of SIGKILL are waited for. */
async function kill(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  process.kill("SIGKILL");
  await once(process, "exit");
}

async function startLauncher({ cluster, kube, operator, dir }: World): Promise<ChildProcess> {
  const [keyFile, poolCaFile] = [join(dir, "key"), join(dir, "ca.crt")];
  await writeFile(keyFile, cluster.member(launcher).privateKey, { mode: 0o600 });
  await writeFile(poolCaFile, cluster.poolCa);
  return spawn(process.execPath, [`${root}src/main.ts`, "worker"], {
    stdio: process.env.TEST_LOG ? "inherit" : "ignore",
    env: {
      ...{ PATH: process.env.PATH, INFERIUM_POOL_URL: operator.url, INFERIUM_POOL_CA_FILE: poolCaFile },
      ...{ INFERIUM_KEY_FILE: keyFile, INFERIUM_CACHE_DIR: join(dir, "cache"), INFERIUM_STATE_DIR: join(dir, "state") },
      ...{ INFERIUM_EXECUTOR: "pod", INFERIUM_POD_NAMESPACE: "default", INFERIUM_POD_POLL_MS: "100" },
      ...{ KUBECONFIG: kube.kubeconfigPath, INFERIUM_CLAIM_WAIT_MS: "2000", INFERIUM_HEARTBEAT_MS: "500" },
      INFERIUM_POD_DEFAULTS: JSON.stringify({
        ...{ image: "own", imagePullPolicy: "Never" },
        env: [{ name: "INFERIUM_ALLOWED_ADDRESSES", value: "127.0.0.0/8" }],
      }),
    },
  });
}

function startValidators({ cluster, operator, dir }: World) {
  const check = createTrainingCheck({ cacheDir: join(dir, "validators"), allowedAddresses });
  const signal = new AbortController().signal;
  return validators.map((validator) =>
    runValidator(cluster, { url: operator.url, metricsUrl: "", stop: async () => undefined }, validator, {
      script: {
        judge: async (item) => {
          const { training, receipt } = item;
          if (training === undefined) throw new Error("only trainings are judged here");
          const own = await check({ ...item, training }, signal);
          return decideVote({ policy: { policy: "Exact" }, receipt: receipt.message, own });
        },
      },
    }),
  );
}

/** The task, and what comes of it where nothing fails. */
async function prepare(
  artifacts: Awaited<ReturnType<typeof startArtifactServer>>,
  store: Gate,
  { slices, seed }: { readonly slices: number; readonly seed: number },
) {
  const set = {
    count: images,
    images: Uint8Array.from({ length: images * 784 }, (_, index) => (index * 31) % 256),
    labels: Uint8Array.from({ length: images }, (_, index) => index % 10),
  };
  const checkpointEvery = 60;
  const plan = { name, set, seed, rates: [0.03], imagesPerStep: 10, heldImages: 1, sampledSlices: 2 };
  const built = buildTrainingTask(
    { ...plan, steps: slices * checkpointEvery, checkpointEvery },
    artifacts,
    requester.address,
  );
  const storeUri = new URL(artifacts.storeUri);
  storeUri.port = String(store.port);
  const training = { ...built.spec.training, checkpointStore: storeUri.href } as TrainingTerms;
  const { model, input } = built.spec;
  const task = {
    ...{ apiVersion: "inferium.io/v1alpha1", kind: "InferenceTask", metadata: { name, namespace: "default" } },
    spec: {
      ...{ type: "Training", mode: "Pod", model, input, training, reward: "1", requester: requester.address },
      ...{ orderRef: { name: "order" }, timeoutSeconds: 20, retries: 3, tier: "High" },
      template: { startTimeoutSeconds: 60 },
      verification: { policy: "Exact", validators: 3, quorum: 2 },
    },
  } as unknown as TaskObject;
  const data = new Map([
    ["pixels", createTensor("uint8", [images, 784], set.images)],
    ["labels", createTensor("uint8", [images], set.labels)],
  ]);
  const bytes = writeSafetensors(findProgram(training.program).open(data, training).initial());
  const files = new Map<string, Uint8Array>();
  const undisturbed = await runTraining({
    ...{ terms: training, data, initial: { bytes, digest: sha256(bytes) }, known: [], onCheckpoint: () => undefined },
    store: {
      put: async (file: Uint8Array) => {
        files.set(sha256(file), file);
        return sha256(file);
      },
      get: async (digest: string) => files.get(digest) ?? new Uint8Array(),
    } as never,
    signal: new AbortController().signal,
  });
  return { task, terms: training, undisturbed };
}

async function untilPodRuns({ kube, timeoutMs, cluster }: World): Promise<Pod | undefined> {
  return waitUntil("a pod of the training runs", timeoutMs, async () => {
    const { status } = await cluster.tasks.get({ namespace: "default", name });
    if (status?.phase === "Succeeded" || status?.phase === "Failed")
      throw new Error(`the training ended ${status.phase} too soon`);
    const { items } = await kube.pods.list({ namespace: "default" });
    return items.find((pod) => pod.status?.phase === "Running") as Pod | undefined;
  });
}

async function evict({ kube }: World): Promise<void> {
  const { items } = await kube.pods.list({ namespace: "default" });
  for (const { metadata, status } of items) {
    if (status?.phase !== "Running") continue;
    const ref = { namespace: "default", name: metadata.name };
    await kube.pods.createSubresource(ref, "eviction", { apiVersion: "policy/v1", kind: "Eviction", metadata: ref });
  }
}

async function check(world: World, terms: TrainingTerms, undisturbed: TrainingResult): Promise<string[]> {
  const { cluster, timeoutMs } = world;
  const { status } = await waitUntil("the training is settled", timeoutMs, async () => {
    const task = await cluster.tasks.get({ namespace: "default", name });
    return (task.status?.settlement?.batch || task.status?.phase === "Failed") && task;
  });
  if (status?.phase === "Failed") return [`lost: the training failed: ${JSON.stringify(status.attempts)}`];
  const result = readTrainingResult(terms, readInline(status?.output?.inline as never));
  const { sequence } = await cluster.chain.lastBatch();
  const jobsLeft = await leftJobs(world);
  const slashed: string[] = [];
  for (const { name: member, role, signer } of cluster.members) {
    const staked = (role === "Validator" ? 50_000n : 10_000n) * oneToken;
    const { stakeWei } = await cluster.chain.node(signer.address);
    if (stakeWei !== staked)
      slashed.push(
        `slash: ${member} is honest and has ${stakeWei} wei left of ${staked}: ${JSON.stringify(status?.attempts)}`,
      );
  }
  return [
    ...(JSON.stringify(result) === JSON.stringify(undisturbed)
      ? []
      : ["bits: the result is not that of an undisturbed run"]),
    ...(sequence === 1n ? [] : [`paid: ${sequence} batches are settled; expected 1`]),
    ...(jobsLeft === 0 ? [] : [`left: ${jobsLeft} Jobs are still there`]),
    ...slashed,
  ];
}

async function leftJobs({ kube }: World): Promise<number> {
  let left = 0;
  for (const deadline = performance.now() + 15_000; performance.now() < deadline; await sleep(200)) {
    left = (await createClient(kube.transport, jobs).list({ namespace: "default" })).items.length;
    if (left === 0) return 0;
  }
  return left;
}
