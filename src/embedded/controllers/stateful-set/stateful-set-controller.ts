/**
 * Keeps the pods of a StatefulSet, each with its own name and claims. A reconcile: gather (revisions, pods) -> decide
 * (`stateful-plan.ts`) -> apply, then the status. Effects: pods, volume claims, controller revisions, events, status.
 */
import { isAlreadyExists, isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import type { Pod } from "../../kubelet/core-types.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { apiMessage } from "../api-message.ts";
import { sameJson, withoutZeros } from "../canonical.ts";
import { claimObjects } from "../claim-objects.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { watchOwnedPods } from "../owned-pods.ts";
import { untilAvailable } from "../pod-state.ts";
import { dropHistory, ensureRevision, type RevisionHistory } from "../revision-history.ts";
import { controllerRevisions, persistentVolumeClaims, statefulSets } from "../workload-resources.ts";
import type { ControllerRevision, StatefulSet, StatefulSetStatus } from "../workload-types.ts";
import { computeStatefulStatus, planSteps, type StatefulStep, type StatefulView } from "./stateful-plan.ts";
import { buildClaims, buildStatefulPod, claimNames, ordinalOf, revisionNameOf } from "./stateful-pod.ts";

const component = "statefulset-controller";

export function createStatefulSetController(context: ControllerContext): Controller {
  return new StatefulSetReconciler(context).controller;
}

class StatefulSetReconciler {
  readonly controller: Controller;
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
    // Read in each reconcile.
    context.informers.of(controllerRevisions);
    this.controller = controllerNamed(context, "statefulset", (key) => this.#reconcile(key));
    this.controller.watch(context.informers.of(statefulSets));
    const selectorOf = (set: StatefulSet) => set.spec.selector;
    watchOwnedPods(context, { type: statefulSets, controller: this.controller, selectorOf });
  }

  async #reconcile(key: string): Promise<ReconcileResult | undefined> {
    const set = this.#context.informers.of(statefulSets).store.get(key);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
    const history = await ensureRevision(
      this.#context,
      set,
      () => clientOf(this.#context, statefulSets).get(set.metadata),
      "controller.kubernetes.io/hash",
    );
    const pods = await this.#claimPods(set);
    const current = this.#currentRevision(set, history);
    const nowMs = this.#context.clock.now();
    const revisions = { currentRevision: current.metadata.name, updateRevision: history.current.metadata.name };
    const view: StatefulView = { set, pods, ...revisions, nowMs };
    const failure = await this.#apply(view, { current, update: history.current });
    const status = computeStatefulStatus(view, set.status?.collisionCount);
    await this.#writeStatus(set, status);
    if (failure !== undefined) throw failure.error;
    const used = new Set([...pods.map(revisionNameOf), status.currentRevision, status.updateRevision]);
    const isUsed = (revision: ControllerRevision) => used.has(revision.metadata.name);
    await dropHistory(this.#context, history, set.spec.revisionHistoryLimit, isUsed);
    return { requeueAfterMs: untilAvailable(pods, set.spec.minReadySeconds, nowMs) };
  }

  async #claimPods(set: StatefulSet): Promise<readonly Pod[]> {
    const candidates = this.#context.informers.of(podResource).store.byIndex("namespace", set.metadata.namespace ?? "");
    return claimObjects({
      owner: set,
      selector: set.spec.selector,
      candidates: candidates.filter((pod) => ordinalOf(set, pod) !== undefined),
      client: clientOf(this.#context, podResource),
      readOwner: () => clientOf(this.#context, statefulSets).get(set.metadata),
    });
  }

  /** The revision that the last finished rollout left; at first the one that there is. */
  #currentRevision(set: StatefulSet, history: RevisionHistory): ControllerRevision {
    const name = set.status?.currentRevision;
    return history.old.find((revision) => revision.metadata.name === name) ?? history.current;
  }

  /** One after another: an ordered set has one step at most, and a refusal must not be asked for a hundred times. */
  async #apply(
    view: StatefulView,
    revisions: Readonly<Record<"current" | "update", ControllerRevision>>,
  ): Promise<{ readonly error: unknown } | undefined> {
    for (const step of planSteps(view)) {
      try {
        if (step.do === "create") await this.#create(view.set, step.ordinal, revisions[step.revision]);
        else await this.#delete(view.set, step);
      } catch (error) {
        return { error };
      }
    }
    return undefined;
  }

  async #create(set: StatefulSet, ordinal: number, revision: ControllerRevision): Promise<void> {
    const pod = buildStatefulPod(set, ordinal, revision);
    const { name } = pod.metadata;
    try {
      await this.#ensureClaims(set, ordinal, name);
      await clientOf(this.#context, podResource).create(pod);
      this.#report(set, "SuccessfulCreate", `Create Pod ${name} in StatefulSet ${set.metadata.name} successful`);
    } catch (error) {
      // Made a moment ago, and the informer has not told yet.
      if (isAlreadyExists(error)) return;
      const message = `Create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${apiMessage(error)}`;
      this.#report(set, "FailedCreate", message, "Warning");
      throw error;
    }
  }

  async #ensureClaims(set: StatefulSet, ordinal: number, podName: string): Promise<void> {
    for (const claim of buildClaims(set, ordinal)) {
      const said = `Claim ${claim.metadata.name} Pod ${podName} in StatefulSet ${set.metadata.name}`;
      try {
        await clientOf(this.#context, persistentVolumeClaims).create(claim);
        this.#report(set, "SuccessfulCreate", `Create ${said} success`);
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    }
  }

  async #delete(set: StatefulSet, step: StatefulStep & { readonly do: "delete" }): Promise<void> {
    const { pod } = step;
    const { name, namespace, uid } = pod.metadata;
    if (step.why === "failed") {
      const what = pod.status?.phase === "Failed" ? "failed" : "completed";
      const message = `StatefulSet ${namespace}/${set.metadata.name} is recreating ${what} Pod ${name}`;
      this.#report(set, "RecreatingFailedPod", message, "Warning");
    }
    if (step.why === "scaled") await this.#giveClaimsToPod(set, pod);
    try {
      await clientOf(this.#context, podResource).delete(
        pod.metadata,
        uid === undefined ? {} : { preconditions: { uid } },
      );
      this.#report(set, "SuccessfulDelete", `Delete Pod ${name} in StatefulSet ${set.metadata.name} successful`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Where claims go with a scale-down, the garbage collector takes them after their pod. */
  async #giveClaimsToPod(set: StatefulSet, pod: Pod): Promise<void> {
    if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== "Delete") return;
    const owner = { apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid };
    for (const name of claimNames(set, ordinalOf(set, pod) ?? 0).values()) {
      try {
        await clientOf(this.#context, persistentVolumeClaims).patch(
          { namespace: set.metadata.namespace, name },
          { kind: "strategic", body: { metadata: { ownerReferences: [owner] } } },
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }

  async #writeStatus(set: StatefulSet, status: StatefulSetStatus): Promise<void> {
    const said = withoutZeros(status, ["replicas", "availableReplicas", "collisionCount"]);
    if (sameJson(said, set.status)) return;
    await clientOf(this.#context, statefulSets).updateStatus({ ...set, status: said });
  }

  #report(set: StatefulSet, reason: string, message: string, type: "Normal" | "Warning" = "Normal"): void {
    this.#context.events.record({ regarding: set, component, type, reason, message });
  }
}
