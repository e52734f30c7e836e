/** Rules of custom resource definitions: names, versions, structural schemas and everything that is compiled from them. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject, valueAt } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import { compileJsonPath } from "../printing/jsonpath.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../registry/names.ts";
import type { Schema } from "../schema/schema.ts";
import { checkStructural } from "../schema/structural.ts";
import { cause, type StatusCause } from "../status.ts";

export function validateDefinition(definition: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const spec = specOf(definition);
  const names = asObject(spec.names);
  const findings = [...checkNames(definition.metadata.name, spec, names), ...checkVersions(spec)];
  if (spec.scope !== "Namespaced" && spec.scope !== "Cluster") {
    findings.push(cause.unsupported("spec.scope", spec.scope ?? "", ["Cluster", "Namespaced"]));
  }
  if (asString(valueAt(spec, ["conversion", "strategy"])) === "Webhook") {
    findings.push(
      cause.forbidden(
        "spec.conversion.strategy",
        "conversion webhooks are not supported by this embedded API server; use None",
      ),
    );
  }
  if (spec.preserveUnknownFields === true) {
    findings.push(
      cause.invalid(
        "spec.preserveUnknownFields",
        true,
        "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      ),
    );
  }
  return [...findings, ...checkImmutable(spec, specOf(old ?? {}), old !== undefined)];
}

function checkNames(name: string, spec: JsonObject, names: JsonObject): StatusCause[] {
  const findings: StatusCause[] = [];
  const group = asString(spec.group);
  const wanted = `${asString(names.plural)}.${group}`;
  if (name !== wanted) findings.push(cause.invalid("metadata.name", name, `must be spec.names.plural+"."+spec.group`));
  const groupProblem = group.includes(".") ? checkDnsSubdomain(group) : "should be a domain with at least one dot";
  if (groupProblem !== undefined) findings.push(cause.invalid("spec.group", group, groupProblem));
  for (const field of ["plural", "kind"]) {
    const value = asString(names[field]);
    const problem = value === "" ? undefined : checkDnsLabel(value.toLowerCase());
    if (value === "") findings.push(cause.required(`spec.names.${field}`));
    else if (problem !== undefined) findings.push(cause.invalid(`spec.names.${field}`, value, problem));
  }
  return findings;
}

function checkVersions(spec: JsonObject): StatusCause[] {
  const versions = asArray(spec.versions).map(asObject);
  const findings: StatusCause[] = [];
  const storage = versions.filter((version) => version.storage === true).length;
  if (storage !== 1)
    findings.push(
      cause.invalid(
        "spec.versions",
        versions.map((version) => version.name),
        "must have exactly one version marked as storage version",
      ),
    );
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const name = asString(version.name);
    const problem = checkDnsLabel(name);
    if (problem !== undefined) findings.push(cause.invalid(`${path}.name`, name, problem));
    if (seen.has(name)) findings.push(cause.duplicate(`${path}.name`, name));
    seen.add(name);
    findings.push(...checkVersion(version, path));
  }
  return findings;
}

function checkVersion(version: JsonObject, path: string): StatusCause[] {
  const schema = valueAt(version, ["schema", "openAPIV3Schema"]);
  if (!isObject(schema)) return [cause.required(`${path}.schema.openAPIV3Schema`, "schemas are required")];
  const findings = checkStructural(schema as Schema, `${path}.schema.openAPIV3Schema`);
  for (const list of ["additionalPrinterColumns", "selectableFields"]) {
    for (const [index, item] of asArray(version[list]).entries()) {
      const jsonPath = asString(asObject(item).jsonPath);
      const problem = problemOf(jsonPath);
      if (problem !== undefined) findings.push(cause.invalid(`${path}.${list}[${index}].jsonPath`, jsonPath, problem));
      if (list === "selectableFields" && problem === undefined)
        findings.push(...checkSelectable(schema as Schema, jsonPath, `${path}.${list}[${index}].jsonPath`));
    }
  }
  return findings;
}

function problemOf(jsonPath: string): string | undefined {
  if (!jsonPath.startsWith(".")) return "must be a simple json path starting with .";
  try {
    compileJsonPath(jsonPath);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A selectable field is a scalar that the schema names. */
function checkSelectable(root: Schema, jsonPath: string, path: string): StatusCause[] {
  let schema: Schema | undefined = root;
  for (const name of jsonPath.split(".").slice(1)) schema = schema?.properties?.[name];
  const isScalar = schema !== undefined && ["string", "boolean", "integer"].includes(schema.type ?? "");
  if (isScalar) return [];
  return [
    cause.invalid(path, jsonPath, "must be a field of type string, boolean or integer that the schema specifies"),
  ];
}

function checkImmutable(spec: JsonObject, old: JsonObject, isUpdate: boolean): StatusCause[] {
  if (!isUpdate) return [];
  const findings: StatusCause[] = [];
  for (const path of [["group"], ["scope"], ["names", "plural"], ["names", "kind"]]) {
    const value = valueAt(spec, path);
    if (value !== valueAt(old, path))
      findings.push(cause.invalid(`spec.${path.join(".")}`, value, "field is immutable"));
  }
  return findings;
}
