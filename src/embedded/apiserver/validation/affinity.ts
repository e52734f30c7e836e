/** Affinity, tolerations, spread constraints and gates: what steers the scheduler. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { checkDnsLabel, checkLabelValue } from "../registry/names.ts";
import { eachItem, type Findings } from "./findings.ts";
import { checkLabelSelector } from "./label-selectors.ts";

const required = "requiredDuringSchedulingIgnoredDuringExecution";
const preferred = "preferredDuringSchedulingIgnoredDuringExecution";

export function checkAffinity(affinity: unknown, path: string, found: Findings): void {
  const { nodeAffinity, podAffinity, podAntiAffinity } = asObject(affinity);
  if (isObject(nodeAffinity)) checkNodeAffinity(nodeAffinity, `${path}.nodeAffinity`, found);
  if (isObject(podAffinity)) checkPodAffinity(podAffinity, `${path}.podAffinity`, found);
  if (isObject(podAntiAffinity)) checkPodAffinity(podAntiAffinity, `${path}.podAntiAffinity`, found);
}

function checkNodeAffinity(affinity: JsonObject, path: string, found: Findings): void {
  if (isObject(affinity[required])) checkNodeSelector(affinity[required], `${path}.${required}`, found);
  eachItem(affinity[preferred], `${path}.${preferred}`, (term, at) => {
    checkWeight(term, at, found);
    checkNodeTerm(asObject(term.preference), `${at}.preference`, found, false);
  });
}

export function checkNodeSelector(selector: JsonObject, path: string, found: Findings): void {
  const terms = `${path}.nodeSelectorTerms`;
  if (asArray(selector.nodeSelectorTerms).length === 0) {
    found.required(terms, "must have at least one node selector term");
    return;
  }
  eachItem(selector.nodeSelectorTerms, terms, (term, at) => checkNodeTerm(term, at, found, true));
}

function checkWeight(term: JsonObject, path: string, found: Findings): void {
  const weight = Number(term.weight ?? 0);
  if (weight <= 0 || weight > 100) found.invalid(`${path}.weight`, weight, "must be in the range 1-100");
}

function checkNodeTerm(term: JsonObject, path: string, found: Findings, strict: boolean): void {
  eachItem(term.matchExpressions, `${path}.matchExpressions`, (one, at) => {
    checkOperator(one, at, found);
    found.qualifiedName(`${at}.key`, asString(one.key));
    for (const [index, value] of (strict ? asArray(one.values) : []).entries())
      found.holds(`${at}.values[${index}]`, asString(value), checkLabelValue);
  });
  eachItem(term.matchFields, `${path}.matchFields`, (one, at) => {
    if (one.operator !== "In" && one.operator !== "NotIn")
      found.invalid(`${at}.operator`, asString(one.operator), "not a valid selector operator");
    else if (asArray(one.values).length !== 1)
      found.required(
        `${at}.values`,
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      );
    if (one.key !== "metadata.name") found.invalid(`${at}.key`, asString(one.key), "not a valid field selector key");
  });
}

function checkOperator(one: JsonObject, path: string, found: Findings): void {
  const count = asArray(one.values).length;
  if (one.operator === "In" || one.operator === "NotIn") {
    if (count === 0) found.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (one.operator === "Exists" || one.operator === "DoesNotExist") {
    if (count > 0)
      found.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (one.operator === "Gt" || one.operator === "Lt") {
    if (count !== 1) found.required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else found.invalid(`${path}.operator`, asString(one.operator), "not a valid selector operator");
}

function checkPodAffinity(affinity: JsonObject, path: string, found: Findings): void {
  eachItem(affinity[required], `${path}.${required}`, (term, at) => checkPodTerm(term, at, found));
  eachItem(affinity[preferred], `${path}.${preferred}`, (term, at) => {
    checkWeight(term, at, found);
    checkPodTerm(asObject(term.podAffinityTerm), `${at}.podAffinityTerm`, found);
  });
}

function checkPodTerm(term: JsonObject, path: string, found: Findings): void {
  checkLabelSelector(term.labelSelector, `${path}.labelSelector`, found);
  checkLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`, found);
  for (const namespace of asArray(term.namespaces))
    found.holds(`${path}.namespace`, asString(namespace), checkDnsLabel);
  if (asString(term.topologyKey) === "") found.required(`${path}.topologyKey`, "can not be empty");
  found.qualifiedName(`${path}.topologyKey`, asString(term.topologyKey));
}

const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function checkTolerations(tolerations: unknown, path: string, found: Findings): void {
  eachItem(tolerations, path, (one, at) => {
    const key = asString(one.key);
    const operator = asString(one.operator);
    const value = asString(one.value);
    if (key !== "") found.qualifiedName(`${at}.key`, key);
    if (key === "" && operator !== "Exists") {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      found.invalid(`${at}.operator`, operator, why);
    }
    if (one.tolerationSeconds !== undefined && one.effect !== "NoExecute")
      found.invalid(`${at}.effect`, asString(one.effect), "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (operator === "" || operator === "Equal") found.holds(`${at}.operator`, value, checkLabelValue);
    else if (operator !== "Exists") found.optionalOneOf(`${at}.operator`, operator, ["Equal", "Exists"]);
    else if (value !== "") found.invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'");
    if (asString(one.effect) !== "") found.optionalOneOf(`${at}.effect`, one.effect, effects);
  });
}

export function checkSpreadConstraints(constraints: unknown, path: string, found: Findings): void {
  const all = asArray(constraints).map(asObject);
  eachItem(constraints, path, (one, at, index) => {
    found.positive(`${at}.maxSkew`, one.maxSkew);
    if (asString(one.topologyKey) === "") found.required(`${at}.topologyKey`, "can not be empty");
    found.optionalOneOf(`${at}.whenUnsatisfiable`, one.whenUnsatisfiable ?? "", ["DoNotSchedule", "ScheduleAnyway"]);
    const same = all
      .slice(index + 1)
      .some((other) => other.topologyKey === one.topologyKey && other.whenUnsatisfiable === one.whenUnsatisfiable);
    if (same)
      found.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${one.topologyKey}, ${one.whenUnsatisfiable}}`);
    if (one.minDomains !== undefined && Number(one.minDomains) <= 0)
      found.invalid(`${at}.minDomains`, one.minDomains, "must be greater than zero");
    if (one.minDomains !== undefined && one.whenUnsatisfiable !== "DoNotSchedule") {
      const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${one.whenUnsatisfiable}`;
      found.invalid(`${at}.minDomains`, one.minDomains, why);
    }
    found.optionalOneOf(`${at}.nodeAffinityPolicy`, one.nodeAffinityPolicy, ["Honor", "Ignore"]);
    found.optionalOneOf(`${at}.nodeTaintsPolicy`, one.nodeTaintsPolicy, ["Honor", "Ignore"]);
    checkLabelSelector(one.labelSelector, `${at}.labelSelector`, found);
  });
}

export function checkGates(gates: unknown, path: string, found: Findings): void {
  const seen = new Set<string>();
  eachItem(gates, path, (gate, at) => {
    const name = asString(gate.name);
    found.qualifiedName(at, name);
    if (seen.has(name)) found.duplicate(at, name);
    seen.add(name);
  });
}
