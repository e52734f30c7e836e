/** The kinds that the operator follows, with what it keeps of each. */
import { labels } from "../api/v1alpha1/labels.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { type EndpointSlice, endpointSlices } from "../kube/app-resources.ts";
import { type Node, namespaces, nodes } from "../kube/core-resources.ts";
import { createInformer, dropManagedFields, type Informer } from "../kube/informer.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import type { Transport } from "../kube/transport.ts";
import type { NodeState } from "../protocol/slashing.ts";
import { byAddress, byGpu, type NodeLabels, uuidsOf } from "./directory.ts";
import { type KeptTask, keepTask } from "./kept-task.ts";
import {
  type AgentObject,
  agents,
  type LeaderboardObject,
  leaderboards,
  type ModelObject,
  models,
  tasks,
  type ValidationObject,
  validations,
  type WorkerObject,
  workerNodes,
} from "./kinds.ts";
import { byDigest, type NamespaceRules, readNamespaceRules } from "./models/model-catalog.ts";

export interface OperatorInformers {
  readonly tasks: Informer<KeptTask>;
  readonly validations: Informer<ValidationObject>;
  readonly leaderboards: Informer<LeaderboardObject>;
  readonly workers: Informer<WorkerObject>;
  readonly nodes: Informer<NodeLabels>;
  readonly models: Informer<ModelObject>;
  readonly namespaces: Informer<NamespaceRules>;
  /** Left out where agents are not turned on, like the slices of their replicas. */
  readonly agents?: Informer<AgentObject>;
  readonly slices?: Informer<EndpointSlice>;
}

export interface InformerParts {
  readonly transport: Transport;
  readonly watchNamespace: string | undefined;
  /** Whether agents are hosted. */
  readonly hostsAgents: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: KubeMetrics;
}

export function createInformers({
  transport,
  watchNamespace,
  hostsAgents,
  ...shared
}: InformerParts): OperatorInformers {
  const namespaced = { ...shared, namespace: watchNamespace };
  return {
    ...(hostsAgents
      ? {
          agents: createInformer(transport, agents, namespaced),
          slices: createInformer(transport, endpointSlices, { ...namespaced, labelSelector: labels.agent }),
        }
      : {}),
    tasks: createInformer(transport, tasks, { ...namespaced, transform: keepTask }),
    validations: createInformer(transport, validations, namespaced),
    leaderboards: createInformer(transport, leaderboards, namespaced),
    workers: createInformer(transport, workerNodes, {
      ...shared,
      transform: (worker: WorkerObject) => dropManagedFields(worker),
      indexers: { [byAddress]: ({ spec }) => [spec.address.toLowerCase()], [byGpu]: uuidsOf },
    }),
    models: createInformer(transport, models, { ...namespaced, indexers: { [byDigest]: ({ spec }) => [spec.digest] } }),
    namespaces: createInformer(transport, namespaces, { ...shared, transform: readNamespaceRules }),
    nodes: createInformer(transport, nodes, {
      ...shared,
      transform: (node): NodeLabels => ({
        name: node.metadata.name,
        labels: node.metadata.labels ?? {},
        state: readNodeState(node),
      }),
    }),
  };
}

/** The kubelet renews its heartbeat all the time: only the Ready condition's own changes count. */
function readNodeState({ spec, status }: Node): NodeState {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return {
    unschedulable: spec?.unschedulable === true,
    ...(ready ? { ready: ready.status as NonNullable<NodeState["ready"]> } : {}),
    ...(ready?.lastTransitionTime ? { readySinceMs: Date.parse(ready.lastTransitionTime) } : {}),
  };
}
