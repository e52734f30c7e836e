/** The writes of the deployment controller: replica sets made, scaled and deleted, with their events. */
import { isAlreadyExists, isNotFound } from "../../../kube/api-error.ts";
import type { KubeClient } from "../../../kube/client.ts";
import { ownerReferenceTo } from "../../../kube/object.ts";
import { computeTemplateHash, sameJson } from "../canonical.ts";
import { type ControllerContext, clientOf } from "../controller-context.ts";
import { isControlledBy } from "../owners.ts";
import { deployments, replicaSets } from "../workload-resources.ts";
import type { Deployment, DeploymentStatus, ReplicaSet } from "../workload-types.ts";
import { replicasOf, type Scaling } from "./replica-counts.ts";
import { computeSetAnnotations, hashLabel, isSameTemplate, sizeAnnotations, withHash } from "./revisions.ts";

export class DeploymentWrites {
  readonly #context: ControllerContext;
  readonly #sets: KubeClient<ReplicaSet>;
  readonly #deployments: KubeClient<Deployment>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#sets = clientOf(context, replicaSets);
    this.#deployments = clientOf(context, deployments);
  }

  /** @throws when the name is taken by another template: the collision count is raised, and the next try differs */
  async createSet(deployment: Deployment, revision: number, replicas: number): Promise<ReplicaSet> {
    const wanted = buildReplicaSet(deployment, revision, replicas);
    try {
      const created = await this.#sets.create(wanted);
      if (replicas > 0)
        this.#report(deployment, `Scaled up replica set ${created.metadata.name} from 0 to ${replicas}`);
      return created;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const existing = await this.#sets.get(wanted.metadata);
      const isOurs = isControlledBy(existing, deployment);
      if (isOurs && isSameTemplate(existing.spec.template, deployment.spec.template)) return existing;
      const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
      await this.writeStatus(deployment, { ...deployment.status, collisionCount });
      throw error;
    }
  }

  /** Brings annotations and minReadySeconds of the newest set up to date. @returns the set as it is now */
  async refreshSet(deployment: Deployment, set: ReplicaSet, revision: number): Promise<ReplicaSet> {
    const annotations = computeSetAnnotations(deployment, set.metadata.annotations, revision);
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    const isSame = (set.spec.minReadySeconds ?? 0) === minReadySeconds;
    if (isSame && sameJson(annotations, set.metadata.annotations)) return set;
    return this.#sets.update({
      ...set,
      metadata: { ...set.metadata, annotations },
      spec: isSame ? set.spec : { ...set.spec, minReadySeconds },
    });
  }

  /** @returns whether the size changed */
  async scale(deployment: Deployment, { set, replicas }: Scaling): Promise<boolean> {
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
    const before = replicasOf(set);
    if (before === replicas && sameJson(annotations, set.metadata.annotations)) return false;
    await this.#sets.update({
      ...set,
      metadata: { ...set.metadata, annotations },
      spec: { ...set.spec, replicas },
    });
    if (before === replicas) return false;
    const direction = before < replicas ? "up" : "down";
    this.#report(deployment, `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`);
    return true;
  }

  async deleteSet(set: ReplicaSet): Promise<void> {
    try {
      await this.#sets.delete(set.metadata, { propagation: "Background" });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** The status call also takes annotations: that is how the revision gets there without a new generation. */
  async writeStatus(
    deployment: Deployment,
    status: DeploymentStatus,
    annotations = deployment.metadata.annotations,
  ): Promise<Deployment> {
    if (sameJson(status, deployment.status) && sameJson(annotations, deployment.metadata.annotations))
      return deployment;
    const metadata = { ...deployment.metadata, ...(annotations === undefined ? {} : { annotations }) };
    return this.#deployments.updateStatus({ ...deployment, metadata, status });
  }

  #report(deployment: Deployment, message: string): void {
    const component = "deployment-controller";
    this.#context.events.record({ regarding: deployment, component, reason: "ScalingReplicaSet", message });
  }
}

function buildReplicaSet(deployment: Deployment, revision: number, replicas: number): ReplicaSet {
  const { template, selector, minReadySeconds = 0 } = deployment.spec;
  const hash = computeTemplateHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    apiVersion: replicaSets.apiVersion,
    kind: replicaSets.kind,
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? "",
      labels,
      annotations: { ...computeSetAnnotations(deployment, undefined, revision), ...sizeAnnotations(deployment) },
      ownerReferences: [ownerReferenceTo(deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds === 0 ? {} : { minReadySeconds }),
      selector: withHash(selector, hash),
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
