/**
 * One round of the agent: observe the hardware, gather what the API says, decide, and write what changed. Nothing is
 * written when nothing changed. All state between rounds is in `RoundState`; a restart loses none that matters.
 */
import { labels as apiLabels } from "../api/v1alpha1/labels.ts";
import type { Logger } from "../base/log.ts";
import type { Node } from "../kube/core-resources.ts";
import type { EventRecorder } from "../kube/events.ts";
import { buildLabels, factLabels } from "./build-labels.ts";
import { buildStatus, isNews, isSimulated, type StatusInput } from "./build-status.ts";
import type { AgentConfig } from "./config.ts";
import { decideCapability, type Observation } from "./decide-capability.ts";
import { type AgentMetrics, showCapability, showObservation } from "./metrics.ts";
import { readNodeFacts } from "./node-facts.ts";
import { type ObserverState, observe, type ReadHardware } from "./observe.ts";
import { listSlicesOf } from "./resource-slices.ts";
import {
  type AgentClients,
  ensureWorkerNode,
  hasLabels,
  type KubeWorkerNode,
  publishLabels,
  publishStatus,
} from "./worker-node.ts";

export interface RoundContext {
  readonly config: AgentConfig;
  readonly clients: AgentClients;
  readonly read: ReadHardware;
  readonly recorder: EventRecorder;
  readonly metrics: AgentMetrics;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const ownedLabels = [apiLabels.tier, apiLabels.simulated, ...Object.values(factLabels)];

/** @returns the observer's state for the next round */
export async function runRound(context: RoundContext, state: ObserverState): Promise<ObserverState> {
  const { config, clients, metrics } = context;

  // 1. The hardware, through nvidia-smi.
  const observed = await observe(context.read, state);
  if (observed.failure) metrics.readFailures.inc({ kind: observed.failure.kind });

  // 2. What the API says of the node and of its member of the pool.
  const node = await clients.nodes.get({ name: config.nodeName });
  const workerNode = await ensureWorkerNode(clients, config);
  const slices = await listSlices(context, observed.observation, node);

  // 3. Decide.
  const facts = readNodeFacts(node, slices);
  const capability = decideCapability(observed.observation, facts, config);
  const now = new Date(context.now()).toISOString();
  const { simulated } = config;
  const input: StatusInput = { observation: observed.observation, capability, facts, simulated, now };
  showObservation(metrics, observed.observation, isSimulated(input));
  showCapability(metrics, capability);

  // 4. Write what changed.
  await writeStatus(context, workerNode, input);
  const labels = buildLabels(input);
  if (!hasLabels(node, labels, ownedLabels)) {
    await publishLabels(clients, node, labels);
    metrics.writes.inc({ target: "labels" });
  }
  return observed.state;
}

/** Asked for where GPUs are there and no device plugin says so: one of the two offers them to pods, never both. */
async function listSlices({ clients, config }: RoundContext, { kind }: Observation, node: Node) {
  if (kind !== "Read" || readNodeFacts(node).capacityUnits !== 0) return [];
  return listSlicesOf(config.nodeName, clients.slices);
}

async function writeStatus(context: RoundContext, workerNode: KubeWorkerNode, input: StatusInput): Promise<void> {
  const status = buildStatus(input, workerNode.spec, workerNode.status);
  if (!isNews(workerNode.status, status)) return;
  await publishStatus(context.clients, workerNode, status);
  context.metrics.writes.inc({ target: "status" });
  context.logger.info("hardware changed", {
    workerNode: workerNode.metadata.name,
    tier: status.tier,
    level: status.capability.level,
    summary: status.hardware.summary,
  });
  announce(context.recorder, workerNode, input);
}

/** Events tell people why a tier is what it is; conditions on this are the operator's. */
function announce(recorder: EventRecorder, workerNode: KubeWorkerNode, input: StatusInput): void {
  const { observation, capability } = input;
  const record = (type: "Normal" | "Warning", reason: string, note: string) =>
    recorder.record({ regarding: workerNode, type, reason, action: "ReadHardware", note });
  if (observation.kind === "Unreadable") record("Warning", "HardwareUnreadable", observation.message);
  else if (capability.objections.length > 0) record("Warning", "HardwareDisputed", capability.objections.join("; "));
  else record("Normal", "HardwareRead", `Tier ${capability.tier}, ${capability.level}.`);
  const gpus = observation.kind === "Read" ? observation.reading.gpus : [];
  for (const { uuid, faults } of gpus) {
    if (faults.length > 0) record("Warning", "GpuUnhealthy", `${uuid}: ${faults.join(", ")}`);
  }
}
