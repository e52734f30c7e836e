/** Validation of roles and bindings, with the findings of Kubernetes. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { checkDnsSubdomain, checkPathSegment } from "../registry/names.ts";
import type { StatusCause } from "../status.ts";
import { eachItem, Findings } from "./findings.ts";
import { checkLabelSelector } from "./label-selectors.ts";

const group = "rbac.authorization.k8s.io";

export function validateRole(role: KubeObject): StatusCause[] {
  const found = new Findings();
  eachItem(role.rules, "rules", (rule, at) => checkRule(rule, at, { namespaced: true, found }));
  return found.list;
}

export function validateClusterRole(role: KubeObject): StatusCause[] {
  const found = new Findings();
  eachItem(role.rules, "rules", (rule, at) => checkRule(rule, at, { namespaced: false, found }));
  if (!isObject(role.aggregationRule)) return found.list;
  const path = "aggregationRule.clusterRoleSelectors";
  const selectors = asArray(role.aggregationRule.clusterRoleSelectors);
  if (selectors.length === 0)
    found.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  for (const [index, selector] of selectors.entries()) checkLabelSelector(selector, `${path}[${index}]`, found);
  return found.list;
}

function checkRule(
  rule: JsonObject,
  at: string,
  { namespaced, found }: { namespaced: boolean; found: Findings },
): void {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
  const isEmpty = (list: unknown) => asArray(list).length === 0;
  if (isEmpty(verbs)) found.required(`${at}.verbs`, "verbs must contain at least one value");
  if (!isEmpty(nonResourceURLs)) {
    const refuse = (why: string) => found.invalid(`${at}.nonResourceURLs`, nonResourceURLs, why);
    if (namespaced) refuse("namespaced rules cannot apply to non-resource URLs");
    if (![apiGroups, resources, resourceNames].every(isEmpty))
      refuse("rules cannot apply to both regular resources and non-resource URLs");
    return;
  }
  if (isEmpty(apiGroups)) found.required(`${at}.apiGroups`, "resource rules must supply at least one api group");
  if (isEmpty(resources)) found.required(`${at}.resources`, "resource rules must supply at least one resource");
}

export function validateBinding(binding: KubeObject, roleKinds: readonly string[]): StatusCause[] {
  const found = new Findings();
  const { apiGroup, kind, name } = asObject(binding.roleRef);
  found.optionalOneOf("roleRef.apiGroup", asString(apiGroup), [group]);
  found.optionalOneOf("roleRef.kind", asString(kind), roleKinds);
  if (asString(name) === "") found.required("roleRef.name");
  else found.holds("roleRef.name", asString(name), checkPathSegment);
  const namespaced = roleKinds.includes("Role");
  eachItem(binding.subjects, "subjects", (subject, at) => checkSubject(subject, at, { namespaced, found }));
  return found.list;
}

function checkSubject(
  subject: JsonObject,
  at: string,
  { namespaced, found }: { namespaced: boolean; found: Findings },
): void {
  const name = asString(subject.name);
  const apiGroup = asString(subject.apiGroup);
  if (name === "") found.required(`${at}.name`);
  if (subject.kind === "User" || subject.kind === "Group") {
    found.optionalOneOf(`${at}.apiGroup`, apiGroup, [group]);
    return;
  }
  if (subject.kind !== "ServiceAccount") {
    found.optionalOneOf(`${at}.kind`, asString(subject.kind), ["ServiceAccount", "User", "Group"]);
    return;
  }
  if (name !== "") found.holds(`${at}.name`, name, checkDnsSubdomain);
  found.optionalOneOf(`${at}.apiGroup`, apiGroup, [""]);
  if (!namespaced && asString(subject.namespace) === "") found.required(`${at}.namespace`);
}
