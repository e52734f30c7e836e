/**
 * Tasks per second from create to succeeded, through the API server: created over HTTPS, matched by the operator, claimed over the
 * pool API by 200 workers with a key each that only pretend to compute, ended by signed receipts, settled in batches that three
 * validators check and sign, on a chain. Beside that Jobs on the same server, and what 100,000 queued tasks cost.
 * API server, operator, workers, chain and what runs the Jobs are processes of their own; this one creates and watches.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { jobs } from "../../src/embedded/controllers/workload-resources.ts";
import type { Job } from "../../src/embedded/controllers/workload-types.ts";
import { createClient } from "../../src/kube/client.ts";
import { nodes } from "../../src/kube/core-resources.ts";
import { type TaskObject, tasks } from "../../src/operator/kinds.ts";
import { stageOf } from "../../src/protocol/task-stage.ts";
import { aTask } from "../integration/operator/operator-fixture.ts";
import { runValidator } from "../integration/operator/scripted-members.ts";
import { type Bench, closeChild, withOperator } from "./bench-cluster.ts";
import { type BenchOptions, chooseParts, type Figures, within } from "./bench-options.ts";
import { forkBundled } from "./bundle-process.ts";
import { countEnded } from "./count-ended.ts";
import { defaultLimits, type JobsStart } from "./jobs-process.ts";
import { measureQueued } from "./queued-tasks.ts";
import type { WorkersStart } from "./workers-process.ts";

const parts = ["tasks", "batched", "jobs", "jobs-default", "queued"] as const;
const workerCount = 200;
const validators = ["v1", "v2", "v3"];
const itemsPerTask = 1_000;
const jobNodes = 20;

export async function benchPool(options: BenchOptions): Promise<Figures> {
  const chosen = chooseParts(options, parts);
  const { count = 5_000, timeoutMs = 300_000 } = options;
  const run: Run = { count, timeoutMs };
  const single = chosen.has("tasks") ? await onCluster(workerCount, (bench) => runTasks(bench, run, 1)) : undefined;
  const batchedRun = { ...run, count: Math.max(1, Math.round(count / 10)) };
  const batched = chosen.has("batched")
    ? await onCluster(workerCount, (bench) => runTasks(bench, batchedRun, itemsPerTask))
    : undefined;
  const raised = chosen.has("jobs") ? await onCluster(1, (bench) => runJobs(bench, run, undefined)) : undefined;
  const limited = chosen.has("jobs-default")
    ? await onCluster(1, (bench) => runJobs(bench, { ...run, timeoutMs: Math.min(timeoutMs, 120_000) }, defaultLimits))
    : undefined;
  const queued = chosen.has("queued") ? await measureQueued(options, (name) => toTask(name, 1)) : undefined;
  const ratio = (part: { perSecond: number } | undefined, to: { perSecond: number } | undefined, times = 1) =>
    part && to ? Number(((part.perSecond * times) / to.perSecond).toFixed(1)) : undefined;
  const figures = {
    ...{ workers: workerCount, tasks: single, batched, jobs: raised, jobsDefault: limited, queued },
    tasksOverJobs: ratio(single, raised),
    tasksOverJobsDefault: ratio(single, limited),
    batchedInferencesOverJobsDefault: ratio(batched, limited, itemsPerTask),
    simulated:
      "Workers hold real keys, speak the pool API over TLS and sign, but compute nothing; validators check and sign batches, not outputs (policy None). Jobs are run by the embedded Job controller and scheduler and a kubelet that starts no process; its limits are those that kube-controller-manager and kube-scheduler have by default, or none.",
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}

interface Run {
  readonly count: number;
  readonly timeoutMs: number;
}

function onCluster<T>(workers: number, work: (bench: Bench) => Promise<T>): Promise<T> {
  const config = { batch: { maxAgeMs: 1_000, maxTasks: 1_024 } };
  return withOperator({ workers, slots: 1, validators, config }, work);
}

async function runTasks({ cluster, operator }: Bench, { count, timeoutMs }: Run, items: number) {
  const members = cluster.members.filter(({ role }) => role === "Worker").map(({ signer: _, ...member }) => member);
  const { poolCa, domain } = cluster;
  const workers = await forkBundled("workers-process", { serialization: "advanced" });
  workers.send({ url: operator.url, poolCa, domain, members, slots: 1, items } satisfies WorkersStart);
  const signing = validators.map((name) => runValidator(cluster, { ...operator, metricsUrl: "" }, name));
  try {
    await firstMessage(workers, 120_000);
    const before = await operator.usage();
    const objects = Array.from({ length: count }, (_, index) => toTask(`task-${index}`, items));
    const title = items === 1 ? "tasks" : `tasks of ${items} inferences`;
    const hasEnded = (task: TaskObject) => task.status !== undefined && stageOf(task.status) === "Done";
    const ended = await countEnded(cluster.transport, { title, type: tasks, objects, hasEnded, timeoutMs });
    const writes = await operator.metric("inferium_task_status_writes_total");
    const { cpuMicroseconds, residentBytes } = await operator.usage();
    return {
      ...ended,
      ...(items === 1 ? {} : { inferencesPerSecond: Math.round(ended.perSecond * items) }),
      statusWritesPerTask: Number(((writes.get("") ?? 0) / Math.max(1, ended.created)).toFixed(2)),
      operatorCpuMsPerTask: Number(
        ((cpuMicroseconds - before.cpuMicroseconds) / 1_000 / Math.max(1, ended.created)).toFixed(2),
      ),
      operatorRssMiB: Math.round(residentBytes / 2 ** 20),
    };
  } finally {
    await Promise.all(signing.map((validator) => validator.stop()));
    await closeChild(workers);
  }
}

/** Nobody pays for it, so that nobody's order is looked at; its input has one row for each inference. */
function toTask(name: string, items: number): TaskObject {
  const { reward: _, requester: __, orderRef: ___, ...spec } = aTask(name).spec;
  const x = { dtype: "int32" as const, shape: [items, 2], data: Array.from({ length: 2 * items }, (_, i) => i % 100) };
  const verification = { policy: "None" as const, validators: 3, quorum: 2 };
  return { ...aTask(name), spec: { ...spec, input: { inline: { x } }, verification } };
}

async function runJobs({ cluster }: Bench, { count, timeoutMs }: Run, limits: JobsStart["limits"]) {
  const { transport, server } = cluster;
  for (let index = 0; index < jobNodes; index++) await addNode(cluster, `job-node-${index}`);
  const child = await forkBundled("jobs-process", { serialization: "advanced" });
  try {
    const { url, caPem, adminToken } = server;
    child.send({ server: { url, caPem, adminToken }, ...(limits ? { limits } : {}) } satisfies JobsStart);
    await firstMessage(child, 60_000);
    const objects = Array.from({ length: count }, (_, index) => toJob(`job-${index}`));
    const hasEnded = (job: Job) => job.status?.conditions?.some((one) => one.type === "Complete") === true;
    const title = limits ? "jobs with default limits" : "jobs";
    return await countEnded(transport, { title, type: jobs, objects, hasEnded, timeoutMs });
  } finally {
    await closeChild(child);
  }
}

async function firstMessage(child: ChildProcess, ms: number): Promise<void> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`a process of the benchmark ended with status ${String(code)}`);
  });
  ended.catch(() => undefined);
  if (!(await within(ms, Promise.race([once(child, "message"), ended]))))
    throw new Error(`a process of the benchmark was not ready within ${ms} ms`);
}

async function addNode({ transport }: Bench["cluster"], name: string): Promise<void> {
  const client = createClient(transport, nodes);
  await client.apply({ metadata: { name } });
  const capacity = { cpu: "64", memory: "256Gi", pods: "500" };
  const body = {
    status: {
      capacity,
      allocatable: capacity,
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }],
    },
  };
  await client.patch({ name }, { kind: "merge", subresource: "status", body });
}

function toJob(name: string): Job {
  const container = { name: "work", image: "exit-0" };
  return {
    ...{ apiVersion: "batch/v1", kind: "Job", metadata: { name, namespace: "default" } },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: "Never", containers: [container] } } },
  } as Job;
}
