/** The controllers of the manager and the kinds that each needs; one whose kinds are not served is left out. */
import type { Controller } from "../../kube/controller.ts";
import { leases } from "../../kube/core-resources.ts";
import type { ResourceType } from "../../kube/resource.ts";
import type { ControllerContext } from "./controller-context.ts";
import { createCronJobController } from "./cron-job/cron-job-controller.ts";
import { createDaemonSetController } from "./daemon-set/daemon-set-controller.ts";
import { createDeploymentController } from "./deployment/deployment-controller.ts";
import { createDisruptionController } from "./disruption/disruption-controller.ts";
import { createEndpointSliceController } from "./endpoints/endpoint-slice-controller.ts";
import { createEndpointsController } from "./endpoints/endpoints-controller.ts";
import { createJobController } from "./job/job-controller.ts";
import { createTtlController } from "./job/ttl-controller.ts";
import { endpointSliceResource, endpointsResource } from "./network-types.ts";
import { createNodeLifecycleController } from "./node/node-lifecycle-controller.ts";
import { createPodGcController } from "./node/pod-gc-controller.ts";
import { createTaintEvictionController } from "./node/taint-eviction-controller.ts";
import { createReplicaSetController } from "./replica-set/replica-set-controller.ts";
import type { ServedKinds } from "./served-kinds.ts";
import { createStatefulSetController } from "./stateful-set/stateful-set-controller.ts";
import {
  controllerRevisions,
  cronJobs,
  daemonSets,
  deployments,
  jobs,
  podDisruptionBudgets,
  replicaSets,
  statefulSets,
} from "./workload-resources.ts";

interface Entry {
  readonly needs: readonly ResourceType[];
  readonly create: (context: ControllerContext) => Controller;
}

const table: readonly Entry[] = [
  { needs: [deployments, replicaSets], create: createDeploymentController },
  { needs: [replicaSets], create: createReplicaSetController },
  { needs: [daemonSets, controllerRevisions], create: createDaemonSetController },
  { needs: [statefulSets, controllerRevisions], create: createStatefulSetController },
  { needs: [jobs], create: createJobController },
  { needs: [jobs], create: createTtlController },
  { needs: [cronJobs, jobs], create: createCronJobController },
  { needs: [endpointSliceResource], create: createEndpointSliceController },
  { needs: [endpointsResource], create: createEndpointsController },
  { needs: [podDisruptionBudgets, deployments, replicaSets, statefulSets], create: createDisruptionController },
  { needs: [leases], create: createNodeLifecycleController },
  { needs: [], create: createTaintEvictionController },
  { needs: [], create: createPodGcController },
];

export function selectControllers(context: ControllerContext, isServed: ServedKinds): readonly Controller[] {
  return table.filter(({ needs }) => needs.every(isServed)).map(({ create }) => create(context));
}
