/** What the strategies of all workloads share: the template, the selector, counts in spec and status. */
import { asObject, deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import type { StatusCause } from "../status.ts";
import { Findings } from "../validation/findings.ts";
import { checkLabelSelector, isEmptySelector } from "../validation/label-selectors.ts";
import { checkPodTemplate, checkRunsForever, checkSelectsTemplate } from "../validation/pod-template.ts";
import { defaultPodSpec } from "./pod-defaults.ts";

const counts = ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"];

export interface WorkloadRules {
  /** As messages about its selector name it. */
  readonly word: string;
  readonly owner: string;
  /** Counts that are shown from the start. */
  readonly firstStatus?: JsonObject;
  readonly defaults: (spec: JsonObject) => void;
  readonly check: (spec: JsonObject, found: Findings) => void;
  readonly checkUpdate: (spec: JsonObject, old: JsonObject, found: Findings) => void;
  readonly checkName?: Strategy["checkName"];
  /** The template as its controller will use it, where that is not as it stands. */
  readonly templateOf?: (spec: JsonObject) => JsonObject;
}

export function defaultTemplate(template: unknown): void {
  if (!isObject(template)) return;
  template.metadata ??= {};
  if (isObject(template.spec)) defaultPodSpec(template.spec);
}

export function workloadStrategy(rules: WorkloadRules): Strategy {
  return {
    ...(rules.checkName === undefined ? {} : { checkName: rules.checkName }),
    applyDefaults: (object) => {
      const spec = specOf(object);
      object.spec = spec;
      rules.defaults(spec);
      defaultTemplate(spec.template);
    },
    prepareCreate: (object) => {
      object.status = { ...rules.firstStatus };
    },
    validate: (object, old, subresource) => {
      if (subresource === "status") return validateReplicaStatus(statusOf(object));
      return validateWorkload(object, old, rules);
    },
  };
}

function validateWorkload(object: KubeObject, old: KubeObject | undefined, rules: WorkloadRules): StatusCause[] {
  const spec = specOf(object);
  const found = new Findings();
  for (const field of counts) found.notNegative(`spec.${field}`, spec[field]);
  checkSelector(spec.selector, rules, found);
  const template = rules.templateOf?.(spec) ?? asObject(spec.template);
  checkSelectsTemplate(spec.selector, template, "spec.template", found);
  checkPodTemplate(template, "spec.template", found);
  checkRunsForever(template, "spec.template", rules.owner, found);
  rules.check(spec, found);
  if (old !== undefined) rules.checkUpdate(spec, specOf(old), found);
  return found.list;
}

function checkSelector(selector: unknown, rules: WorkloadRules, found: Findings): void {
  if (!isObject(selector)) {
    found.required("spec.selector");
    return;
  }
  checkLabelSelector(selector, "spec.selector", found);
  if (isEmptySelector(selector))
    found.invalid("spec.selector", selector, `empty selector is invalid for ${rules.word}`);
}

export function checkSelectorKept(spec: JsonObject, old: JsonObject, found: Findings): void {
  if (!deepEqual(spec.selector, old.selector)) found.invalid("spec.selector", spec.selector, "field is immutable");
}

const replicaCounts = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"];

export function validateReplicaStatus(status: JsonObject): StatusCause[] {
  const found = new Findings();
  const number = (field: string) => Number(status[field] ?? 0);
  for (const field of ["observedGeneration", ...replicaCounts, "currentReplicas", "fullyLabeledReplicas"])
    found.notNegative(`status.${field}`, status[field]);
  for (const field of [
    "updatedReplicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "currentReplicas",
    "availableReplicas",
  ])
    if (number(field) > number("replicas"))
      found.invalid(`status.${field}`, status[field], "cannot be greater than status.replicas");
  if (number("availableReplicas") > number("readyReplicas"))
    found.invalid("status.availableReplicas", status.availableReplicas, "cannot be greater than readyReplicas");
  return found.list;
}
