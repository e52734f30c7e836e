/**
 * Watches over nodes: one whose lease is not renewed within the grace time gets Ready=Unknown, the conditions of each
 * become taints, and the pods of one that is not ready are no longer ready. Time is measured from when a renewal was
 * seen here, never by the node's clock. Effects: node status and taints, pod status, events.
 */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { leases } from "../../../kube/core-resources.ts";
import type { Node, Pod } from "../../kubelet/core-types.ts";
import { nodeResource } from "../../kubelet/node-agent.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import type { Condition } from "../../kubelet/status-types.ts";
import { findCondition } from "../conditions.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { isReady } from "../pod-state.ts";
import { formatTime } from "../times.ts";
import { computeTaints } from "./node-taints.ts";

const leaseNamespace = "kube-node-lease";
const component = "node-controller";
const watched = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

export function createNodeLifecycleController(context: ControllerContext): Controller {
  return new NodeLifecycle(context).controller;
}

class NodeLifecycle {
  readonly controller: Controller;
  readonly #context: ControllerContext;
  /** The last sign of life of each node, on our clock. */
  readonly #seenAt = new Map<string, number>();

  constructor(context: ControllerContext) {
    this.#context = context;
    const nodes = context.informers.of(nodeResource);
    this.controller = controllerNamed(context, "node-lifecycle", (name) => this.#reconcile(name));
    this.controller.watch(nodes);
    nodes.onEvent((event) => {
      const isNews = event.type !== "updated" || heartbeatOf(event.object) !== heartbeatOf(event.previous);
      if (event.type === "added") this.#greet(event.object);
      if (event.type === "deleted") this.#seenAt.delete(event.key);
      else if (isNews) this.#seenAt.set(event.key, context.clock.monotonic());
    });
    // A renewal costs a note here and nothing else.
    context.informers.of(leases, leaseNamespace).onEvent((event) => {
      const isRenewal = event.type !== "updated" || event.object.spec?.renewTime !== event.previous.spec?.renewTime;
      if (event.type !== "deleted" && isRenewal) {
        this.#seenAt.set(event.object.metadata.name, context.clock.monotonic());
      }
    });
  }

  async #reconcile(name: string): Promise<ReconcileResult | undefined> {
    const node = this.#context.informers.of(nodeResource).store.get(name);
    if (node === undefined || node.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      const leftMs = this.#untilOverdue(name);
      const current = leftMs > 0 ? node : await this.#markUnknown(node);
      await this.#applyTaints(current);
      if (findCondition(current.status?.conditions, "Ready")?.status !== "True") await this.#markPodsNotReady(name);
      return leftMs > 0 ? { requeueAfterMs: leftMs } : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #greet(regarding: Node): void {
    const { name } = regarding.metadata;
    const message = `Node ${name} event: Registered Node ${name} in Controller`;
    this.#context.events.record({ regarding, component, reason: "RegisteredNode", message });
  }

  #untilOverdue(name: string): number {
    const { clock, timing } = this.#context;
    const seenAt = this.#seenAt.get(name) ?? clock.monotonic();
    return seenAt + timing.nodeGraceMs - clock.monotonic();
  }

  async #markUnknown(node: Node): Promise<Node> {
    const existing = node.status?.conditions ?? [];
    if (findCondition(existing, "Ready")?.status === "Unknown") return node;
    const now = formatTime(this.#context.clock.now());
    const conditions = watched.map((type) => toUnknown(findCondition(existing, type), type, now));
    const others = existing.filter((condition) => !watched.includes(condition.type));
    const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
    this.#context.events.record({ regarding: node, component, reason: "NodeNotReady", message });
    return clientOf(this.#context, nodeResource).updateStatus({
      ...node,
      status: { ...node.status, conditions: [...others, ...conditions] },
    });
  }

  async #applyTaints(node: Node): Promise<void> {
    const taints = computeTaints(node, this.#context.clock.now());
    if (taints === undefined) return;
    const { resourceVersion } = node.metadata;
    const body = { metadata: { resourceVersion }, spec: { taints } };
    await clientOf(this.#context, nodeResource).patch(node.metadata, { kind: "merge", body });
  }

  async #markPodsNotReady(name: string): Promise<void> {
    const pods = this.#context.informers.of(podResource).store.byIndex("node", name);
    for (const pod of pods.filter(isReady)) await this.#markPodNotReady(pod);
  }

  async #markPodNotReady(pod: Pod): Promise<void> {
    const condition = { type: "Ready", status: "False", lastTransitionTime: formatTime(this.#context.clock.now()) };
    const body = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
    try {
      await clientOf(this.#context, podResource).patch(pod.metadata, {
        kind: "strategic",
        subresource: "status",
        body,
      });
      this.#context.events.record({
        regarding: pod,
        component,
        type: "Warning",
        reason: "NodeNotReady",
        message: "Node is not ready",
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** What a kubelet renews in the status where it has no lease. */
function heartbeatOf(node: Node): string {
  return JSON.stringify(
    (node.status?.conditions ?? []).map(({ lastHeartbeatTime, status }) => [lastHeartbeatTime, status]),
  );
}

function toUnknown(before: Condition | undefined, type: string, now: string): Condition {
  const said =
    before === undefined
      ? { reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." }
      : { reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." };
  const lastHeartbeatTime = before?.lastHeartbeatTime;
  const heartbeat = lastHeartbeatTime === undefined ? {} : { lastHeartbeatTime };
  return { type, status: "Unknown", ...said, ...heartbeat, lastTransitionTime: now };
}
