/**
 * Removes the tracking finalizer of pods whose end is on record, and remembers it until the informer shows it too: a
 * stale cache must not have an end counted twice. Effects: patches of pods.
 */
import { isNotFound } from "../../../kube/api-error.ts";
import { parseObjectKey } from "../../../kube/object.ts";
import type { Pod } from "../../kubelet/core-types.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { type ControllerContext, clientOf } from "../controller-context.ts";
import { controllerOf } from "../owners.ts";
import { jobs } from "../workload-resources.ts";
import { isTracked, trackingFinalizer } from "./job-pod.ts";

export class PodRelease {
  readonly #context: ControllerContext;
  readonly #released = new Set<string>();

  constructor(context: ControllerContext) {
    this.#context = context;
    context.informers.of(podResource).onEvent(({ type, object }) => {
      if (type === "deleted" || !isTracked(object)) this.#released.delete(object.metadata.uid ?? "");
    });
  }

  isReleased(uid: string): boolean {
    return this.#released.has(uid);
  }

  async release(pods: readonly Pod[]): Promise<void> {
    await Promise.all(pods.filter(isTracked).map((pod) => this.#releaseOne(pod)));
  }

  /** Pods of a job of this name that is gone, or that was another one. */
  async releaseOrphans(jobKey: string, uid: string | undefined): Promise<void> {
    const { namespace = "", name } = parseObjectKey(jobKey);
    const pods = this.#context.informers.of(podResource).store.byIndex("namespace", namespace);
    await this.release(
      pods.filter((pod) => {
        const owner = controllerOf(pod);
        return owner?.kind === jobs.kind && owner.name === name && owner.uid !== uid;
      }),
    );
  }

  async #releaseOne(pod: Pod): Promise<void> {
    const uid = pod.metadata.uid ?? "";
    if (this.#released.has(uid)) return;
    const body = { metadata: { uid, "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] } };
    this.#released.add(uid);
    try {
      await clientOf(this.#context, podResource).patch(pod.metadata, { kind: "strategic", body });
    } catch (error) {
      if (isNotFound(error)) return;
      this.#released.delete(uid);
      throw error;
    }
  }
}
