/** Keeps the status of PodDisruptionBudgets, which the eviction call of the API server decides by. Effects: status. */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { type KubeObject, type OwnerReference, objectKey } from "../../../kube/object.ts";
import type { Pod } from "../../kubelet/core-types.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { matchesLabelSelector } from "../../scheduler/label-match.ts";
import { sameJson } from "../canonical.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { controllerOf } from "../owners.ts";
import { deployments, podDisruptionBudgets, replicaSets, statefulSets } from "../workload-resources.ts";
import { type BudgetView, computeBudgetStatus, untilDisruptedExpires } from "./disruption-status.ts";

export function createDisruptionController(context: ControllerContext): Controller {
  return new DisruptionReconciler(context).controller;
}

interface Scalable extends KubeObject {
  readonly spec: { readonly replicas?: number };
}

class DisruptionReconciler {
  readonly controller: Controller;
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
    const budgets = context.informers.of(podDisruptionBudgets);
    this.controller = controllerNamed(context, "disruption", (key) => this.#reconcile(key));
    this.controller.watch(budgets);
    const budgetsOf = (pod: Pod) =>
      budgets.store
        .byIndex("namespace", pod.metadata.namespace ?? "")
        .filter((budget) => matchesLabelSelector(budget.spec?.selector, pod.metadata.labels ?? {}))
        .map((budget) => objectKey(budget));
    this.controller.watch(context.informers.of(podResource), (event) => [
      ...budgetsOf(event.object),
      ...(event.type === "updated" ? budgetsOf(event.previous) : []),
    ]);
    // A controller that is scaled wants another number of pods.
    for (const type of [deployments, replicaSets, statefulSets]) {
      this.controller.watch(context.informers.of<Scalable>(type), ({ object, ...event }) => {
        const isSame = "previous" in event && event.previous.spec.replicas === object.spec.replicas;
        const near = isSame ? [] : budgets.store.byIndex("namespace", object.metadata.namespace ?? "");
        return near.map((budget) => objectKey(budget));
      });
    }
  }

  async #reconcile(key: string): Promise<ReconcileResult | undefined> {
    const { informers, clock } = this.#context;
    const budget = informers.of(podDisruptionBudgets).store.get(key);
    if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return undefined;
    const pods = informers
      .of(podResource)
      .store.byIndex("namespace", budget.metadata.namespace ?? "")
      .filter((pod) => matchesLabelSelector(budget.spec?.selector, pod.metadata.labels ?? {}));
    const nowMs = clock.now();
    const status = computeBudgetStatus({ budget, pods, wanted: this.#countWanted(pods), nowMs });
    if (pods.length === 0) this.#reportNoPods(budget);
    try {
      if (!sameJson(status, budget.status)) {
        await clientOf(this.#context, podDisruptionBudgets).updateStatus({ ...budget, status });
      }
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    return { requeueAfterMs: untilDisruptedExpires(status, nowMs) };
  }

  #reportNoPods(regarding: KubeObject): void {
    const component = "controllermanager";
    this.#context.events.record({ regarding, component, reason: "NoPods", message: "No matching pods found" });
  }

  #countWanted(pods: readonly Pod[]): BudgetView["wanted"] {
    const wanted = new Map<string, number>();
    for (const pod of pods) {
      const owner = controllerOf(pod);
      if (owner === undefined) return { unknown: `found no controller ref for pod "${pod.metadata.name}"` };
      const scale = this.#findScale(owner, pod.metadata.namespace ?? "");
      if (scale === undefined) {
        return { unknown: `found no scale of ${owner.kind} "${owner.name}" for pod "${pod.metadata.name}"` };
      }
      wanted.set(scale.uid, scale.replicas);
    }
    return [...wanted.values()].reduce((sum, replicas) => sum + replicas, 0);
  }

  /** The one that decides the number: the deployment above a replica set. */
  #findScale(
    owner: OwnerReference,
    namespace: string,
  ): { readonly uid: string; readonly replicas: number } | undefined {
    const { informers } = this.#context;
    const key = `${namespace}/${owner.name}`;
    const find = (type: typeof deployments | typeof replicaSets | typeof statefulSets) =>
      owner.kind === type.kind ? informers.of<Scalable>(type).store.get(key) : undefined;
    const found = find(replicaSets) ?? find(statefulSets) ?? find(deployments);
    if (found?.metadata.uid !== owner.uid || found === undefined) return undefined;
    const above = controllerOf(found);
    if (above?.kind === deployments.kind) return this.#findScale(above, namespace);
    return { uid: owner.uid, replicas: found.spec.replicas ?? 1 };
  }
}
