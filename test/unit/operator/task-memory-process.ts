/**
 * What an operator keeps of each task that waits, measured in a process of its own, with `--expose-gc`: the stages of one term on an
 * informer, of an API server that is no more than a stream. Half of the tasks are there at the start, when code is compiled and tables are
 * made; the bytes that the others add, live after a collection, are printed.
 */
import { Registry } from "prom-client";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { createClient } from "../../../src/kube/client.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import type { KubeStreamRequest, Transport } from "../../../src/kube/transport.ts";
import type { StageParts } from "../../../src/operator/attach-stages.ts";
import { ChainLink } from "../../../src/operator/chain-link.ts";
import type { OperatorConfig } from "../../../src/operator/config.ts";
import { createInformers } from "../../../src/operator/informers.ts";
import { tasks } from "../../../src/operator/kinds.ts";
import { createOperatorMetrics } from "../../../src/operator/metrics.ts";
import { buildStages } from "../../../src/operator/stages.ts";
import { explainTask } from "../../../src/protocol/lifecycle.ts";
import { newStatus } from "../../../src/protocol/task-stage.ts";

const count = Number(process.argv[2]);
const tasksPerSecond = 500;
const startMs = Date.parse("2026-11-27T10:00:00Z");

/** As it comes over the wire, explained a while after it was made. */
function taskLine(index: number): string {
  const time = (afterSeconds: number) =>
    new Date(startMs + 1_000 * (Math.floor(index / tasksPerSecond) + afterSeconds)).toISOString().replace(".000Z", "Z");
  const name = `queued-${index}`;
  const fields = Object.fromEntries(Array.from({ length: 20 }, (_, field) => [`f:field-${field}`, {}]));
  const managed = { manager: "client", operation: "Update", time: time(0), fieldsV1: { "f:spec": fields } };
  const metadata = {
    ...{ name, namespace: "default", uid: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}` },
    ...{ resourceVersion: String(10_000 + index), generation: 1, creationTimestamp: time(0), managedFields: [managed] },
  };
  const spec = {
    ...{
      type: "Inference",
      mode: "Pooled",
      tier: "Low",
      priority: 0,
      queue: "default",
      timeoutSeconds: 300,
      retries: 3,
    },
    ...{ suspend: false, reward: "0", verification: { policy: "None", validators: 3, quorum: 2 } },
    model: { uri: "https://models.test/model.onnx", digest: `sha256:${"ab".repeat(32)}`, format: "onnx" },
    input: { inline: { x: { dtype: "int32", shape: [1, 2], data: [index, index % 100] } } },
  };
  const because = { reason: "NoWorkers", message: "No worker is there: 0 of 0 workers are connected." };
  const status = explainTask(newStatus, because, { generation: 1, now: time(5) });
  const object = { apiVersion: "inferium.io/v1alpha1", kind: "InferenceTask", metadata, spec, status };
  return JSON.stringify({ type: "ADDED", object });
}

const more = Promise.withResolvers<void>();

/** Of each kind what is there, and of tasks as many that are made later. */
async function* streamOf({ path, signal }: KubeStreamRequest): AsyncGenerator<string> {
  const isTasks = path.includes(tasks.plural);
  if (isTasks) for (let index = 0; index < count / 2; index++) yield taskLine(index);
  const metadata = { resourceVersion: "9", annotations: { "k8s.io/initial-events-end": "true" } };
  yield JSON.stringify({ type: "BOOKMARK", object: { metadata } });
  await more.promise;
  if (isTasks) for (let index = count / 2; index < count; index++) yield taskLine(index);
  await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

const transport: Transport = {
  fieldManager: "test",
  request: () => Promise.reject(new Error("nothing is to be asked of the server for a task that waits")),
  stream: streamOf,
  close: async () => undefined,
};
const address = "0x0000000000000000000000000000000000000001";
const config = {
  ...{ namespace: "inferium-system", pool: { name: "test", host: "127.0.0.1", port: 0 } },
  chain: { rpcUrl: "http://127.0.0.1:1", refreshMs: 3_600_000, treasury: address, slashQuorum: 2, fromBlock: 0 },
  batch: { maxAgeMs: 60_000, maxTasks: 1_024 },
  validation: {
    windowMs: 100,
    deadlineMs: 1_000,
    stragglerMs: 1_000,
    keepMs: 1_000,
    provingMs: 1_000,
    endorsingMs: 1_000,
  },
  ...{ mergeMs: 1_000, explainAfterMs: 3_600_000, silenceMs: 60_000, missedGraceMs: 1_000, policies: {} },
  ...{ allowUnverified: true, models: { isApprovalRequired: false, validators: 3, quorum: 2, validMs: 1_000 } },
  capability: { minimumLevel: "Inspected", acceptSimulated: true, challenges: undefined, attestationRoots: [] },
} as unknown as OperatorConfig;

const stopping = new AbortController();
const registry = new Registry();
const [metrics, kubeMetrics] = [createOperatorMetrics(registry), createKubeMetrics(registry)];
const shared = { clock: systemClock, logger: silentLogger };
const clients = new Proxy({} as StageParts["clients"], { get: () => createClient(transport, tasks) });
const informers = createInformers({
  ...shared,
  ...{ transport, watchNamespace: undefined, hostsAgents: false, metrics: kubeMetrics },
});
const link = new ChainLink({ ...config.chain, ...shared, timeoutMs: 1_000, metrics });
const domain = { chainId: 1n, settlement: address } as unknown as StageParts["domain"];

for (const informer of Object.values(informers)) informer.start(stopping.signal);
await informers.tasks.synced(60_000);
const stages = buildStages({
  ...{ ...shared, config, informers, clients, link, domain, metrics, kubeMetrics, tell: () => undefined },
});
informers.tasks.onEvent((event) => stages.ledger.observe(event));
const running = stages.run(stopping.signal);
running.catch(() => undefined);
const before = await liveBytesWith(count / 2);
more.resolve();
const added = (await liveBytesWith(count)) - before;
console.log(Math.round(added / (count / 2)));
process.exit(0);

async function liveBytesWith(tasks: number): Promise<number> {
  const waiting = async () => (await metrics.poolWaiting.get()).values[0]?.value ?? 0;
  while ((await waiting()) < tasks) await new Promise((resolve) => setTimeout(resolve, 20));
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
