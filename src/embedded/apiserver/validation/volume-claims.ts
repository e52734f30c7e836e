/** Persistent volumes and the claims on them. Pure. */

import { compareQuantities } from "../../quantity.ts";
import { asArray, asObject, asString, cloneJson, deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import { checkDnsSubdomain } from "../registry/names.ts";
import type { StatusCause } from "../status.ts";
import { cause } from "../status.ts";
import { checkNodeSelector } from "./affinity.ts";
import { Findings } from "./findings.ts";
import { checkLabelSelector } from "./label-selectors.ts";

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const volumeModes = ["Block", "Filesystem"];
const reclaimPolicies = ["Delete", "Recycle", "Retain"];

function checkAccessModes(modes: unknown, path: string, found: Findings): void {
  const list = asArray(modes);
  for (const mode of list) found.optionalOneOf(path, mode, accessModes);
  if (list.includes("ReadWriteOncePod") && list.length > 1)
    found.forbidden(path, "may not use ReadWriteOncePod with other access modes");
}

export function checkVolumeClaimSpec(spec: JsonObject, path: string, found: Findings): void {
  if (asArray(spec.accessModes).length === 0)
    found.required(`${path}.accessModes`, "at least 1 access mode is required");
  checkLabelSelector(spec.selector, `${path}.selector`, found);
  checkAccessModes(spec.accessModes, `${path}.accessModes`, found);
  const size = asObject(asObject(spec.resources).requests).storage;
  if (size === undefined) found.required(`${path}.resources[storage]`);
  else if (compareQuantities(size, "0") <= 0)
    found.invalid(`${path}.resources[storage]`, size, "must be greater than zero");
  checkClassName(spec.storageClassName, `${path}.storageClassName`, found);
  found.optionalOneOf(`${path}.volumeMode`, spec.volumeMode, volumeModes);
}

function checkClassName(name: unknown, path: string, found: Findings): void {
  if (asString(name) !== "") found.holds(path, asString(name), checkDnsSubdomain);
}

export function validateVolumeClaim(claim: KubeObject, old: KubeObject | undefined, subresource = ""): StatusCause[] {
  if (subresource === "status") return [];
  const found = new Findings();
  checkVolumeClaimSpec(specOf(claim), "spec", found);
  if (old !== undefined) checkClaimKept(claim, old, found);
  return found.list;
}

/** A claim stays as it is, but for its binding and, once bound, a larger size. */
function checkClaimKept(claim: KubeObject, old: KubeObject, found: Findings): void {
  const [next, before] = [cloneJson(specOf(claim)), cloneJson(specOf(old))];
  const newSize = asObject(asObject(next.resources).requests).storage;
  const oldSize = asObject(asObject(before.resources).requests).storage;
  if (asString(before.volumeName) === "") before.volumeName = next.volumeName;
  if (statusOf(old).phase === "Bound") {
    if (isObject(next.resources)) next.resources.requests = { ...asObject(next.resources.requests), storage: oldSize };
    next.volumeAttributesClassName = before.volumeAttributesClassName;
  }
  if (before.storageClassName === undefined) before.storageClassName = next.storageClassName;
  if (!deepEqual(next, before)) {
    const rule =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    found.forbidden("spec", `${rule}\n`);
  }
  const granted = asObject(statusOf(old).capacity).storage ?? "0";
  if (compareQuantities(newSize, oldSize) < 0 && compareQuantities(newSize, granted) <= 0)
    found.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity");
  if (next.volumeMode !== before.volumeMode) found.invalid("volumeMode", next.volumeMode, "field is immutable");
}

const notSources = new Set([
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeAttributesClassName",
  "volumeMode",
]);
const sourcesOf = (spec: JsonObject) =>
  Object.fromEntries(Object.entries(spec).filter(([name]) => !notSources.has(name)));

export function validateVolume(volume: KubeObject, old: KubeObject | undefined, subresource = ""): StatusCause[] {
  if (subresource === "status") return [];
  const spec = specOf(volume);
  const found = new Findings();
  if (asArray(spec.accessModes).length === 0) found.required("spec.accessModes");
  checkAccessModes(spec.accessModes, "spec.accessModes", found);
  checkCapacity(asObject(spec.capacity), found);
  found.optionalOneOf("spec.persistentVolumeReclaimPolicy", spec.persistentVolumeReclaimPolicy, reclaimPolicies);
  const required = asObject(spec.nodeAffinity).required;
  if (isObject(required)) checkNodeSelector(required, "spec.nodeAffinity.required", found);
  else if (isObject(spec.nodeAffinity))
    found.required("spec.nodeAffinity.required", "must specify required node constraints");
  checkSources(spec, found);
  checkClassName(spec.storageClassName, "spec.storageClassName", found);
  found.optionalOneOf("spec.volumeMode", spec.volumeMode, volumeModes);
  if (old !== undefined) checkVolumeKept(spec, specOf(old), found);
  return found.list;
}

function checkCapacity(capacity: JsonObject, found: Findings): void {
  const names = Object.keys(capacity);
  if (names.length === 0) found.required("spec.capacity");
  if (capacity.storage === undefined || names.length > 1)
    found.add(cause.unsupported("spec.capacity", capacity, ["storage"]));
  for (const name of names) {
    if (compareQuantities(capacity[name], "0") <= 0)
      found.invalid(`spec.capacity[${name}]`, capacity[name], "must be greater than zero");
  }
}

function checkSources(spec: JsonObject, found: Findings): void {
  const names = Object.keys(sourcesOf(spec));
  if (names.length === 0) {
    found.required("spec", "must specify a volume type");
    return;
  }
  for (const name of names.slice(1)) found.forbidden(`spec.${name}`, "may not specify more than 1 volume type");
  const { hostPath, local } = spec;
  if (isObject(hostPath) && asString(hostPath.path) === "") found.required("spec.hostPath.path");
  if (isObject(hostPath) && hostPath.path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle")
    found.forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'");
  if (!isObject(local)) return;
  if (asString(local.path) === "") found.required("spec.local.path");
  if (!isObject(spec.nodeAffinity)) found.required("spec.nodeAffinity", "Local volume requires node affinity");
}

function checkVolumeKept(spec: JsonObject, old: JsonObject, found: Findings): void {
  if (!deepEqual(sourcesOf(spec), sourcesOf(old)))
    found.forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation\n");
  if (spec.volumeMode !== old.volumeMode) found.invalid("volumeMode", spec.volumeMode, "field is immutable");
  if (isObject(old.nodeAffinity) && !deepEqual(spec.nodeAffinity, old.nodeAffinity))
    found.invalid("nodeAffinity", spec.nodeAffinity, "field is immutable");
}
