/**
 * Brings up everything that the main job needs, in the order of dependence:
 *
 *   1. API server, custom resources, roles
 *   2. nodes of all tiers with their kubelets, and the scheduler
 *   3. pods that need no chain: an agent for each node
 *   4. while these start on another core, the local chain; the classifier's circuit is registered beside the rest
 *   5. keys, and the other pods: the operator, workers and validators
 *   6. every member Ready, which is waited for apart
 *   7. on an embedded API server, the controllers of whatever else people run there, when they are asked for
 */
import { flushCompileCache } from "node:module";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { registerCircuit } from "../../chain/registered-circuit.ts";
import { createClient } from "../../kube/client.ts";
import { configMaps, pods, secrets } from "../../kube/core-resources.ts";
import type { Pod } from "../../kube/pod-types.ts";
import { describeRegistration } from "../../zk/ceremony/describe-registration.ts";
import type { CircuitRecord } from "../../zk/proving/circuit-record.ts";
import { computeProgress } from "../demo/progress.ts";
import { openProvingSetup } from "../demo/proving-setup.ts";
import { nodeProfiles } from "../nodes/node-profiles.ts";
import { removeRun } from "./cleanup.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { buildIdentities } from "./identities.ts";
import { type LocalChain, startLocalChain } from "./local-chain.ts";
import { applyObjects, readManifests, waitForKinds } from "./manifests.ts";
import { createMembers, type Member, type MemberPlan } from "./members.ts";
import { startNodes } from "./nodes.ts";
import { findFreePorts } from "./ports.ts";
import { buildAgentPods, buildPods, controlNode } from "./role-pods.ts";
import { countEmbeddedWrites, readOperatorWrites } from "./status-writes.ts";
import type { Teardown } from "./teardown.ts";
import { startWatch, type Watch, waitUntil } from "./watch.ts";
import { startWorkloadControllers } from "./workload-controllers.ts";
import type { Workspace } from "./workspace.ts";

export interface SystemOptions {
  readonly workspace: Workspace;
  readonly port: number;
  readonly kubeconfig?: string | undefined;
  readonly entrypoint: readonly string[];
  readonly hostEnv: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly teardown: Teardown;
  /** Whether a launcher takes part, for tasks of mode Pod. */
  readonly launcher: boolean;
  /** One line for people at each step. */
  readonly say: (text: string) => void;
}

export interface System {
  readonly workspace: Workspace;
  readonly cluster: Cluster;
  readonly chain: LocalChain;
  /** What proofs of the demonstration's classifier are made with. */
  readonly circuit: CircuitRecord;
  readonly members: readonly Member[];
  readonly watch: Watch;
  /** Of the pool API on loopback. */
  readonly poolPort: number;
  /** Resolves when every member that does not join later is Ready. @throws InferiumError WaitTimeout, or the signal's reason */
  untilReady(): Promise<void>;
  /** Starts the controllers of workloads, once. */
  startControllers(): void;
  /** Starts a member that joins later; resolves when it is Ready. */
  join(member: Member): Promise<void>;
  /** Writes to InferenceTask status since the start. */
  countStatusWrites(): Promise<number>;
}

/** Who takes part. The second mid-tier worker cheats, and the last validator approves whatever it is shown. */
const plans: readonly MemberPlan[] = [
  { name: "gpu-high-a100", role: "Worker" },
  { name: "gpu-mid-l4", role: "Worker" },
  { name: "gpu-mid-rtx", role: "Worker", honest: false },
  { name: "gpu-low-p4", role: "Worker" },
  { name: "cpu-validator-1", role: "Validator" },
  { name: "cpu-validator-2", role: "Validator" },
  { name: "cpu-validator-3", role: "Validator" },
  { name: "cpu-validator-lazy", role: "Validator", honest: false, joinsLater: true },
];

/** Its node is of the same tier as the first one: pods that are taken away from one go on at the other. */
const launcherPlan: MemberPlan = { name: "gpu-high-b", role: "Worker", launcher: true };

const readyTimeoutMs = 120_000;

/** Resolves when the pods of all members are created that do not join later. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { workspace, logger, teardown, say } = options;
  const members = createMembers(options.launcher ? [...plans, launcherPlan] : plans);
  const first = members.filter(({ joinsLater }) => !joinsLater);
  let localChain: LocalChain | undefined;
  // Before everything that is taken down earlier: the members read the chain to their end.
  teardown.add("chain", async () => localChain?.stop());
  const cluster = await openCluster({ ...options, logger });
  teardown.add("cluster", () => cluster.close());
  say(`cluster    ${cluster.connection.server}${cluster.embedded ? " (embedded Kubernetes API)" : ""}`);
  await installKinds(cluster, members, teardown);
  const watch = await startWatch(cluster.transport, logger, teardown);
  await startNodes({ ...options, cluster, profiles: selectProfiles(members), rootDir: workspace.kubeletDir }, teardown);
  say(`nodes      ${members.length + 1} simulated nodes run pods as local processes`);
  const [poolPort = 0, operatorMetricsPort = 0, ...agentPorts] = await findFreePorts(members.length + 2);
  // What this process has compiled so far is what its children need first.
  flushCompileCache();
  const agents = buildAgentPods(members, agentPorts);
  const firstNodes = [controlNode, ...first.map(({ name }) => name)];
  const startedAgents = await createOn(cluster, agents, firstNodes);
  const circuit = await openProvingSetup(workspace.proofsDir);
  const chain = await startLocalChain(workspace.chainDir, members, logger.child({ part: "chain" }));
  localChain = chain;
  // Beside all that follows, which does not need it.
  const registered = registerCircuit(chain.writer, describeRegistration(circuit));
  // Awaited below: until then its failure must not end the process.
  registered.catch(() => undefined);
  say(`chain      ${chain.rpcUrl} (local development chain), contracts deployed, ${members.length} members bonded`);
  await installIdentities(cluster, chain, members);
  const { proofsDir } = workspace;
  const roles = buildPods(members, { chain, poolPort, proofsDir, operatorMetricsPort });
  const started = startedAgents + (await createOn(cluster, roles, firstNodes));
  say(`pods       ${started} pods: operator, agents, workers, validators`);
  const untilReady = async () => {
    await waitForMembers(watch, first, options.signal);
    await registered;
  };
  let hasControllers = false;
  const startControllers = () => {
    if (!hasControllers) startWorkloadControllers({ ...options, cluster }, teardown);
    hasControllers = true;
  };
  const countStatusWrites = async () =>
    cluster.embedded ? countEmbeddedWrites(cluster.embedded) : await readOperatorWrites(operatorMetricsPort);
  const join = async (member: Member) => {
    await createOn(cluster, [...agents, ...roles], [member.name]);
    await waitForMembers(watch, [member], options.signal);
  };
  const parts = { workspace, cluster, chain, circuit, members, watch, poolPort };
  return { ...parts, untilReady, startControllers, join, countStatusWrites };
}

/** @returns how many pods there are for these nodes */
async function createOn(cluster: Cluster, built: readonly Pod[], nodes: readonly string[]): Promise<number> {
  const client = createClient(cluster.transport, pods);
  const chosen = built.filter((pod) => nodes.includes(pod.spec?.nodeSelector?.["kubernetes.io/hostname"] ?? ""));
  await Promise.all(chosen.map((pod) => client.create(pod)));
  return chosen.length;
}

async function installKinds(cluster: Cluster, members: readonly Member[], teardown: Teardown): Promise<void> {
  const { transport } = cluster;
  const kinds = await readManifests("crds");
  await applyObjects(transport, kinds);
  await waitForKinds(transport, kinds);
  if (!cluster.embedded) {
    const nodeNames = [controlNode, ...members.map((member) => member.name)];
    await removeRun(transport, nodeNames);
    teardown.add("objects on the cluster", () => removeRun(transport, nodeNames));
  }
  await applyObjects(transport, await readManifests("manifests/base"));
  if (members.some(({ launcher }) => launcher))
    await applyObjects(transport, await readManifests("manifests/launcher"));
}

async function installIdentities({ transport }: Cluster, chain: LocalChain, members: readonly Member[]): Promise<void> {
  const identities = await buildIdentities(members, chain.accounts, chain.addresses);
  await Promise.all([
    ...identities.secrets.map((secret) => createClient(transport, secrets).apply(secret)),
    ...identities.configMaps.map((configMap) => createClient(transport, configMaps).apply(configMap)),
  ]);
}

function selectProfiles(members: readonly Member[]) {
  const used = new Set([controlNode, ...members.map((member) => member.name)]);
  return nodeProfiles.filter((profile) => used.has(profile.name));
}

async function waitForMembers(watch: Watch, members: readonly Member[], signal: AbortSignal): Promise<void> {
  const states = () => {
    const nodes = computeProgress([], watch.nodes.store.list()).nodes;
    return members.map(
      ({ name }) => [name, nodes.find((node) => node.name === name)?.state ?? "no WorkerNode"] as const,
    );
  };
  await waitUntil({
    informers: [watch.nodes],
    isTrue: () => states().every(([, state]) => state === "Ready"),
    timeoutMs: readyTimeoutMs,
    signal,
    describe: () =>
      `every member to be Ready; these are not: ${states()
        .filter(([, state]) => state !== "Ready")
        .map(([name, state]) => `${name} (${state})`)
        .join(", ")}. Look at: kubectl get pods,wn -A, and kubectl logs`,
  });
}
