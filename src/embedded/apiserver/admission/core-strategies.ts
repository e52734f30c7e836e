/** Strategies of the small core kinds: namespaces, nodes, config maps, secrets, services, leases, priority classes. */
import { asObject, deepEqual, isObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { checkDnsLabel } from "../registry/names.ts";
import { cause, type StatusCause } from "../status.ts";

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
    defaultAllocatable(node);
  },
  prepareStatus: defaultAllocatable,
};

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

const keyPattern = /^[-._a-zA-Z0-9]+$/;
const maxDataBytes = 1024 * 1024;

function validateKeys(object: KubeObject, field: string): StatusCause[] {
  const findings: StatusCause[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(asObject(object[field]))) {
    size += Buffer.byteLength(String(value));
    if (key.length <= 253 && keyPattern.test(key) && key !== "." && key !== "..") continue;
    const detail =
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    findings.push(cause.invalid(`${field}[${key}]`, key, detail));
  }
  if (size > maxDataBytes) findings.push(cause.tooLong("", maxDataBytes));
  return findings;
}

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
    const findings = [...validateKeys(secret, "data"), ...validateImmutable(secret, old, ["data"])];
    if (old !== undefined && old.type !== secret.type)
      findings.push(cause.invalid("type", secret.type, "field is immutable"));
    return findings;
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

export const priorityClassStrategy: Strategy = {
  prepareCreate: (object) => {
    object.value ??= 0;
    object.preemptionPolicy ??= "PreemptLowerPriority";
  },
  validate: (object, old) => {
    const findings: StatusCause[] = [];
    if (old !== undefined && old.value !== object.value) {
      findings.push(cause.forbidden("value", "may not be changed in an update."));
    }
    if (Number(object.value) > highestUserPriority && !object.metadata.name.startsWith("system-")) {
      findings.push(
        cause.forbidden("value", `maximum allowed value of a user defined priority is ${highestUserPriority}`),
      );
    }
    return findings;
  },
};
