/** Strategies of the small core kinds: namespaces, nodes, config maps, secrets, services, leases, priority classes. */
import { asArray, asObject, asString, deepEqual, isObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { checkDnsLabel, checkLabelValue } from "../registry/names.ts";
import { cause, type StatusCause } from "../status.ts";
import { checkCidr } from "../validation/cidrs.ts";
import { eachItem, Findings } from "../validation/findings.ts";
import { checkConfigKey } from "../validation/names.ts";
import { checkSecretType } from "../validation/secret-types.ts";

export const namespaceStrategy: Strategy = {
  checkName: checkDnsLabel,
  prepareCreate: (namespace) => {
    namespace.spec = { finalizers: ["kubernetes"] };
    namespace.status = { phase: "Active" };
    labelWithName(namespace);
  },
  prepareUpdate: (namespace, old) => {
    namespace.spec = old.spec;
    namespace.status = old.status;
    labelWithName(namespace);
  },
  beginDeletion: (namespace) => {
    namespace.status = { ...statusOf(namespace), phase: "Terminating" };
  },
  returnsDeletedObject: true,
};

function labelWithName(namespace: KubeObject): void {
  namespace.metadata.labels = { ...namespace.metadata.labels, "kubernetes.io/metadata.name": namespace.metadata.name };
}

export const nodeStrategy: Strategy = {
  prepareCreate: (node) => {
    node.spec ??= {};
    node.status ??= {};
  },
  applyDefaults: defaultAllocatable,
  validate: validateNode,
};

const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

function validateNode(node: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const found = new Findings();
  const spec = specOf(node);
  const seen = new Set<string>();
  eachItem(spec.taints, "metadata.taints", (taint, at) => {
    found.qualifiedName(`${at}.key`, asString(taint.key));
    found.holds(`${at}.value`, asString(taint.value), checkLabelValue);
    found.oneOf(`${at}.effect`, taint.effect, taintEffects);
    const id = `${asString(taint.key)}:${asString(taint.effect)}`;
    if (seen.has(id)) found.duplicate(at, taint);
    seen.add(id);
  });
  if (old === undefined) {
    for (const [index, cidr] of asArray(spec.podCIDRs).map(asString).entries())
      found.holds(`spec.podCIDRs[${index}]`, cidr, checkCidr);
    return found.list;
  }
  const before = specOf(old);
  if (asArray(before.podCIDRs).length > 0 && !deepEqual(before.podCIDRs, spec.podCIDRs))
    found.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid');
  if (asString(before.providerID) !== "" && before.providerID !== spec.providerID)
    found.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid');
  return found.list;
}

function defaultAllocatable(node: KubeObject): void {
  const status = isObject(node.status) ? node.status : {};
  if (status.capacity !== undefined && status.allocatable === undefined)
    node.status = { ...status, allocatable: status.capacity };
}

export const configMapStrategy: Strategy = { validate: validateConfigMap };

function validateConfigMap(map: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const findings = [...validateKeys(map, "data"), ...validateKeys(map, "binaryData")];
  for (const key of Object.keys(asObject(map.data))) {
    if (Object.hasOwn(asObject(map.binaryData), key))
      findings.push(cause.invalid(`data[${key}]`, key, "duplicate of key present in binaryData"));
  }
  return [...findings, ...validateImmutable(map, old, ["data", "binaryData"])];
}

const maxDataBytes = 1024 * 1024;

function validateKeys(object: KubeObject, field: string): StatusCause[] {
  const found = new Findings();
  let size = 0;
  for (const [key, value] of Object.entries(asObject(object[field]))) {
    size += field === "data" && object.kind === "ConfigMap" ? Buffer.byteLength(String(value)) : decodedBytes(value);
    found.holds(`${field}[${key}]`, key, checkConfigKey);
  }
  if (size > maxDataBytes) found.add(cause.tooLong(object.kind === "ConfigMap" ? "" : field, maxDataBytes));
  return found.list;
}

const decodedBytes = (value: unknown) => Buffer.from(String(value), "base64").length;

function validateImmutable(object: KubeObject, old: KubeObject | undefined, fields: readonly string[]): StatusCause[] {
  if (old?.immutable !== true) return [];
  const findings: StatusCause[] = [];
  if (object.immutable !== true)
    findings.push(cause.forbidden("immutable", "field is immutable when `immutable` is set"));
  for (const field of fields) {
    if (!deepEqual(object[field], old[field]))
      findings.push(cause.forbidden(field, "field is immutable when `immutable` is set"));
  }
  return findings;
}

export const secretStrategy: Strategy = {
  applyDefaults: (secret) => {
    if (isObject(secret.stringData)) {
      const encoded = Object.entries(secret.stringData).map(([key, value]) => [
        key,
        Buffer.from(String(value)).toString("base64"),
      ]);
      secret.data = { ...asObject(secret.data), ...Object.fromEntries(encoded) };
    }
    delete secret.stringData;
    secret.type ??= "Opaque";
  },
  validate: (secret, old) => {
    const found = new Findings();
    if (old !== undefined && old.type !== secret.type) found.invalid("type", secret.type, "field is immutable");
    found.add(...validateImmutable(secret, old, ["data"]), ...validateKeys(secret, "data"));
    checkSecretType(secret, found);
    return found.list;
  },
};

export const leaseStrategy: Strategy = {
  requiresVersion: true,
  validate: (lease) => {
    const { leaseDurationSeconds, leaseTransitions } = specOf(lease);
    const findings: StatusCause[] = [];
    if (leaseDurationSeconds !== undefined && Number(leaseDurationSeconds) <= 0) {
      findings.push(cause.invalid("spec.leaseDurationSeconds", leaseDurationSeconds, "must be greater than 0"));
    }
    if (leaseTransitions !== undefined && Number(leaseTransitions) < 0) {
      findings.push(cause.invalid("spec.leaseTransitions", leaseTransitions, "must be greater than or equal to 0"));
    }
    return findings;
  },
};

const highestUserPriority = 1_000_000_000;
/** The classes that every cluster has; `controllers/bootstrap.ts` makes them. */
export const systemPriorities: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

export const priorityClassStrategy: Strategy = {
  applyDefaults: (object) => {
    object.value ??= 0;
    object.preemptionPolicy ??= "PreemptLowerPriority";
  },
  validate: (object, old) => {
    const found = new Findings();
    const { name } = object.metadata;
    if (old !== undefined) {
      if (old.value !== object.value) found.forbidden("value", "may not be changed in an update.");
      if (old.preemptionPolicy !== object.preemptionPolicy)
        found.invalid("preemptionPolicy", object.preemptionPolicy, "field is immutable");
    } else if (name.startsWith("system-")) {
      const why = "priority class names with 'system-' prefix are reserved for system use only. error: ";
      if (systemPriorities[name] === undefined)
        found.forbidden("metadata.name", `${why}${name} is not a known system priority class`);
      else if (systemPriorities[name] !== object.value)
        found.forbidden("metadata.name", `${why}value of ${name} PriorityClass must be ${systemPriorities[name]}`);
    } else if (Number(object.value) > highestUserPriority)
      found.forbidden("value", `maximum allowed value of a user defined priority is ${highestUserPriority}`);
    found.optionalOneOf("preemptionPolicy", object.preemptionPolicy, ["PreemptLowerPriority", "Never"]);
    return found.list;
  },
};
