/**
 * Keeps one pod of a template on every node that may have it. A reconcile: gather (revisions, pods, nodes) -> decide
 * (`daemon-plan.ts`) -> apply, then the status. Effects: pods, controller revisions, events, status.
 */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { objectKey } from "../../../kube/object.ts";
import type { Node, Pod } from "../../kubelet/core-types.ts";
import { nodeResource } from "../../kubelet/node-agent.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { sameJson } from "../canonical.ts";
import { claimObjects } from "../claim-objects.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { Expectations } from "../expectations.ts";
import { watchOwnedPods } from "../owned-pods.ts";
import { PodControl, slowStart } from "../pod-control.ts";
import { isActive, isTerminating, untilAvailable } from "../pod-state.ts";
import { dropHistory, ensureRevision, hashOf, revisionHashLabel } from "../revision-history.ts";
import { controllerRevisions, daemonSets } from "../workload-resources.ts";
import type { DaemonSet } from "../workload-types.ts";
import { computeDaemonSetStatus, type DaemonPlan, type DaemonView, planDaemons, planUpdate } from "./daemon-plan.ts";
import { buildDaemonPod } from "./daemon-pod.ts";

const component = "daemonset-controller";

export function createDaemonSetController(context: ControllerContext): Controller {
  return new DaemonSetReconciler(context).controller;
}

class DaemonSetReconciler {
  readonly controller: Controller;
  readonly #context: ControllerContext;
  readonly #expectations: Expectations;
  readonly #pods: PodControl;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#expectations = new Expectations(context.clock);
    this.#pods = new PodControl(context, component);
    // Read in each reconcile.
    context.informers.of(controllerRevisions);
    this.controller = controllerNamed(context, "daemonset", (key) => this.#reconcile(key));
    const sets = context.informers.of(daemonSets);
    this.controller.watch(sets);
    const selectorOf = (set: DaemonSet) => set.spec.selector;
    const { controller } = this;
    watchOwnedPods(context, { type: daemonSets, controller, expectations: this.#expectations, selectorOf });
    this.controller.watch(context.informers.of(nodeResource), (event) => {
      const isSame = event.type === "updated" && placementOf(event.object) === placementOf(event.previous);
      return isSame ? [] : sets.store.keys();
    });
  }

  async #reconcile(key: string): Promise<ReconcileResult | undefined> {
    const { informers, clock } = this.#context;
    const set = informers.of(daemonSets).store.get(key);
    if (set === undefined) this.#expectations.forget(key);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      const history = await ensureRevision(this.#context, set, () => this.#readFresh(set), revisionHashLabel);
      const pods = await this.#claimPods(set);
      const nodes = informers.of(nodeResource).store.list();
      const view = { set, nodes, pods, hash: hashOf(history.current), nowMs: clock.now() };
      const used = new Set(pods.map((pod) => pod.metadata.labels?.[revisionHashLabel] ?? ""));
      if (this.#expectations.isSatisfied(key)) await this.#apply(view);
      await dropHistory(this.#context, history, set.spec.revisionHistoryLimit, (one) => used.has(hashOf(one)));
      await this.#writeStatus(view);
      return { requeueAfterMs: untilAvailable(pods.filter(isActive), set.spec.minReadySeconds, clock.now()) };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #readFresh(set: DaemonSet): Promise<DaemonSet> {
    return clientOf(this.#context, daemonSets).get(set.metadata);
  }

  #claimPods(set: DaemonSet): Promise<readonly Pod[]> {
    return claimObjects({
      owner: set,
      selector: set.spec.selector,
      candidates: this.#context.informers.of(podResource).store.byIndex("namespace", set.metadata.namespace ?? ""),
      client: clientOf(this.#context, podResource),
      readOwner: () => this.#readFresh(set),
    });
  }

  /** First every node gets what it lacks and loses what it must not have; only then are templates exchanged. */
  async #apply(view: DaemonView): Promise<void> {
    const plan = planDaemons(view);
    const isSettled = plan.create.length + plan.delete.length === 0;
    await this.#run(view, isSettled ? planUpdate(view) : plan);
  }

  async #run(view: DaemonView, plan: DaemonPlan): Promise<void> {
    const { set, hash } = view;
    const key = objectKey(set);
    const victims = plan.delete.filter((pod) => !isTerminating(pod));
    if (plan.create.length + victims.length === 0) return;
    this.#expectations.expect(key, plan.create.length, victims.map(uidOf));
    for (const pod of plan.failed) this.#reportFailed(set, pod);
    const forget = (count: number) => {
      for (let index = 0; index < count; index += 1) this.#expectations.creationObserved(key);
    };
    const deletions = Promise.allSettled(
      victims.map((pod) =>
        this.#pods.delete(set, pod).catch((error: unknown) => {
          this.#expectations.deletionObserved(key, uidOf(pod));
          throw error;
        }),
      ),
    );
    await slowStart(
      plan.create.length,
      async (index) => {
        await this.#pods.create(set, buildDaemonPod(set, plan.create[index] ?? "", hash)).catch((error: unknown) => {
          forget(1);
          throw error;
        });
      },
      forget,
    );
    const failed = (await deletions).find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #reportFailed(set: DaemonSet, { metadata, spec }: Pod): void {
    const message = `Found failed daemon pod ${metadata.namespace}/${metadata.name} on node ${spec.nodeName}, will try to kill it`;
    this.#context.events.record({ regarding: set, component, type: "Warning", reason: "FailedDaemonPod", message });
  }

  async #writeStatus(view: DaemonView): Promise<void> {
    const status = computeDaemonSetStatus(view);
    if (sameJson(status, view.set.status)) return;
    await clientOf(this.#context, daemonSets).updateStatus({ ...view.set, status });
  }
}

function uidOf(pod: Pod): string {
  return pod.metadata.uid ?? "";
}

/** What of a node decides whether daemons belong there. */
function placementOf(node: Node): string {
  return JSON.stringify([node.metadata.labels, node.spec?.taints, node.spec?.unschedulable]);
}
