/** Rules of custom resource definitions: names, group, versions and what may never change. Pure. */
import { asArray, asObject, asString, type JsonObject, valueAt } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import { checkDnsSubdomain, checkServiceName } from "../registry/names.ts";
import { cause, type StatusCause } from "../status.ts";
import { checkConversion } from "./crd-conversion-validation.ts";
import { checkVersionFields, type PlacedVersion } from "./crd-version-validation.ts";

export function validateDefinition(definition: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const spec = specOf(definition);
  const findings = [
    ...checkName(definition.metadata.name, spec),
    ...checkGroup(spec),
    ...checkEnum("spec.scope", spec.scope, ["Cluster", "Namespaced"]),
    ...checkVersions(spec),
    ...checkNames(asObject(spec.names), "spec.names"),
    ...checkConversion(asObject(spec.conversion)),
    ...checkStoredVersions(definition),
    ...checkApproval(definition, old),
  ];
  if (spec.preserveUnknownFields === true && old?.spec !== undefined && specOf(old).preserveUnknownFields === true)
    return [...findings, ...checkImmutable(spec, old)];
  if (spec.preserveUnknownFields === true) {
    const detail =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    findings.push(cause.invalid("spec.preserveUnknownFields", true, detail));
  }
  return [...findings, ...checkImmutable(spec, old)];
}

function checkName(name: string, spec: JsonObject): StatusCause[] {
  const wanted = `${asString(asObject(spec.names).plural)}.${asString(spec.group)}`;
  return name === wanted ? [] : [cause.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')];
}

function checkGroup(spec: JsonObject): StatusCause[] {
  const group = asString(spec.group);
  if (group === "") return [cause.required("spec.group")];
  const problem =
    checkDnsSubdomain(group) ?? (group.includes(".") ? undefined : "should be a domain with at least one dot");
  return problem === undefined ? [] : [cause.invalid("spec.group", group, problem)];
}

export function checkEnum(path: string, value: unknown, accepted: readonly string[]): StatusCause[] {
  const word = asString(value);
  if (word === "") return [cause.required(path)];
  return accepted.includes(word) ? [] : [cause.unsupported(path, word, accepted)];
}

/** Kubernetes shows its internal form of the versions here; the names say as much. */
function checkVersions(spec: JsonObject): StatusCause[] {
  const versions = asArray(spec.versions).map(asObject);
  const names = versions.map((version) => asString(version.name));
  const findings: StatusCause[] = [];
  for (const { version, index, paths } of placeVersions(versions)) {
    const name = asString(version.name);
    const problem = checkServiceName(name);
    if (problem !== undefined) findings.push(cause.invalid(`spec.versions[${index}].name`, name, problem));
    findings.push(...checkVersionFields({ version, index, paths }));
  }
  if (new Set(names).size < names.length)
    findings.push(cause.invalid("spec.versions", names, "must contain unique version names"));
  if (versions.filter((version) => version.storage === true).length !== 1)
    findings.push(cause.invalid("spec.versions", names, "must have exactly one version marked as storage version"));
  return findings;
}

const hoisted = {
  schema: "spec.validation",
  subresources: "spec.subresources",
  additionalPrinterColumns: "spec.additionalPrinterColumns",
  selectableFields: "spec.selectableFields",
} as const;

/** What all versions have in common, the server checks once and finds under `spec` (a lone version's always). */
function placeVersions(versions: readonly JsonObject[]): PlacedVersion[] {
  const isCommon = (field: string) =>
    versions.every((version) => JSON.stringify(version[field]) === JSON.stringify(versions[0]?.[field]));
  const common = Object.fromEntries(Object.keys(hoisted).map((field) => [field, isCommon(field)]));
  return versions.map((version, index) => {
    const paths = Object.entries(hoisted).map(([field, path]) => {
      if (common[field] !== true) return [field, `spec.versions[${index}].${field}`];
      return [field, index === 0 ? path : undefined];
    });
    return { version, index, paths: Object.fromEntries(paths) as PlacedVersion["paths"] };
  });
}

export function checkNames(names: JsonObject, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const check = (field: string, value: string, prefix = "") => {
    const problem = checkServiceName(prefix === "" ? value : value.toLowerCase());
    if (problem !== undefined) findings.push(cause.invalid(`${path}.${field}`, value, `${prefix}${problem}`));
  };
  for (const field of ["plural", "singular", "kind", "listKind"]) {
    const value = asString(names[field]);
    const isKind = field === "kind" || field === "listKind";
    if (value === "") findings.push(cause.required(`${path}.${field}`));
    else check(field, value, isKind ? "may have mixed case, but should otherwise match: " : "");
  }
  for (const field of ["shortNames", "categories"])
    for (const [index, value] of asArray(names[field]).entries()) check(`${field}[${index}]`, asString(value));
  if (names.kind !== undefined && names.kind === names.listKind)
    findings.push(cause.invalid(`${path}.listKind`, names.listKind, "kind and listKind may not be the same"));
  return findings;
}

/** A version in which objects may be stored cannot be taken away. */
function checkStoredVersions(definition: KubeObject): StatusCause[] {
  const stored = asArray(statusOf(definition).storedVersions).map(asString);
  const names = asArray(specOf(definition).versions).map((version) => asString(asObject(version).name));
  return stored.flatMap((version, index) => {
    if (names.includes(version)) return [];
    const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    return [cause.invalid(`status.storedVersions[${index}]`, version, detail)];
  });
}

const approval = "api-approved.kubernetes.io";

/** Groups of Kubernetes itself take definitions only with a link to their approval. */
function checkApproval(definition: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const group = asString(specOf(definition).group);
  if (!/(^|\.)(k8s\.io|kubernetes\.io)$/.test(group)) return [];
  const value = definition.metadata.annotations?.[approval] ?? "";
  if (old !== undefined && (old.metadata.annotations?.[approval] ?? "") === value) return [];
  const path = `metadata.annotations[${approval}]`;
  const pull = "see https://github.com/kubernetes/enhancements/pull/1111";
  const must = `protected groups must have approval annotation "${approval}"`;
  if (value === "") return [cause.required(path, `${must}, ${pull}`)];
  if (value.startsWith("unapproved") || (URL.canParse(value) && new URL(value).host !== "")) return [];
  const detail = `${must} with either a URL or a reason starting with "unapproved", ${pull}`;
  return [cause.invalid(path, value, detail)];
}

function checkImmutable(spec: JsonObject, old: KubeObject | undefined): StatusCause[] {
  if (old === undefined) return [];
  const isEstablished = asArray(statusOf(old).conditions).some((item) => {
    const { type, status } = asObject(item);
    return type === "Established" && status === "True";
  });
  const always = [["group"], ["names", "plural"]];
  const paths = isEstablished ? [["scope"], ["names", "kind"], ...always] : always;
  return paths.flatMap((path) => {
    const value = valueAt(spec, path);
    if (value === valueAt(specOf(old), path)) return [];
    return [cause.invalid(`spec.${path.join(".")}`, value, "field is immutable")];
  });
}
