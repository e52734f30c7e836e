/** The pod strategy: defaults, admission, validation and graceful deletion. */
import { asArray, asString, type JsonObject } from "../json-value.ts";
import { formatTime, type KubeObject, specOf, statusOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { validatePod } from "../validation/pods.ts";
import { admitPod, defaultPod } from "./pod-defaults.ts";

export const podStrategy: Strategy = {
  applyDefaults: defaultPod,
  prepareCreate: (pod, context) => {
    admitPod(pod);
    markGated(pod, context.nowMs);
  },
  validate: validatePod,
  subresourceParts: {
    ephemeralcontainers: (old, candidate) =>
      withSpec(old, candidate, {
        ephemeralContainers: specOf(candidate).ephemeralContainers,
      }),
    resize: (old, candidate) => withSpec(old, candidate, resized(old, candidate)),
  },
  graceSeconds: podGrace,
  returnsDeletedObject: true,
};

/** The scheduler says the same of pods that it has seen; this one it is not to look at. */
function markGated(pod: KubeObject, nowMs: number): void {
  if (asArray(specOf(pod).schedulingGates).length === 0) return;
  const gated = {
    type: "PodScheduled",
    status: "False",
    lastTransitionTime: formatTime(nowMs),
    reason: "SchedulingGated",
    message: "Scheduling is blocked due to non-empty scheduling gates",
  };
  pod.status = { ...statusOf(pod), conditions: [gated] };
}

function withSpec(old: KubeObject, candidate: KubeObject, fields: JsonObject): KubeObject {
  return { ...old, metadata: { ...candidate.metadata }, spec: { ...specOf(old), ...fields } };
}

/** The containers of the candidate with nothing of them but resources and their policy. */
function resized(old: KubeObject, candidate: KubeObject): JsonObject {
  const lists = ["containers", "initContainers"].filter((list) => specOf(old)[list] !== undefined);
  return Object.fromEntries(lists.map((list) => [list, specOf(candidate)[list]]));
}

/** Seconds a pod gets to end. One that runs nowhere, or runs no more, needs none. */
function podGrace(pod: KubeObject, requested: number | undefined): number {
  const spec = specOf(pod);
  const phase = asString(statusOf(pod).phase);
  if (asString(spec.nodeName) === "" || phase === "Succeeded" || phase === "Failed") return 0;
  return requested ?? Number(spec.terminationGracePeriodSeconds ?? 30);
}
