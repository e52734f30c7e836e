/**
 * Creates and deletes the pods of an owner, with the events that Kubernetes writes about it. Effects: requests and
 * events. Called by the replica set, daemon set and job controllers.
 */
import { isNotFound } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import { type KubeObject, type ObjectMeta, ownerReferenceTo } from "../../kube/object.ts";
import type { Pod } from "../kubelet/core-types.ts";
import { podResource } from "../kubelet/pod-api.ts";
import { apiMessage, isNamespaceTerminating } from "./api-message.ts";
import { type ControllerContext, clientOf } from "./controller-context.ts";
import type { PodTemplate } from "./workload-types.ts";

/** A pod that the server names. */
interface NewMeta extends ObjectMeta {
  generateName?: string;
}

export class PodControl {
  readonly #client: KubeClient<Pod>;
  readonly #context: ControllerContext;
  readonly #component: string;

  constructor(context: ControllerContext, component: string) {
    this.#client = clientOf(context, podResource);
    this.#context = context;
    this.#component = component;
  }

  async create(owner: KubeObject, pod: Pod): Promise<Pod> {
    const { events } = this.#context;
    try {
      const created = await this.#client.create(pod);
      const message = `Created pod: ${created.metadata.name}`;
      events.record({ regarding: owner, component: this.#component, reason: "SuccessfulCreate", message });
      return created;
    } catch (error) {
      if (!isNamespaceTerminating(error)) {
        const message = `Error creating: ${apiMessage(error)}`;
        events.record({
          regarding: owner,
          component: this.#component,
          type: "Warning",
          reason: "FailedCreate",
          message,
        });
      }
      throw error;
    }
  }

  /** A pod that is gone already is deleted. */
  async delete(owner: KubeObject, pod: Pod): Promise<void> {
    const { events } = this.#context;
    const { name, uid } = pod.metadata;
    try {
      await this.#client.delete(pod.metadata, uid === undefined ? {} : { preconditions: { uid } });
      const message = `Deleted pod: ${name}`;
      events.record({ regarding: owner, component: this.#component, reason: "SuccessfulDelete", message });
    } catch (error) {
      if (isNotFound(error)) return;
      const message = `Error deleting: ${apiMessage(error)}`;
      events.record({ regarding: owner, component: this.#component, type: "Warning", reason: "FailedDelete", message });
      throw error;
    }
  }
}

/** A pod of the template under its owner; the server completes its name. */
export function buildOwnedPod(owner: KubeObject, template: PodTemplate, name = `${owner.metadata.name}-`): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const metadata: NewMeta = {
    name: "",
    generateName: name,
    namespace: owner.metadata.namespace ?? "",
    ownerReferences: [ownerReferenceTo(owner)],
    ...(labels === undefined ? {} : { labels: { ...labels } }),
    ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
    ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
  };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: template.spec };
}

/**
 * Runs `amount` creations in growing batches, so that a refusal (quota, admission) costs one request and not hundreds.
 * @returns how many succeeded; throws the first failure after the batch in which it happened, with `onSkipped` told how
 * many were never tried
 */
export async function slowStart(
  amount: number,
  create: (index: number) => Promise<void>,
  onSkipped: (count: number) => void,
): Promise<void> {
  let started = 0;
  for (let batch = 1; started < amount; batch *= 2) {
    const size = Math.min(batch, amount - started);
    const first = started;
    const results = await Promise.allSettled(Array.from({ length: size }, (_, index) => create(first + index)));
    started += size;
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined) continue;
    onSkipped(amount - started);
    throw failed.reason;
  }
}
