/** Validation of what policies, bindings and webhooks say they are about: resource rules and selectors. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../../json-value.ts";
import { checkPathSegment } from "../../registry/names.ts";
import { cause, type StatusCause } from "../../status.ts";
import { Findings } from "../../validation/findings.ts";
import { checkLabelSelector as checkSelector } from "../../validation/label-selectors.ts";

const matchPolicies = ["Equivalent", "Exact"];

export function checkMatchResources(
  match: JsonObject,
  path: string,
  operations: readonly string[] = allOperations,
): StatusCause[] {
  const findings: StatusCause[] = [];
  const policy = asString(match.matchPolicy);
  if (policy === "") findings.push(cause.required(`${path}.matchPolicy`));
  else if (!matchPolicies.includes(policy))
    findings.push(cause.unsupported(`${path}.matchPolicy`, policy, matchPolicies));
  for (const field of ["namespaceSelector", "objectSelector"]) {
    if (!isObject(match[field])) findings.push(cause.required(`${path}.${field}`));
    else findings.push(...checkLabelSelector(asObject(match[field]), `${path}.${field}`));
  }
  for (const field of ["resourceRules", "excludeResourceRules"])
    for (const [index, rule] of asArray(match[field]).entries())
      findings.push(...checkNamedRule(asObject(rule), `${path}.${field}[${index}]`, operations));
  return findings;
}

function checkNamedRule(rule: JsonObject, path: string, operations: readonly string[]): StatusCause[] {
  const names = asArray(rule.resourceNames).map(asString);
  const findings = names.flatMap((name, index) => {
    const where = `${path}.resourceNames[${index}]`;
    const problem = checkPathSegment(name);
    const invalid = problem === undefined ? [] : [cause.invalid(where, name, problem)];
    return names.indexOf(name) < index ? [...invalid, cause.duplicate(where, name)] : invalid;
  });
  return [...findings, ...checkRule(rule, path, operations)];
}

const allOperations: readonly string[] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const scopes = ["*", "Cluster", "Namespaced"];

export function checkRule(
  rule: JsonObject,
  path: string,
  operations: readonly string[] = allOperations,
): StatusCause[] {
  const asked = asArray(rule.operations).map(asString);
  const findings: StatusCause[] = [];
  if (asked.length === 0) findings.push(cause.required(`${path}.operations`));
  if (asked.length > 1 && asked.includes("*"))
    findings.push(cause.invalid(`${path}.operations`, asked, "if '*' is present, must not specify other operations"));
  for (const [index, operation] of asked.entries())
    if (!operations.includes(operation))
      findings.push(cause.unsupported(`${path}.operations[${index}]`, operation, operations));
  findings.push(...checkWords(rule.apiGroups, `${path}.apiGroups`, "API groups", true));
  findings.push(...checkWords(rule.apiVersions, `${path}.apiVersions`, "API versions", false));
  findings.push(...checkResources(asArray(rule.resources).map(asString), `${path}.resources`));
  if (rule.scope !== undefined && !scopes.includes(asString(rule.scope)))
    findings.push(cause.unsupported(`${path}.scope`, rule.scope, scopes));
  return findings;
}

function checkWords(value: unknown, path: string, what: string, takesEmpty: boolean): StatusCause[] {
  const words = asArray(value).map(asString);
  const findings: StatusCause[] = words.length === 0 ? [cause.required(path)] : [];
  if (words.length > 1 && words.includes("*"))
    findings.push(cause.invalid(path, words, `if '*' is present, must not specify other ${what}`));
  if (takesEmpty) return findings;
  return [...findings, ...words.flatMap((word, index) => (word === "" ? [cause.required(`${path}[${index}]`)] : []))];
}

function checkResources(resources: readonly string[], path: string): StatusCause[] {
  if (resources.length === 0) return [cause.required(path)];
  const findings = resources.flatMap((resource, index) =>
    checkResource(resource, resources.slice(0, index), `${path}[${index}]`),
  );
  if (resources.length > 1 && resources.includes("*/*"))
    findings.push(cause.invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes("*") && resources.some((resource) => resource !== "*" && !resource.includes("/")))
    findings.push(
      cause.invalid(path, resources, "if '*' is present, must not specify other resources without subresources"),
    );
  return findings;
}

function checkResource(resource: string, before: readonly string[], path: string): StatusCause[] {
  if (resource === "") return [cause.required(path)];
  const [name, sub] = resource.split("/");
  if (sub === undefined) return [];
  return [`${name}/*`, `*/${sub}`]
    .filter((wider) => before.includes(wider))
    .map((wider) => cause.invalid(path, resource, `if '${wider}' is present, must not specify ${resource}`));
}

/** The findings of the selectors of built-in kinds, as a list. */
export function checkLabelSelector(selector: JsonObject, path: string): readonly StatusCause[] {
  const found = new Findings();
  checkSelector(selector, path, found);
  return found.list;
}
