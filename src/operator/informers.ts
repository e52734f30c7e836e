/** The kinds that the operator follows, with what it keeps of each. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { nodes } from "../kube/core-resources.ts";
import { createInformer, dropManagedFields, type Informer } from "../kube/informer.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import type { Transport } from "../kube/transport.ts";
import { byAddress, type NodeLabels } from "./directory.ts";
import {
  compactTask,
  type TaskObject,
  tasks,
  type ValidationObject,
  validations,
  type WorkerObject,
  workerNodes,
} from "./kinds.ts";

export interface OperatorInformers {
  readonly tasks: Informer<TaskObject>;
  readonly validations: Informer<ValidationObject>;
  readonly workers: Informer<WorkerObject>;
  readonly nodes: Informer<NodeLabels>;
}

export interface InformerParts {
  readonly transport: Transport;
  readonly watchNamespace: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: KubeMetrics;
}

export function createInformers({ transport, watchNamespace, ...shared }: InformerParts): OperatorInformers {
  const namespaced = { ...shared, namespace: watchNamespace };
  return {
    tasks: createInformer(transport, tasks, { ...namespaced, transform: compactTask }),
    validations: createInformer(transport, validations, namespaced),
    workers: createInformer(transport, workerNodes, {
      ...shared,
      transform: (worker: WorkerObject) => dropManagedFields(worker),
      indexers: { [byAddress]: ({ spec }) => [spec.address.toLowerCase()] },
    }),
    nodes: createInformer(transport, nodes, {
      ...shared,
      transform: ({ metadata }): NodeLabels => ({ name: metadata.name, labels: metadata.labels ?? {} }),
    }),
  };
}
