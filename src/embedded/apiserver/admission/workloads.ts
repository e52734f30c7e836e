/** Strategies of deployments, replica sets, replication controllers and daemon sets. */
import { asObject, isObject, type JsonObject } from "../json-value.ts";
import { specOf, statusOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { Findings } from "../validation/findings.ts";
import { checkAtMostWhole, checkIntOrPercent, isZero } from "../validation/int-or-percent.ts";
import {
  checkPodTemplate,
  checkRunsForever,
  checkSelectsTemplate,
  templateLabels,
} from "../validation/pod-template.ts";
import { checkSelectorKept, defaultTemplate, validateReplicaStatus, workloadStrategy } from "./workload-strategy.ts";

export const deploymentStrategy = workloadStrategy({
  word: "deployment",
  owner: "ReplicaSet",
  defaults: (spec) => {
    spec.replicas ??= 1;
    spec.strategy ??= {};
    const strategy = asObject(spec.strategy);
    strategy.type ??= "RollingUpdate";
    if (strategy.type === "RollingUpdate")
      strategy.rollingUpdate = { maxUnavailable: "25%", maxSurge: "25%", ...asObject(strategy.rollingUpdate) };
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
  },
  check: (spec, found) => {
    checkDeploymentStrategy(asObject(spec.strategy), found);
    const [deadline, ready] = [Number(spec.progressDeadlineSeconds), Number(spec.minReadySeconds ?? 0)];
    if (deadline <= ready)
      found.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
  },
  checkUpdate: checkSelectorKept,
});

function checkDeploymentStrategy(strategy: JsonObject, found: Findings): void {
  const path = "spec.strategy";
  if (strategy.type === "Recreate") {
    if (isObject(strategy.rollingUpdate))
      found.forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'");
    return;
  }
  if (strategy.type !== "RollingUpdate") {
    found.optionalOneOf(path, strategy.type, ["Recreate", "RollingUpdate"]);
    return;
  }
  const { maxUnavailable, maxSurge } = asObject(strategy.rollingUpdate);
  checkIntOrPercent(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, found);
  checkIntOrPercent(maxSurge, `${path}.rollingUpdate.maxSurge`, found);
  if (isZero(maxUnavailable) && isZero(maxSurge))
    found.invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0");
  checkAtMostWhole(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, found);
}

export const replicaSetStrategy = workloadStrategy({
  word: "deployment",
  owner: "ReplicaSet",
  firstStatus: { replicas: 0 },
  defaults: (spec) => {
    spec.replicas ??= 1;
  },
  check: () => undefined,
  checkUpdate: checkSelectorKept,
});

/** The oldest of them: its selector is a map, and its labels and selector come from the template. */
export const replicationControllerStrategy: Strategy = {
  applyDefaults: (object) => {
    const spec = specOf(object);
    object.spec = spec;
    spec.replicas ??= 1;
    const labels = templateLabels(spec.template);
    if (Object.keys(asObject(spec.selector)).length === 0) spec.selector = labels;
    if (Object.keys(object.metadata.labels ?? {}).length === 0) object.metadata.labels = labels;
    defaultTemplate(spec.template);
  },
  prepareCreate: (object) => {
    object.status = { replicas: 0 };
  },
  validate: (object, _old, subresource) => {
    if (subresource === "status") return validateReplicaStatus(statusOf(object));
    const spec = specOf(object);
    const found = new Findings();
    for (const field of ["minReadySeconds", "replicas"]) found.notNegative(`spec.${field}`, spec[field]);
    if (Object.keys(asObject(spec.selector)).length === 0) found.required("spec.selector");
    if (!isObject(spec.template)) found.required("spec.template");
    else {
      checkSelectsTemplate({ matchLabels: spec.selector }, spec.template, "spec.template", found);
      checkPodTemplate(spec.template, "spec.template", found);
      checkRunsForever(spec.template, "spec.template", "ReplicationController", found);
    }
    return found.list;
  },
};

export const daemonSetStrategy = workloadStrategy({
  word: "daemonset",
  owner: "DaemonSet",
  firstStatus: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  defaults: (spec) => {
    spec.updateStrategy ??= {};
    const strategy = asObject(spec.updateStrategy);
    strategy.type ??= "RollingUpdate";
    if (strategy.type === "RollingUpdate")
      strategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...asObject(strategy.rollingUpdate) };
    spec.revisionHistoryLimit ??= 10;
  },
  check: (spec, found) => {
    const { type, rollingUpdate } = asObject(spec.updateStrategy);
    if (type === "OnDelete") return;
    const path = "spec.updateStrategy";
    if (type !== "RollingUpdate") {
      found.optionalOneOf(path, type, ["RollingUpdate", "OnDelete"]);
      return;
    }
    const { maxUnavailable, maxSurge } = asObject(rollingUpdate);
    for (const [field, value] of Object.entries({ maxUnavailable, maxSurge })) {
      checkIntOrPercent(value, `${path}.rollingUpdate.${field}`, found);
      checkAtMostWhole(value, `${path}.rollingUpdate.${field}`, found);
    }
    if (!isZero(maxUnavailable) && !isZero(maxSurge))
      found.invalid(`${path}.rollingUpdate.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero");
    if (isZero(maxUnavailable) && isZero(maxSurge))
      found.required(`${path}.rollingUpdate.maxUnavailable`, "cannot be 0 when maxSurge is 0");
  },
  checkUpdate: checkSelectorKept,
});
