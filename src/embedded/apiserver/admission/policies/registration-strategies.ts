/** Defaults and validation of the kinds of admissionregistration.k8s.io. Their declarations are `registry/admission-kinds.ts`. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import type { Strategy } from "../../registry/kind.ts";
import { cause, type StatusCause } from "../../status.ts";
import { checkBindingHead, validateValidatingBinding } from "./binding-validation.ts";
import {
  checkMatchConditions,
  checkPolicyHead,
  checkVariables,
  validateValidatingPolicy,
} from "./policy-validation.ts";
import { checkWebhook } from "./webhook-validation.ts";

const mutatingOperations = ["CREATE", "UPDATE"];

export const validatingPolicyStrategy: Strategy = {
  applyDefaults: (policy) => defaultPolicy(specOf(policy)),
  prepareCreate: (policy) => {
    delete policy.status;
  },
  validate: validateValidatingPolicy,
  requiresVersion: true,
};

export const validatingPolicyBindingStrategy: Strategy = {
  applyDefaults: (binding) => defaultMatch(specOf(binding).matchResources),
  validate: validateValidatingBinding,
  requiresVersion: true,
};

export const mutatingPolicyStrategy: Strategy = {
  applyDefaults: (policy) => defaultPolicy(specOf(policy)),
  validate: validateMutatingPolicy,
  requiresVersion: true,
};

export const mutatingPolicyBindingStrategy: Strategy = {
  applyDefaults: (binding) => defaultMatch(specOf(binding).matchResources),
  validate: (binding) => checkBindingHead(specOf(binding), mutatingOperations),
  requiresVersion: true,
};

export function webhookConfigurationStrategy(kind: "ValidatingWebhook" | "MutatingWebhook"): Strategy {
  return {
    applyDefaults: (configuration) => {
      for (const webhook of asArray(configuration.webhooks)) defaultWebhook(asObject(webhook), kind);
    },
    validate: (configuration) => validateWebhooks(configuration),
    requiresVersion: true,
  };
}

function defaultPolicy(spec: JsonObject): void {
  spec.failurePolicy ??= "Fail";
  defaultMatch(spec.matchConstraints);
}

function defaultMatch(match: unknown): void {
  if (!isObject(match)) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const field of ["resourceRules", "excludeResourceRules"])
    for (const rule of asArray(match[field])) asObject(rule).scope ??= "*";
}

const defaultTimeoutSeconds = 10;

function defaultWebhook(webhook: JsonObject, kind: string): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= defaultTimeoutSeconds;
  if (kind === "MutatingWebhook") webhook.reinvocationPolicy ??= "Never";
  const service = asObject(webhook.clientConfig).service;
  if (isObject(service)) service.port ??= 443;
  for (const rule of asArray(webhook.rules)) asObject(rule).scope ??= "*";
}

function validateWebhooks(configuration: KubeObject): StatusCause[] {
  const names = asArray(configuration.webhooks).map((webhook) => asString(asObject(webhook).name));
  return asArray(configuration.webhooks).flatMap((webhook, index) => {
    const findings = checkWebhook(asObject(webhook), `webhooks[${index}]`);
    const isTwice = names.indexOf(names[index] ?? "") < index;
    return isTwice ? [...findings, cause.duplicate(`webhooks[${index}].name`, names[index])] : findings;
  });
}

const patchTypes = ["ApplyConfiguration", "JSONPatch"];
const reinvocations = ["IfNeeded", "Never"];

function validateMutatingPolicy(policy: KubeObject): StatusCause[] {
  const spec = specOf(policy);
  const findings = [
    ...checkPolicyHead(spec, mutatingOperations),
    ...checkMatchConditions(asArray(spec.matchConditions)),
    ...checkVariables(asArray(spec.variables)),
  ];
  const mutations = asArray(spec.mutations).map(asObject);
  if (mutations.length === 0)
    findings.push(cause.required("spec.mutations", "mutations must contain at least one item"));
  for (const [index, mutation] of mutations.entries())
    findings.push(...checkMutation(mutation, `spec.mutations[${index}]`));
  const policyName = asString(spec.reinvocationPolicy);
  if (policyName === "") findings.push(cause.required("spec.reinvocationPolicy"));
  else if (!reinvocations.includes(policyName))
    findings.push(cause.unsupported("spec.reinvocationPolicy", policyName, reinvocations));
  return findings;
}

function checkMutation(mutation: JsonObject, path: string): StatusCause[] {
  const type = asString(mutation.patchType);
  if (type === "") return [cause.required(`${path}.patchType`)];
  if (!patchTypes.includes(type)) return [cause.unsupported(`${path}.patchType`, type, patchTypes)];
  const [own, other] = type === "JSONPatch" ? ["jsonPatch", "applyConfiguration"] : ["applyConfiguration", "jsonPatch"];
  const findings: StatusCause[] = [];
  if (!isObject(mutation[own ?? ""]))
    findings.push(cause.required(`${path}.${own}`, `must be specified when patchType is ${type}`));
  else if (asString(asObject(mutation[own ?? ""]).expression).trim() === "")
    findings.push(cause.required(`${path}.${own}.expression`));
  if (isObject(mutation[other ?? ""]))
    findings.push(cause.invalid(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`));
  return findings;
}
