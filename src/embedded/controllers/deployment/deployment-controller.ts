/**
 * Rolls a Deployment out over replica sets. A reconcile does one step and the change that it makes brings the next:
 *
 *   1. gather: its replica sets (adopting and releasing), which of them is the newest, which are old
 *   2. paused, or only its size changed: scale and stop there
 *   3. make the newest set if it is missing; its revision is the deployment's
 *   4. rolling: grow the new set, or else shrink the old ones. Recreate: empty the old ones before the new one starts
 *   5. when all is done, drop the history beyond its limit
 *   6. status
 */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { objectKey } from "../../../kube/object.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { matchesLabelSelector } from "../../scheduler/label-match.ts";
import { apiMessage } from "../api-message.ts";
import { claimObjects } from "../claim-objects.ts";
import { findCondition } from "../conditions.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { controllerOf } from "../owners.ts";
import { isFinished } from "../pod-state.ts";
import { deployments, replicaSets } from "../workload-resources.ts";
import type { Deployment, DeploymentStatus, ReplicaSet, WorkloadCondition } from "../workload-types.ts";
import {
  computeCounts,
  computePauseConditions,
  computeRolloutStatus,
  hasDeadline,
  isComplete,
  putCondition,
  stamps,
  untilDeadline,
} from "./deployment-status.ts";
import { DeploymentWrites } from "./deployment-writes.ts";
import {
  computeNewReplicas,
  isRolling,
  replicasOf,
  type Scaling,
  scaleProportionally,
  shrinkOldSets,
} from "./replica-counts.ts";
import {
  desiredReplicasAnnotation,
  findExpiredSets,
  findNewSet,
  nextRevision,
  revisionAnnotation,
  revisionOf,
} from "./revisions.ts";

export function createDeploymentController(context: ControllerContext): Controller {
  return new DeploymentReconciler(context).controller;
}

class DeploymentReconciler {
  readonly controller: Controller;
  readonly #context: ControllerContext;
  readonly #writes: DeploymentWrites;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#writes = new DeploymentWrites(context);
    this.controller = controllerNamed(context, "deployment", (key) => this.#reconcile(key));
    this.controller.watch(context.informers.of(deployments));
    this.controller.watch(context.informers.of(replicaSets), (event) => [
      ...this.#ownersOf(event.object),
      ...(event.type === "updated" ? this.#ownersOf(event.previous) : []),
    ]);
    // A Recreate waits for the old pods to be gone, not only for their sets to be empty.
    this.controller.watch(context.informers.of(podResource), (event) => {
      if (event.type === "added") return [];
      const owner = controllerOf(event.object);
      if (owner?.kind !== replicaSets.kind) return [];
      const key = `${event.object.metadata.namespace}/${owner.name}`;
      const set = context.informers.of(replicaSets).store.get(key);
      return set === undefined ? [] : this.#recreatingOwnersOf(set);
    });
  }

  #ownersOf(set: ReplicaSet): readonly string[] {
    const namespace = set.metadata.namespace ?? "";
    const owner = controllerOf(set);
    if (owner !== undefined) return owner.kind === deployments.kind ? [`${namespace}/${owner.name}`] : [];
    const candidates = this.#context.informers.of(deployments).store.byIndex("namespace", namespace);
    return candidates
      .filter((one) => matchesLabelSelector(one.spec.selector, set.metadata.labels ?? {}))
      .map((one) => objectKey(one));
  }

  #recreatingOwnersOf(set: ReplicaSet): readonly string[] {
    const { store } = this.#context.informers.of(deployments);
    return this.#ownersOf(set).filter((key) => {
      const owner = store.get(key);
      return owner !== undefined && !isRolling(owner);
    });
  }

  async #reconcile(key: string): Promise<ReconcileResult | undefined> {
    const cached = this.#context.informers.of(deployments).store.get(key);
    if (cached === undefined) return undefined;
    try {
      const status = await this.#roll(cached);
      return { requeueAfterMs: untilDeadline(cached, status, this.#context.clock.now()) };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #roll(cached: Deployment): Promise<DeploymentStatus> {
    const sets = await this.#claimSets(cached);
    if (cached.metadata.deletionTimestamp !== undefined) return this.#writeCounts(cached, sets);
    const paused = computePauseConditions(cached, this.#context.clock.now());
    const deployment =
      paused === undefined ? cached : await this.#writes.writeStatus(cached, { ...cached.status, conditions: paused });
    if (deployment.spec.paused === true || isScaling(deployment, sets)) return this.#rescale(deployment, sets);
    return isRolling(deployment) ? this.#rollingUpdate(deployment, sets) : this.#recreate(deployment, sets);
  }

  #claimSets(deployment: Deployment): Promise<readonly ReplicaSet[]> {
    return claimObjects({
      owner: deployment,
      selector: deployment.spec.selector,
      candidates: this.#context.informers
        .of(replicaSets)
        .store.byIndex("namespace", deployment.metadata.namespace ?? ""),
      client: clientOf(this.#context, replicaSets),
      readOwner: () => clientOf(this.#context, deployments).get(deployment.metadata),
    });
  }

  async #rescale(deployment: Deployment, sets: readonly ReplicaSet[]): Promise<DeploymentStatus> {
    const fresh = findNewSet(deployment, sets);
    const old = sets.filter((set) => set !== fresh);
    for (const scaling of decideScalings(deployment, fresh, old)) await this.#writes.scale(deployment, scaling);
    if (deployment.spec.paused === true) await this.#dropHistory(deployment, old);
    return this.#writeCounts(deployment, sets);
  }

  async #writeCounts(deployment: Deployment, sets: readonly ReplicaSet[]): Promise<DeploymentStatus> {
    const fresh = findNewSet(deployment, sets);
    const old = sets.filter((set) => set !== fresh);
    const status = computeCounts({ deployment, fresh, old, nowMs: this.#context.clock.now() });
    await this.#writes.writeStatus(deployment, status);
    return status;
  }

  async #rollingUpdate(deployment: Deployment, sets: readonly ReplicaSet[]): Promise<DeploymentStatus> {
    const old = sets.filter((set) => set !== findNewSet(deployment, sets));
    const { fresh, current } = await this.#ensureNewSet(deployment, sets, old);
    const all = [...old, fresh];
    const wanted = Math.min(computeNewReplicas(current, all, replicasOf(fresh)), replicasOf(current));
    const grown = await this.#writes.scale(current, { set: fresh, replicas: wanted });
    if (!grown) for (const scaling of shrinkOldSets(current, fresh, old)) await this.#writes.scale(current, scaling);
    return this.#finish(current, fresh, old);
  }

  async #recreate(deployment: Deployment, sets: readonly ReplicaSet[]): Promise<DeploymentStatus> {
    const found = findNewSet(deployment, sets);
    const old = sets.filter((set) => set !== found);
    const busy = old.filter((set) => replicasOf(set) > 0);
    for (const set of busy) await this.#writes.scale(deployment, { set, replicas: 0 });
    if (busy.length > 0 || this.#runPods(old)) return this.#writeRollout(deployment, found, old);
    const { fresh, current } = await this.#ensureNewSet(deployment, sets, old);
    await this.#writes.scale(current, { set: fresh, replicas: replicasOf(current) });
    return this.#finish(current, fresh, old);
  }

  #runPods(sets: readonly ReplicaSet[]): boolean {
    const pods = this.#context.informers.of(podResource).store;
    return sets.some((set) => pods.byIndex("owner", set.metadata.uid ?? "").some((pod) => !isFinished(pod)));
  }

  async #ensureNewSet(deployment: Deployment, sets: readonly ReplicaSet[], old: readonly ReplicaSet[]) {
    const found = findNewSet(deployment, sets);
    const revision = nextRevision(old);
    if (found !== undefined) {
      const fresh = await this.#writes.refreshSet(deployment, found, revision);
      const reason = { reason: "FoundNewReplicaSet", message: `Found new replica set "${fresh.metadata.name}"` };
      const isKnown = findCondition(deployment.status?.conditions, "Progressing") !== undefined;
      const current = await this.#writeRevision(deployment, revisionOf(fresh), isKnown ? undefined : reason);
      return { fresh, current };
    }
    const replicas = computeNewReplicas(deployment, old, 0);
    const fresh = await this.#writes.createSet(deployment, revision, replicas).catch(async (error: unknown) => {
      await this.#reportFailedCreate(deployment, error);
      throw error;
    });
    const reason = { reason: "NewReplicaSetCreated", message: `Created new replica set "${fresh.metadata.name}"` };
    return { fresh, current: await this.#writeRevision(deployment, revision, reason) };
  }

  async #writeRevision(
    deployment: Deployment,
    revision: number,
    progress: Pick<WorkloadCondition, "reason" | "message"> | undefined,
  ): Promise<Deployment> {
    const annotations = { ...deployment.metadata.annotations, [revisionAnnotation]: String(revision) };
    const progressing = { type: "Progressing", status: "True", ...progress, ...stamps(this.#context.clock.now()) };
    const conditions =
      progress !== undefined && hasDeadline(deployment)
        ? putCondition(deployment.status?.conditions, progressing)
        : deployment.status?.conditions;
    const status = conditions === undefined ? deployment.status : { ...deployment.status, conditions };
    return this.#writes.writeStatus(deployment, status ?? {}, annotations);
  }

  async #reportFailedCreate(deployment: Deployment, error: unknown): Promise<void> {
    if (!hasDeadline(deployment)) return;
    const message = `Failed to create new replica set: ${apiMessage(error)}`;
    const failed = { type: "Progressing", status: "False", reason: "FailedCreate", message };
    const conditions = putCondition(deployment.status?.conditions, { ...failed, ...stamps(this.#context.clock.now()) });
    await this.#writes.writeStatus(deployment, { ...deployment.status, conditions });
  }

  async #finish(deployment: Deployment, fresh: ReplicaSet, old: readonly ReplicaSet[]): Promise<DeploymentStatus> {
    if (isComplete(deployment, deployment.status ?? {})) await this.#dropHistory(deployment, old);
    return this.#writeRollout(deployment, fresh, old);
  }

  async #writeRollout(
    deployment: Deployment,
    fresh: ReplicaSet | undefined,
    old: readonly ReplicaSet[],
  ): Promise<DeploymentStatus> {
    const status = computeRolloutStatus({ deployment, fresh, old, nowMs: this.#context.clock.now() });
    await this.#writes.writeStatus(deployment, status);
    return status;
  }

  async #dropHistory(deployment: Deployment, old: readonly ReplicaSet[]): Promise<void> {
    for (const set of findExpiredSets(deployment, old)) await this.#writes.deleteSet(set);
  }
}

/** The size changed since the sets were scaled for it. */
function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const before = set.metadata.annotations?.[desiredReplicasAnnotation];
    return replicasOf(set) > 0 && before !== undefined && Number(before) !== replicasOf(deployment);
  });
}

/** One set in use takes the whole size; a finished rollout empties the others; in the middle of one all share. */
function decideScalings(deployment: Deployment, fresh: ReplicaSet | undefined, old: readonly ReplicaSet[]): Scaling[] {
  const all = fresh === undefined ? old : [...old, fresh];
  const active = all.filter((set) => replicasOf(set) > 0);
  const only = active.length > 1 ? undefined : (active[0] ?? fresh ?? newestOf(old));
  if (only !== undefined) return [{ set: only, replicas: replicasOf(deployment) }];
  if (active.length === 0) return [];
  if (fresh !== undefined && isSaturated(deployment, fresh)) {
    return active.filter((set) => set !== fresh).map((set) => ({ set, replicas: 0 }));
  }
  return isRolling(deployment) ? scaleProportionally(deployment, active) : [];
}

function newestOf(sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets].sort((one, other) => revisionOf(other) - revisionOf(one))[0];
}

function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  const made = Number(set.metadata.annotations?.[desiredReplicasAnnotation]);
  return replicasOf(set) === wanted && made === wanted && set.status?.availableReplicas === wanted;
}
