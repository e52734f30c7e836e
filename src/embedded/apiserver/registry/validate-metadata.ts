/** Checks the metadata that every kind shares: name, labels, annotations, finalizers and owners. Pure. */
import type { KubeObject } from "../object.ts";
import { cause, type StatusCause } from "../status.ts";
import type { ResourceKind } from "./kind.ts";
import { checkDnsSubdomain, checkLabelValue, checkQualifiedName } from "./names.ts";

const maxAnnotationBytes = 256 * 1024;

export function validateMetadata(object: KubeObject, kind: ResourceKind): StatusCause[] {
  const { metadata } = object;
  const findings: StatusCause[] = [];
  const nameProblem = (kind.strategy.checkName ?? checkDnsSubdomain)(metadata.name);
  if (nameProblem !== undefined) findings.push(cause.invalid("metadata.name", metadata.name, nameProblem));
  findings.push(...validateLabels(metadata.labels ?? {}), ...validateAnnotations(metadata.annotations ?? {}));
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
    const problem = checkQualifiedName(finalizer);
    if (problem !== undefined) findings.push(cause.invalid(`metadata.finalizers[${index}]`, finalizer, problem));
  }
  findings.push(...validateOwners(object));
  return findings;
}

export function validateLabels(labels: Readonly<Record<string, string>>, path = "metadata.labels"): StatusCause[] {
  const findings: StatusCause[] = [];
  for (const [key, value] of Object.entries(labels)) {
    const keyProblem = checkQualifiedName(key);
    const valueProblem = checkLabelValue(value);
    if (keyProblem !== undefined) findings.push(cause.invalid(path, key, keyProblem));
    if (valueProblem !== undefined) findings.push(cause.invalid(path, value, valueProblem));
  }
  return findings;
}

function validateAnnotations(annotations: Readonly<Record<string, string>>): StatusCause[] {
  const findings: StatusCause[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
    const problem = checkQualifiedName(key.toLowerCase());
    if (problem !== undefined) findings.push(cause.invalid("metadata.annotations", key, problem));
  }
  if (size > maxAnnotationBytes) findings.push(cause.tooLong("metadata.annotations", maxAnnotationBytes));
  return findings;
}

function validateOwners(object: KubeObject): StatusCause[] {
  const findings: StatusCause[] = [];
  const owners = object.metadata.ownerReferences ?? [];
  for (const [index, owner] of owners.entries()) {
    for (const field of ["apiVersion", "kind", "name", "uid"] as const) {
      if (!owner[field])
        findings.push(cause.invalid(`metadata.ownerReferences[${index}].${field}`, "", `${field} must not be empty`));
    }
  }
  const controllers = owners.filter((owner) => owner.controller === true);
  if (controllers.length > 1) {
    const detail = "Only one reference can have Controller set to true";
    findings.push(
      cause.invalid(
        "metadata.ownerReferences",
        controllers.map((owner) => owner.name),
        detail,
      ),
    );
  }
  return findings;
}
