/** Deletes jobs when their time after the end is over. Effects: deletes jobs. */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { parseTime } from "../times.ts";
import { jobs } from "../workload-resources.ts";
import type { Job } from "../workload-types.ts";

export function createTtlController(context: ControllerContext): Controller {
  const informer = context.informers.of(jobs);
  const reconcile = async (key: string): Promise<ReconcileResult | undefined> => {
    const job = informer.store.get(key);
    const dueAt = job === undefined ? undefined : computeExpiry(job);
    if (job === undefined || dueAt === undefined) return undefined;
    const leftMs = dueAt - context.clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { uid, resourceVersion } = job.metadata;
    const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
    try {
      await clientOf(context, jobs).delete(job.metadata, { propagation: "Foreground", preconditions });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return undefined;
  };
  const controller = controllerNamed(context, "ttl-after-finished", reconcile);
  controller.watch(informer, ({ type, key, object }) =>
    type !== "deleted" && computeExpiry(object) !== undefined ? [key] : [],
  );
  return controller;
}

/** Milliseconds since the epoch; `undefined` for a job that has no such time, or has not ended. */
export function computeExpiry(job: Job): number | undefined {
  const seconds = job.spec.ttlSecondsAfterFinished;
  if (seconds === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
  const end = job.status?.conditions?.find(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );
  const endedAt = parseTime(end?.lastTransitionTime);
  return endedAt === undefined ? undefined : endedAt + seconds * 1000;
}
