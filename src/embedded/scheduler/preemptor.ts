/**
 * Makes room for a pod: decides which pods give way (`preemption.ts`), nominates the node, and deletes the victims with
 * their grace periods. Effects: reads disruption budgets, writes the nomination, the victims' conditions and deletions.
 */

import type { Clock } from "../../base/clock.ts";
import { isConflict, isNotFound } from "../../kube/api-error.ts";
import { createClient } from "../../kube/client.ts";
import type { EventRecorder } from "../../kube/events.ts";
import type { KubeObject } from "../../kube/object.ts";
import { defineResource } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import type { LabelSelector, Pod } from "../kubelet/core-types.ts";
import { podResource } from "../kubelet/pod-api.ts";
import { type Budget, decidePreemption, type PreemptionInput } from "./preemption.ts";

interface DisruptionBudget extends KubeObject {
  readonly spec?: { readonly selector?: LabelSelector };
  readonly status?: { readonly disruptionsAllowed?: number };
}

const budgetResource = defineResource<DisruptionBudget>({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  namespaced: true,
});

export type Preemption = { readonly node: string } | { readonly node: undefined; readonly message: string };

export interface Preemptor {
  preempt(input: Omit<PreemptionInput, "budgets">): Promise<Preemption>;
}

export function createPreemptor(transport: Transport, events: EventRecorder, clock: Clock): Preemptor {
  const pods = createClient(transport, podResource);
  return {
    preempt: async (input) => {
      const mayHelp = input.candidates.length > 0 && input.pod.spec.preemptionPolicy !== "Never";
      const budgets = mayHelp ? await readBudgets(transport) : [];
      const decision = decidePreemption({ ...input, budgets });
      if (decision.node === undefined) return decision;
      await nominate(input.pod, decision.node);
      for (const victim of decision.victims) {
        if (victim.metadata.deletionTimestamp === undefined) await remove(victim, input.pod, decision.node);
      }
      return { node: decision.node };
    },
  };

  async function nominate(pod: Pod, node: string): Promise<void> {
    if (pod.status?.nominatedNodeName === node) return;
    const body = { metadata: { uid: pod.metadata.uid }, status: { nominatedNodeName: node } };
    await pods.patch(pod.metadata, { kind: "merge", subresource: "status", body });
  }

  async function remove(victim: Pod, pod: Pod, node: string): Promise<void> {
    const { uid } = victim.metadata;
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "PreemptionByScheduler",
      message: `${pod.spec.schedulerName ?? "default-scheduler"}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z"),
    };
    const body = { metadata: { uid }, status: { conditions: [condition] } };
    try {
      await pods.patch(victim.metadata, { kind: "strategic", subresource: "status", body });
      await pods.delete(victim.metadata, uid === undefined ? {} : { preconditions: { uid } });
    } catch (error) {
      // Gone already, which is what is wanted.
      if (!isNotFound(error) && !isConflict(error)) throw error;
      return;
    }
    const note = `Preempted by pod ${pod.metadata.uid} on node ${node}`;
    events.record({ regarding: victim, related: pod, type: "Normal", reason: "Preempted", action: "Preempting", note });
  }
}

async function readBudgets(transport: Transport): Promise<readonly Budget[]> {
  try {
    const { items } = await createClient(transport, budgetResource).list();
    return items.map(({ metadata, spec, status }) => ({
      namespace: metadata.namespace ?? "",
      selector: spec?.selector,
      disruptionsAllowed: status?.disruptionsAllowed ?? 0,
    }));
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
