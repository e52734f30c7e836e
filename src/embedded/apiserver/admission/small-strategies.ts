/** Strategies of kinds with few rules: budgets, revisions, quotas, limits, classes, requests for certificates. */

import { compareQuantities } from "../../quantity.ts";
import { asArray, asObject, asString, deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { checkDnsLabel } from "../registry/names.ts";
import { eachItem, Findings } from "../validation/findings.ts";
import { checkAtMostWhole, checkIntOrPercent } from "../validation/int-or-percent.ts";
import { checkLabelSelector } from "../validation/label-selectors.ts";
import { checkPodTemplate } from "../validation/pod-template.ts";
import { checkQuantity } from "../validation/resources.ts";
import { defaultTemplate } from "./workload-strategy.ts";

export const disruptionBudgetStrategy: Strategy = {
  requiresVersion: true,
  prepareCreate: (budget) => {
    budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  },
  validate: (budget, _old, subresource) => {
    const found = new Findings();
    if (subresource === "status") {
      for (const field of ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"])
        found.notNegative(`status.${field}`, statusOf(budget)[field]);
      return found.list;
    }
    const spec = specOf(budget);
    if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined)
      found.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
    for (const field of ["minAvailable", "maxUnavailable"]) {
      if (spec[field] === undefined) continue;
      checkIntOrPercent(spec[field], `spec.${field}`, found);
      checkAtMostWhole(spec[field], `spec.${field}`, found);
    }
    checkLabelSelector(spec.selector, "spec.selector", found);
    const policies = ["AlwaysAllow", "IfHealthyBudget"];
    found.optionalOneOf("spec.unhealthyPodEvictionPolicy", spec.unhealthyPodEvictionPolicy, policies);
    return found.list;
  },
};

export const controllerRevisionStrategy: Strategy = {
  validate: (revision, old) => {
    const found = new Findings();
    found.notNegative("revision", revision.revision);
    if (revision.data === undefined || revision.data === null) found.required("data", "data is mandatory");
    else if (!isObject(revision.data)) found.required("data", "data must be a valid JSON object");
    if (old !== undefined && !deepEqual(revision.data, old.data))
      found.invalid("data", revision.data, "field is immutable");
    return found.list;
  },
};

export const podTemplateStrategy: Strategy = {
  applyDefaults: (object) => {
    defaultTemplate(object.template);
  },
  validate: (object) => {
    const found = new Findings();
    checkPodTemplate(asObject(object.template), "template", found);
    return found.list;
  },
  returnsDeletedObject: true,
};

const scopes = [
  "BestEffort",
  "CrossNamespacePodAffinity",
  "NotBestEffort",
  "NotTerminating",
  "PriorityClass",
  "Terminating",
  "VolumeAttributesClass",
];

export const resourceQuotaStrategy: Strategy = {
  prepareCreate: (quota) => {
    quota.status = {};
  },
  validate: (quota, old, subresource) => {
    if (subresource === "status") return [];
    const spec = specOf(quota);
    const found = new Findings();
    for (const [name, quantity] of Object.entries(asObject(spec.hard))) {
      found.qualifiedName(`spec.hard[${name}]`, name);
      checkQuantity(name, quantity, `spec.hard[${name}]`, found);
    }
    for (const scope of asArray(spec.scopes)) {
      if (!scopes.includes(asString(scope))) found.invalid("spec.scopes", spec.scopes, "unsupported scope");
    }
    if (old !== undefined && !sameSet(spec.scopes, specOf(old).scopes))
      found.invalid("spec.scopes", spec.scopes, "field is immutable");
    return found.list;
  },
  returnsDeletedObject: true,
};

const sameSet = (a: unknown, b: unknown) => deepEqual([...asArray(a)].sort(), [...asArray(b)].sort());

export const limitRangeStrategy: Strategy = {
  applyDefaults: (object) => {
    for (const limit of asArray(specOf(object).limits).map(asObject)) {
      if (limit.type !== "Container") continue;
      limit.default = { ...asObject(limit.max), ...asObject(limit.default) };
      limit.defaultRequest = { ...asObject(limit.min), ...asObject(limit.default), ...asObject(limit.defaultRequest) };
      for (const field of ["default", "defaultRequest"])
        if (Object.keys(asObject(limit[field])).length === 0) delete limit[field];
    }
  },
  validate: (object) => {
    const found = new Findings();
    const types = new Set<string>();
    eachItem(specOf(object).limits, "spec.limits", (limit, at) => {
      const type = asString(limit.type);
      if (type === "") found.required(`${at}.type`);
      if (types.has(type)) found.duplicate(`${at}.type`, type);
      types.add(type);
      if (type === "Pod")
        for (const field of ["default", "defaultRequest"])
          if (limit[field] !== undefined)
            found.forbidden(`${at}.${field}`, "may not be specified when `type` is 'Pod'");
      checkLimits(limit, at, found);
    });
    return found.list;
  },
};

const orders = [
  ["min", "max", "min", "min value %a is greater than max value %b"],
  ["min", "defaultRequest", "defaultRequest", "min value %a is greater than default request value %b"],
  ["defaultRequest", "max", "defaultRequest", "default request value %a is greater than max value %b"],
  ["defaultRequest", "default", "defaultRequest", "default request value %a is greater than default limit value %b"],
  ["min", "default", "default", "min value %a is greater than default value %b"],
  ["default", "max", "default", "default value %a is greater than max value %b"],
] as const;

function checkLimits(limit: JsonObject, path: string, found: Findings): void {
  const names = new Set(
    ["min", "max", "default", "defaultRequest"].flatMap((side) => Object.keys(asObject(limit[side]))),
  );
  for (const name of names) {
    for (const [low, high, field, words] of orders) {
      const [a, b] = [asObject(limit[low])[name], asObject(limit[high])[name]];
      if (a === undefined || b === undefined || compareQuantities(a, b) <= 0) continue;
      const why = words.replace("%a", String(a)).replace("%b", String(b));
      found.invalid(`${path}.${field}[${name}]`, asObject(limit[field])[name], why);
    }
  }
}

export const storageClassStrategy: Strategy = {
  applyDefaults: (object) => {
    object.reclaimPolicy ??= "Delete";
    object.volumeBindingMode ??= "Immediate";
  },
  validate: (object, old) => {
    const found = new Findings();
    if (asString(object.provisioner) === "") found.required("provisioner");
    else found.qualifiedName("provisioner", asString(object.provisioner).toLowerCase());
    found.optionalOneOf("reclaimPolicy", object.reclaimPolicy, ["Delete", "Retain"]);
    found.oneOf("volumeBindingMode", object.volumeBindingMode, ["Immediate", "WaitForFirstConsumer"]);
    if (old !== undefined)
      checkKept(object, old, ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"], found);
    return found.list;
  },
  returnsDeletedObject: true,
};

function checkKept(object: KubeObject, old: KubeObject, fields: readonly string[], found: Findings): void {
  for (const field of fields)
    if (!deepEqual(object[field], old[field])) found.invalid(field, object[field] ?? null, "field is immutable");
}

export const csiDriverStrategy: Strategy = {
  requiresVersion: true,
  applyDefaults: (object) => {
    const spec = specOf(object);
    object.spec = spec;
    spec.attachRequired ??= true;
    for (const field of ["podInfoOnMount", "storageCapacity", "requiresRepublish"]) spec[field] ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    if (asArray(spec.volumeLifecycleModes).length === 0) spec.volumeLifecycleModes = ["Persistent"];
    spec.seLinuxMount ??= false;
  },
  returnsDeletedObject: true,
};

export const runtimeClassStrategy: Strategy = {
  requiresVersion: true,
  validate: (object, old) => {
    const found = new Findings();
    const handler = asString(object.handler);
    if (old !== undefined) checkKept(object, old, ["handler"], found);
    else if (handler === "") found.required("handler");
    else found.holds("handler", handler, checkDnsLabel);
    return found.list;
  },
};

const keepSpec: Strategy["prepareUpdate"] = (request, old) => {
  request.spec = old.spec;
};

export const signingRequestStrategy: Strategy = {
  prepareCreate: (request) => {
    request.status = {};
  },
  prepareUpdate: keepSpec,
  subresourceParts: {
    approval: (old, candidate) => ({
      ...old,
      metadata: { ...candidate.metadata },
      status: { ...statusOf(old), conditions: statusOf(candidate).conditions },
    }),
  },
  validate: (request, old, subresource) => {
    const spec = specOf(request);
    const found = new Findings();
    if (old === undefined) {
      if (asString(spec.request) === "")
        found.invalid("spec.request", "", "PEM block type must be CERTIFICATE REQUEST");
      if (asArray(spec.usages).length === 0) found.required("spec.usages");
      if (asString(spec.signerName) === "") found.required("spec.signerName");
      else if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/.+$/.test(asString(spec.signerName)))
        found.invalid(
          "spec.signerName",
          spec.signerName,
          "must be a fully qualified domain and path of the form 'example.com/signer-name'",
        );
    }
    if (subresource === "approval") checkApproval(request, found);
    return found.list;
  },
};

function checkApproval(request: KubeObject, found: Findings): void {
  const types = asArray(statusOf(request).conditions).map((condition) => asObject(condition).type);
  if (types.includes("Approved") && types.includes("Denied"))
    found.invalid("status.conditions", types, "Approved and Denied conditions are mutually exclusive");
}

export const resourceClaimStrategy: Strategy = {
  applyDefaults: (claim) => {
    defaultDevices(specOf(claim));
  },
  prepareCreate: (claim) => {
    claim.status = {};
  },
  validate: (claim, old, subresource) => {
    const found = new Findings();
    if (subresource !== "status" && old !== undefined && !deepEqual(claim.spec, old.spec))
      found.invalid("spec", claim.spec, "field is immutable");
    return found.list;
  },
  returnsDeletedObject: true,
};

export const resourceClaimTemplateStrategy: Strategy = {
  applyDefaults: (template) => {
    defaultDevices(asObject(specOf(template).spec));
  },
  validate: (template, old) => {
    const found = new Findings();
    if (old !== undefined && !deepEqual(template.spec, old.spec))
      found.invalid("spec", template.spec, "field is immutable");
    return found.list;
  },
  returnsDeletedObject: true,
};

function defaultDevices(spec: JsonObject): void {
  for (const request of asArray(asObject(spec.devices).requests).map(asObject)) {
    for (const one of [request.exactly, ...asArray(request.firstAvailable)]) {
      if (!isObject(one)) continue;
      one.allocationMode ??= "ExactCount";
      if (one.allocationMode === "ExactCount") one.count ??= 1;
    }
  }
}
