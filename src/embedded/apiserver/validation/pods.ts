/** Pods as wholes: at creation, at updates and at writes to their subresources. Pure. */
import { asArray, asObject, asString, isObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { StatusCause } from "../status.ts";
import { eachItem, Findings } from "./findings.ts";
import { validatePodSpec } from "./pod-spec.ts";
import { checkEphemeralUpdate, checkPodUpdate, checkResize } from "./pod-update.ts";

export function validatePod(pod: KubeObject, old: KubeObject | undefined, subresource = ""): StatusCause[] {
  const found = new Findings();
  if (subresource === "status" && old !== undefined) {
    checkStatus(pod, old, found);
    return found.list;
  }
  found.add(...validatePodSpec(specOf(pod), { path: "spec", isPod: true }));
  checkPodOnly(pod, found);
  if (old === undefined) checkCreation(pod, found);
  else if (subresource === "ephemeralcontainers") checkEphemeralUpdate(pod, old, found);
  else if (subresource === "resize") checkResize(pod, old, found);
  else checkPodUpdate(pod, old, found);
  return found.list;
}

/** Rules that templates escape, for the sake of those that were stored before there were such rules. */
function checkPodOnly(pod: KubeObject, found: Findings): void {
  const spec = specOf(pod);
  if (asString(spec.serviceAccountName) === "") {
    eachItem(spec.volumes, "spec.volumes", (volume, at) => {
      eachItem(asObject(volume.projected).sources, `${at}.projected.sources`, (source, place) => {
        if (isObject(source.serviceAccountToken))
          found.forbidden(`${place}.serviceAccountToken`, "must not be specified when serviceAccountName is not set");
      });
    });
  }
  for (const list of ["containers", "initContainers", "ephemeralContainers"]) {
    eachItem(spec[list], `spec.${list}`, (container, at) => {
      const image = asString(container.image);
      if (image.trim() !== image) found.invalid(`${at}.image`, image, "must not have leading or trailing whitespace");
    });
  }
}

function checkCreation(pod: KubeObject, found: Findings): void {
  const spec = specOf(pod);
  if (asArray(spec.ephemeralContainers).length > 0)
    found.forbidden("spec.ephemeralContainers", "cannot be set on create");
  if (asString(spec.nodeName) !== "" && asArray(spec.schedulingGates).length > 0)
    found.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared");
}

function checkStatus(pod: KubeObject, old: KubeObject, found: Findings): void {
  const [now, was] = [statusOf(pod), statusOf(old)];
  const system = ["ContainersReady", "Initialized", "PodScheduled", "Ready"];
  eachItem(now.conditions, "status.conditions", (condition, at) => {
    const type = asString(condition.type);
    if (!system.includes(type)) found.qualifiedName(`${at}.Type`, type);
  });
  if (was.qosClass !== undefined && now.qosClass !== was.qosClass)
    found.invalid("status.qosClass", now.qosClass ?? "", "field is immutable");
  for (const list of ["containerStatuses", "initContainerStatuses"]) checkRestarts(pod, old, list, found);
}

/** A container that ended stays so where its pod's policy restarts none. */
function checkRestarts(pod: KubeObject, old: KubeObject, list: string, found: Findings): void {
  const policy = specOf(old).restartPolicy;
  const sidecars = asArray(specOf(old).initContainers)
    .map(asObject)
    .filter((container) => container.restartPolicy === "Always")
    .map((container) => container.name);
  if (policy === "Always") return;
  const next = asArray(statusOf(pod)[list]).map(asObject);
  for (const before of asArray(statusOf(old)[list]).map(asObject)) {
    const ended = asObject(before.state).terminated;
    if (!isObject(ended) || sidecars.includes(before.name)) continue;
    if (policy === "OnFailure" && Number(ended.exitCode ?? 0) !== 0) continue;
    const index = next.findIndex((status) => status.name === before.name);
    if (index >= 0 && !isObject(asObject(next[index]?.state).terminated))
      found.forbidden(`status.${list}[${index}].state`, "may not be transitioned to non-terminated state");
  }
}
