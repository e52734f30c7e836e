/** Whether a rule of a role allows an access, and whether some rules cover others. Pure. */
import { asArray, asObject, asString } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { type AccessAttributes, isPathAccess, type PolicyRule, type ResourceAttributes } from "./authorizer.ts";

const parsed = new WeakMap<KubeObject, readonly PolicyRule[]>();

/** Stored objects never change, so the rules of each are read once. */
export function rulesOf(role: KubeObject): readonly PolicyRule[] {
  let rules = parsed.get(role);
  if (rules === undefined) {
    rules = asArray(role.rules).map(readRule);
    parsed.set(role, rules);
  }
  return rules;
}

export function readRule(value: unknown): PolicyRule {
  const rule = asObject(value);
  const list = (name: string) => asArray(rule[name]).map(asString);
  return {
    verbs: list("verbs"),
    apiGroups: list("apiGroups"),
    resources: list("resources"),
    resourceNames: list("resourceNames"),
    nonResourceURLs: list("nonResourceURLs"),
  };
}

export function ruleAllows(rule: PolicyRule, attributes: AccessAttributes): boolean {
  if (!includes(rule.verbs, attributes.verb)) return false;
  if (isPathAccess(attributes)) return (rule.nonResourceURLs ?? []).some((url) => urlCovers(url, attributes.path));
  return (
    includes(rule.apiGroups ?? [], attributes.group) &&
    resourceMatches(rule.resources ?? [], attributes) &&
    nameMatches(rule.resourceNames ?? [], attributes.name)
  );
}

function includes(list: readonly string[], value: string): boolean {
  return list.includes(value) || list.includes("*");
}

/** `pods/log` names a subresource, `*` everything, and `*` before a slash a subresource of any resource. */
function resourceMatches(list: readonly string[], { resource, subresource }: ResourceAttributes): boolean {
  if (subresource === "") return includes(list, resource);
  return list.includes("*") || list.includes(`${resource}/${subresource}`) || list.includes(`*/${subresource}`);
}

/** A rule for names allows nothing that has no name, such as a list. */
function nameMatches(names: readonly string[], name: string): boolean {
  return names.length === 0 || (name !== "" && names.includes(name));
}

function urlCovers(owner: string, path: string): boolean {
  if (owner === path) return true;
  return owner.endsWith("*") && path.startsWith(owner.replace(/\*+$/, ""));
}

/** The parts of `wanted`, one verb, resource and name each, that no rule of `owned` covers. */
export function missingRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !owned.some((rule) => covers(rule, part)));
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  const names = (rule.resourceNames ?? []).length > 0 ? (rule.resourceNames ?? []) : [undefined];
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        for (const name of names) {
          const named = name === undefined ? {} : { resourceNames: [name] };
          parts.push({ verbs: [verb], apiGroups: [group], resources: [resource], ...named });
        }
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? [])
    for (const verb of rule.verbs) parts.push({ verbs: [verb], nonResourceURLs: [url] });
  return parts;
}

function covers(owner: PolicyRule, part: PolicyRule): boolean {
  const all = (list: readonly string[] | undefined, holds: (value: string) => boolean) => (list ?? []).every(holds);
  const ownedNames = owner.resourceNames ?? [];
  const partNames = part.resourceNames ?? [];
  return (
    all(part.verbs, (verb) => includes(owner.verbs, verb)) &&
    all(part.apiGroups, (group) => includes(owner.apiGroups ?? [], group)) &&
    all(part.resources, (resource) => coversResource(owner.resources ?? [], resource)) &&
    all(part.nonResourceURLs, (url) => (owner.nonResourceURLs ?? []).some((one) => urlCovers(one, url))) &&
    (ownedNames.length === 0 || (partNames.length > 0 && all(partNames, (name) => ownedNames.includes(name))))
  );
}

function coversResource(list: readonly string[], resource: string): boolean {
  const slash = resource.indexOf("/");
  return includes(list, resource) || (slash > 0 && list.includes(`*/${resource.slice(slash + 1)}`));
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`: as denials word a rule. */
export function describeRule(rule: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["ResourceNames", rule.resourceNames],
    ["Verbs", rule.verbs],
  ];
  const shown = parts.filter(([, list]) => (list ?? []).length > 0);
  return `{${shown.map(([name, list]) => `${name}:${describeList(list ?? [])}`).join(", ")}}`;
}

export const describeList = (list: readonly string[]): string =>
  `[${list.map((one) => JSON.stringify(one)).join(" ")}]`;

/** Parts that differ in their verb only, as one rule. */
export function compactRules(parts: readonly PolicyRule[]): PolicyRule[] {
  const compacted = new Map<string, PolicyRule>();
  for (const part of parts) {
    const about = (part.nonResourceURLs ?? []).length > 0 ? part : { ...part, verbs: [] };
    const key = JSON.stringify([
      about.apiGroups,
      about.resources,
      about.resourceNames,
      about.nonResourceURLs,
      about.verbs,
    ]);
    const known = compacted.get(key);
    compacted.set(key, known === undefined ? part : { ...known, verbs: [...known.verbs, ...part.verbs] });
  }
  return [...compacted.values()];
}
