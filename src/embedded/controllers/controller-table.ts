/** The controllers of the manager and the kinds that each needs; one whose kinds are not served is left out. */
import type { Controller } from "../../kube/controller.ts";
import type { ResourceType } from "../../kube/resource.ts";
import type { ControllerContext } from "./controller-context.ts";
import { createDaemonSetController } from "./daemon-set/daemon-set-controller.ts";
import { createDeploymentController } from "./deployment/deployment-controller.ts";
import { createJobController } from "./job/job-controller.ts";
import { createTtlController } from "./job/ttl-controller.ts";
import { createReplicaSetController } from "./replica-set/replica-set-controller.ts";
import type { ServedKinds } from "./served-kinds.ts";
import { createStatefulSetController } from "./stateful-set/stateful-set-controller.ts";
import { controllerRevisions, daemonSets, deployments, jobs, replicaSets, statefulSets } from "./workload-resources.ts";

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
];

export function selectControllers(context: ControllerContext, isServed: ServedKinds): readonly Controller[] {
  return table.filter(({ needs }) => needs.every(isServed)).map(({ create }) => create(context));
}
