/** The pod strategy: defaults, admission, validation and graceful deletion. */
import { asString } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Strategy, StrategyContext } from "../registry/kind.ts";
import { cause, failure, invalid } from "../status.ts";
import { admitPod, defaultPod } from "./pod-defaults.ts";
import { validatePod } from "./pod-validation.ts";

export const podStrategy: Strategy = {
  applyDefaults: defaultPod,
  prepareCreate: (pod, context) => {
    admitPod(pod);
    resolvePriority(pod, context);
  },
  validate: validatePod,
  graceSeconds: podGrace,
  returnsDeletedObject: true,
};

/** Seconds a pod gets to end. One that runs nowhere, or runs no more, needs none. */
function podGrace(pod: KubeObject, requested: number | undefined): number {
  const spec = specOf(pod);
  const phase = asString(statusOf(pod).phase);
  if (asString(spec.nodeName) === "" || phase === "Succeeded" || phase === "Failed") return 0;
  return requested ?? Number(spec.terminationGracePeriodSeconds ?? 30);
}

const systemPriorities: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

function resolvePriority(pod: KubeObject, context: StrategyContext): void {
  const spec = specOf(pod);
  const className = asString(spec.priorityClassName);
  const found =
    className === ""
      ? defaultClass(context)
      : context.store.get("priorityclasses.scheduling.k8s.io", className)?.object;
  if (className !== "" && found === undefined && systemPriorities[className] === undefined) {
    throw failure(
      403,
      "Forbidden",
      `pods "${pod.metadata.name}" is forbidden: no PriorityClass with name ${className} was found`,
    );
  }
  if (found !== undefined) spec.priorityClassName = found.metadata.name;
  const value = found === undefined ? (systemPriorities[className] ?? 0) : Number(found.value ?? 0);
  if (spec.priority !== undefined && spec.priority !== value) {
    const detail = `the integer value of priority must match the priority class, which gives ${value}`;
    throw invalid({ resource: "Pod", group: "" }, pod.metadata.name, [
      cause.invalid("spec.priority", spec.priority, detail),
    ]);
  }
  spec.priority = value;
  if (found?.preemptionPolicy !== undefined) spec.preemptionPolicy = found.preemptionPolicy;
}

function defaultClass(context: StrategyContext): KubeObject | undefined {
  const classes = context.store.list("priorityclasses.scheduling.k8s.io").items;
  return classes.find((item) => item.object.globalDefault === true)?.object;
}
