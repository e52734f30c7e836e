/**
 * Keeps as many pods of a template as a ReplicaSet asks for. A reconcile: gather (its pods, adopting and releasing) ->
 * decide (how many too few or too many) -> apply (create or delete), then the status. Effects: pods, events, status.
 */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { objectKey } from "../../../kube/object.ts";
import type { Pod } from "../../kubelet/core-types.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { apiMessage, isNamespaceTerminating } from "../api-message.ts";
import { sameJson } from "../canonical.ts";
import { claimObjects } from "../claim-objects.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { Expectations } from "../expectations.ts";
import { watchOwnedPods } from "../owned-pods.ts";
import { controllerOf } from "../owners.ts";
import { buildOwnedPod, PodControl, slowStart } from "../pod-control.ts";
import { choosePodsToDelete } from "../pod-deletion-order.ts";
import { isActive, isFinished, untilAvailable } from "../pod-state.ts";
import { replicaSets } from "../workload-resources.ts";
import type { ReplicaSet } from "../workload-types.ts";
import { computeReplicaSetStatus, type ReplicaFailure } from "./replica-set-status.ts";

/** Pods created or deleted in one reconcile, at most. */
const burst = 500;

export function createReplicaSetController(context: ControllerContext): Controller {
  return new ReplicaSetReconciler(context).controller;
}

class ReplicaSetReconciler {
  readonly controller: Controller;
  readonly #context: ControllerContext;
  readonly #expectations: Expectations;
  readonly #pods: PodControl;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#expectations = new Expectations(context.clock);
    this.#pods = new PodControl(context, "replicaset-controller");
    this.controller = controllerNamed(context, "replicaset", (key) => this.#reconcile(key));
    this.controller.watch(context.informers.of(replicaSets));
    const selectorOf = (set: ReplicaSet) => set.spec.selector;
    const { controller } = this;
    watchOwnedPods(context, { type: replicaSets, controller, expectations: this.#expectations, selectorOf });
  }

  async #reconcile(key: string): Promise<ReconcileResult | undefined> {
    const set = this.#context.informers.of(replicaSets).store.get(key);
    if (set === undefined) {
      this.#expectations.forget(key);
      return undefined;
    }
    const isCurrent = this.#expectations.isSatisfied(key);
    const pods = await this.#claimPods(set);
    const problem =
      isCurrent && set.metadata.deletionTimestamp === undefined ? await this.#scale(set, pods) : undefined;
    await this.#writeStatus(set, pods, problem?.failure);
    if (problem !== undefined) throw problem.error;
    const requeueAfterMs = untilAvailable(pods.filter(isActive), set.spec.minReadySeconds, this.#context.clock.now());
    return { requeueAfterMs };
  }

  #claimPods(set: ReplicaSet): Promise<readonly Pod[]> {
    const { informers } = this.#context;
    return claimObjects({
      owner: set,
      selector: set.spec.selector,
      candidates: informers.of(podResource).store.byIndex("namespace", set.metadata.namespace ?? ""),
      client: clientOf(this.#context, podResource),
      readOwner: () => clientOf(this.#context, replicaSets).get(set.metadata),
      isAdoptable: (pod) => !isFinished(pod),
    });
  }

  /** @returns why it could not be done, so that the status says so before the retry */
  async #scale(
    set: ReplicaSet,
    pods: readonly Pod[],
  ): Promise<{ error: unknown; failure: ReplicaFailure } | undefined> {
    const active = pods.filter(isActive);
    const surplus = active.length - (set.spec.replicas ?? 1);
    try {
      if (surplus < 0) await this.#create(set, Math.min(burst, -surplus));
      else if (surplus > 0) await this.#delete(set, active, Math.min(burst, surplus));
      return undefined;
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      return { error, failure: { reason: surplus < 0 ? "FailedCreate" : "FailedDelete", message: apiMessage(error) } };
    }
  }

  async #create(set: ReplicaSet, amount: number): Promise<void> {
    const key = objectKey(set);
    const pod = buildOwnedPod(set, set.spec.template);
    const forget = (count: number) => {
      for (let index = 0; index < count; index += 1) this.#expectations.creationObserved(key);
    };
    this.#expectations.expect(key, amount);
    await slowStart(
      amount,
      async () => {
        await this.#pods.create(set, pod).catch((error: unknown) => {
          forget(1);
          throw error;
        });
      },
      forget,
    );
  }

  async #delete(set: ReplicaSet, active: readonly Pod[], amount: number): Promise<void> {
    const key = objectKey(set);
    const victims = choosePodsToDelete(active, amount, this.#findRelated(set));
    const uidOf = (pod: Pod) => pod.metadata.uid ?? "";
    this.#expectations.expect(key, 0, victims.map(uidOf));
    const results = await Promise.allSettled(
      victims.map((pod) =>
        this.#pods.delete(set, pod).catch((error: unknown) => {
          this.#expectations.deletionObserved(key, uidOf(pod));
          throw error;
        }),
      ),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** Active pods of all sets under the same deployment: they double up on nodes together. */
  #findRelated(set: ReplicaSet): readonly Pod[] {
    const { informers } = this.#context;
    const owner = controllerOf(set);
    const sets = owner === undefined ? [set] : informers.of(replicaSets).store.byIndex("owner", owner.uid);
    const pods = informers.of(podResource).store;
    return sets.flatMap((one) => pods.byIndex("owner", one.metadata.uid ?? "")).filter(isActive);
  }

  async #writeStatus(set: ReplicaSet, pods: readonly Pod[], failure: ReplicaFailure | undefined): Promise<void> {
    const status = computeReplicaSetStatus(set, pods, failure, this.#context.clock.now());
    if (sameJson(status, set.status)) return;
    try {
      await clientOf(this.#context, replicaSets).updateStatus({ ...set, status });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
