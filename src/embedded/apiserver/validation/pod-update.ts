/** What may change of a pod: by an update, by its subresources. Pure. */
import { asArray, asObject, asString, cloneJson, deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Findings } from "./findings.ts";

const maxInt32 = 2_147_483_647;
const updatable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** Of a spec only images, deadlines, added tolerations and removed gates may change; selectors while gates hold it. */
export function checkPodUpdate(pod: KubeObject, old: KubeObject, found: Findings): void {
  const next = specOf(pod);
  const before = specOf(old);
  for (const list of ["containers", "initContainers"]) {
    if (asArray(next[list]).length === asArray(before[list]).length) continue;
    found.forbidden(`spec.${list}`, "pod updates may not add or remove containers");
    return;
  }
  if (!checkDeadline(next, before, found)) return;
  checkTolerationsKept(next, before, found);
  checkGatesRemoved(next, before, found);
  const munged = munge(next, before);
  if (asArray(before.schedulingGates).length > 0) checkSelectorsNarrowed(munged, before, found);
  if (deepEqual(munged, before)) return;
  const changed = Object.keys({ ...munged, ...before }).filter((field) => !deepEqual(munged[field], before[field]));
  const list = changed.map((field) => `spec.${field}`).join(", ");
  found.forbidden("spec", `pod updates may not change fields other than ${updatable}\nchanged: ${list}`);
}

function checkDeadline(next: JsonObject, before: JsonObject, found: Findings): boolean {
  const [now, was] = [next.activeDeadlineSeconds, before.activeDeadlineSeconds];
  const field = "spec.activeDeadlineSeconds";
  const count = found.list.length;
  if (now === undefined) {
    if (was !== undefined) found.invalid(field, null, "must not update from a positive integer to nil value");
    return true;
  }
  found.range(field, now, 0, maxInt32);
  if (found.list.length === count && was !== undefined && Number(was) < Number(now))
    found.invalid(field, now, "must be less than or equal to previous value");
  return found.list.length === count;
}

function checkTolerationsKept(next: JsonObject, before: JsonObject, found: Findings): void {
  const bare = (toleration: unknown) => ({ ...asObject(toleration), tolerationSeconds: undefined });
  const now = asArray(next.tolerations).map(bare);
  const lost = asArray(before.tolerations).some((toleration) => !now.some((one) => deepEqual(one, bare(toleration))));
  if (lost) found.forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds");
}

function checkGatesRemoved(next: JsonObject, before: JsonObject, found: Findings): void {
  const known = asArray(before.schedulingGates).map((gate) => asObject(gate).name);
  for (const [index, gate] of asArray(next.schedulingGates).entries()) {
    const name = asString(asObject(gate).name);
    const why = `only deletion is allowed, but found new scheduling gate '${name}'`;
    if (!known.includes(name)) found.forbidden(`spec.schedulingGates[${index}].name`, why);
  }
}

/** The new spec with everything that may change put back as it was. */
function munge(next: JsonObject, before: JsonObject): JsonObject {
  const copy = cloneJson(next);
  for (const field of ["activeDeadlineSeconds", "tolerations", "schedulingGates"]) restore(copy, before, field);
  for (const list of ["containers", "initContainers"]) {
    for (const [index, container] of asArray(copy[list]).entries()) {
      if (isObject(container)) container.image = asObject(asArray(before[list])[index]).image;
    }
  }
  if (Number(before.terminationGracePeriodSeconds ?? 0) < 0 && copy.terminationGracePeriodSeconds === 1)
    restore(copy, before, "terminationGracePeriodSeconds");
  return copy;
}

function restore(copy: JsonObject, before: JsonObject, field: string): void {
  if (before[field] === undefined) delete copy[field];
  else copy[field] = before[field];
}

/** A gated pod's node selector may grow, and its node affinity terms may: both only narrow the choice. */
function checkSelectorsNarrowed(munged: JsonObject, before: JsonObject, found: Findings): void {
  const selector = asObject(munged.nodeSelector);
  for (const [key, value] of Object.entries(asObject(before.nodeSelector))) {
    if (selector[key] === value) continue;
    found.invalid(
      "spec.nodeSelector",
      selector,
      "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
    );
    break;
  }
  restore(munged, before, "nodeSelector");
  const [now, was] = [asObject(munged.affinity), asObject(before.affinity)];
  if (deepEqual({ ...now, nodeAffinity: undefined }, { ...was, nodeAffinity: undefined }))
    restore(munged, before, "affinity");
}

/** Ephemeral containers are only ever added. */
export function checkEphemeralUpdate(pod: KubeObject, old: KubeObject, found: Findings): void {
  const now = new Map(
    asArray(specOf(pod).ephemeralContainers)
      .map(asObject)
      .map((container) => [asString(container.name), container]),
  );
  for (const item of asArray(specOf(old).ephemeralContainers)) {
    const name = asString(asObject(item).name);
    const same = now.get(name);
    const field = "spec.ephemeralContainers";
    if (same === undefined) found.forbidden(field, `existing ephemeral containers "${name}" may not be removed\n`);
    else if (!deepEqual(same, item))
      found.forbidden(field, `existing ephemeral containers "${name}" may not be changed\n`);
  }
}

/** A resize changes the cpu and memory of containers, and keeps the class of the pod. */
export function checkResize(pod: KubeObject, old: KubeObject, found: Findings): void {
  const { qosClass } = statusOf(old);
  if (asArray(specOf(pod).containers).length !== asArray(specOf(old).containers).length) {
    found.forbidden("spec.containers", "pod resize may not add or remove containers");
    return;
  }
  const strip = (spec: JsonObject) => {
    const copy = cloneJson(spec);
    for (const list of ["containers", "initContainers"])
      for (const container of asArray(copy[list])) if (isObject(container)) delete container.resources;
    return copy;
  };
  if (!deepEqual(strip(specOf(pod)), strip(specOf(old))))
    found.forbidden("spec", "only cpu and memory resources are mutable");
  else if (!sameOtherResources(specOf(pod), specOf(old)))
    found.forbidden("spec", "only cpu and memory resources are mutable");
  const next = podQosClass(specOf(pod));
  if (qosClass !== undefined && qosClass !== next)
    found.invalid("spec", next, "Pod QOS Class may not change as a result of resizing");
}

function sameOtherResources(next: JsonObject, before: JsonObject): boolean {
  const others = (spec: JsonObject) =>
    asArray(spec.containers).map((container) =>
      ["requests", "limits"].map((side) =>
        Object.fromEntries(
          Object.entries(asObject(asObject(asObject(container).resources)[side])).filter(
            ([name]) => name !== "cpu" && name !== "memory",
          ),
        ),
      ),
    );
  return deepEqual(others(next), others(before));
}

export function podQosClass(spec: JsonObject): "Guaranteed" | "Burstable" | "BestEffort" {
  const containers = [...asArray(spec.initContainers), ...asArray(spec.containers)].map(asObject);
  const computed = (side: unknown) =>
    Object.entries(asObject(side)).filter(([name]) => name === "cpu" || name === "memory");
  const resources =
    isObject(spec.resources) && Object.keys(spec.resources).length > 0
      ? [spec.resources]
      : containers.map((container) => asObject(container.resources));
  const bare = resources.every((one) => computed(one.requests).length === 0 && computed(one.limits).length === 0);
  if (bare) return "BestEffort";
  const even = resources.every((one) => {
    const limits = asObject(one.limits);
    const requests = asObject(one.requests);
    return ["cpu", "memory"].every((name) => limits[name] !== undefined && limits[name] === requests[name]);
  });
  return even ? "Guaranteed" : "Burstable";
}
