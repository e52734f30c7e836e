/** Checks the metadata that every kind shares: name, labels, annotations, finalizers and owners. Pure. */
import type { KubeObject, OwnerReference } from "../object.ts";
import { checkFieldManager } from "../operations/write-options.ts";
import { cause, type StatusCause } from "../status.ts";
import type { ResourceKind } from "./kind.ts";
import { checkDnsSubdomain, checkLabelValue } from "./names.ts";
import { qualifiedNameProblems } from "./qualified-name.ts";

const maxAnnotationBytes = 256 * 1024;
const maxSubresourceBytes = 256;

export function validateMetadata(object: KubeObject, kind: ResourceKind): StatusCause[] {
  const { metadata } = object;
  return [
    ...validateNames(object, kind),
    ...validateGeneration(metadata.generation ?? 0),
    ...validateLabels(metadata.labels ?? {}),
    ...validateAnnotations(metadata.annotations ?? {}),
    ...validateOwners(metadata.ownerReferences ?? []),
    ...validateFinalizers(
      metadata.finalizers ?? [],
      "metadata.finalizers",
      kind.builtin && !laxGroups.includes(kind.group),
    ),
    ...validateManagedFields(object),
  ];
}

function validateNames({ metadata }: KubeObject, kind: ResourceKind): StatusCause[] {
  const check = kind.strategy.checkName ?? checkDnsSubdomain;
  const findings: StatusCause[] = [];
  const { generateName = "", name = "" } = metadata;
  // A name is yet to follow, so a dash may end the prefix.
  const prefixProblem = generateName === "" ? undefined : check(generateName.replace(/-$/, "a"));
  if (prefixProblem !== undefined) findings.push(cause.invalid("metadata.generateName", generateName, prefixProblem));
  const problem = name === "" ? undefined : check(name);
  if (name === "") findings.push(cause.required("metadata.name", "name or generateName is required"));
  if (problem !== undefined) findings.push(cause.invalid("metadata.name", name, problem));
  return findings;
}

function validateGeneration(generation: number): StatusCause[] {
  if (generation >= 0) return [];
  return [cause.invalid("metadata.generation", generation, "must be greater than or equal to 0")];
}

export function validateLabels(labels: Readonly<Record<string, string>>, path = "metadata.labels"): StatusCause[] {
  const findings: StatusCause[] = [];
  for (const [key, value] of Object.entries(labels)) {
    const valueProblem = checkLabelValue(value);
    findings.push(...qualifiedNameProblems(key).map((problem) => cause.invalid(path, key, problem)));
    if (valueProblem !== undefined) findings.push(cause.invalid(path, value, valueProblem));
  }
  return findings;
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>>,
  path = "metadata.annotations",
): StatusCause[] {
  const findings: StatusCause[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
    findings.push(...qualifiedNameProblems(key.toLowerCase()).map((problem) => cause.invalid(path, key, problem)));
  }
  if (size > maxAnnotationBytes) findings.push(cause.tooLong(path, maxAnnotationBytes));
  return findings;
}

/** Their validation is not that of the core kinds. */
const laxGroups = ["apiextensions.k8s.io", "apiregistration.k8s.io"];
const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];

/** Core kinds insist on a domain, custom ones only warn (see `finalizer-warnings.ts`). */
export function validateFinalizers(
  finalizers: readonly string[],
  path = "metadata.finalizers",
  isStrict = false,
): StatusCause[] {
  const findings = finalizers.flatMap((finalizer) =>
    qualifiedNameProblems(finalizer).map((problem) => cause.invalid(path, finalizer, problem)),
  );
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion"))
    findings.push(cause.invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  const why = "name is neither a standard finalizer name nor is it fully qualified";
  for (const [index, finalizer] of isStrict ? finalizers.entries() : [])
    if (!finalizer.includes("/") && !standardFinalizers.includes(finalizer))
      findings.push(cause.invalid(`${path}[${index}]`, finalizer, why));
  return findings;
}

export function validateOwners(owners: readonly OwnerReference[], path = "metadata.ownerReferences"): StatusCause[] {
  const findings = owners.flatMap((owner) => validateOwner(owner, path));
  const [first, ...others] = owners
    .filter((owner) => owner.controller === true)
    .map((owner) => `${owner.kind}/${owner.name}`);
  for (const other of others) {
    const why = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${other}`;
    findings.push(cause.invalid(path, owners, why));
  }
  return findings;
}

function validateOwner(owner: OwnerReference, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const { apiVersion = "", kind = "" } = owner;
  if (apiVersion.split("/").at(-1) === "")
    findings.push(cause.invalid(`${path}.apiVersion`, apiVersion, "version must not be empty"));
  for (const field of ["kind", "name", "uid"] as const)
    if (!owner[field]) findings.push(cause.invalid(`${path}.${field}`, owner[field] ?? "", "must not be empty"));
  if (apiVersion === "v1" && kind === "Event")
    findings.push(cause.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"));
  return findings;
}

function validateManagedFields({ metadata }: KubeObject): StatusCause[] {
  return (metadata.managedFields ?? []).flatMap((entry, index) => {
    const path = `metadata.managedFields[${index}]`;
    const findings = checkFieldManager(entry.manager ?? "", `${path}.manager`);
    if (Buffer.byteLength(entry.subresource ?? "") > maxSubresourceBytes)
      findings.push(cause.tooLong(`${path}.subresource`, maxSubresourceBytes));
    return findings;
  });
}
