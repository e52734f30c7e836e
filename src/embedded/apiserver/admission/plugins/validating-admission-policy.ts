/**
 * ValidatingAdmissionPolicies: each one that has a binding and is about a request is evaluated, and denies, warns or
 * leaves an audit annotation as the binding says. Effects: throws to refuse, adds warnings, logs annotations.
 */
import { dynamicValue } from "../../cel/schema-types.ts";
import { asArray, asObject, asString, isObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import { subjectOf } from "../../registry/kind.ts";
import { failure, qualified } from "../../status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { collectParams, PolicyConfigurationError } from "../policies/collect-params.ts";
import { type Denial, evaluatePolicy } from "../policies/evaluate-policy.ts";
import { matchResources } from "../policies/match-resources.ts";
import { policyInputs } from "../policies/policy-inputs.ts";

const group = "admissionregistration.k8s.io";
const policies = `validatingadmissionpolicies.${group}`;
const bindings = `validatingadmissionpolicybindings.${group}`;

export const validatingAdmissionPolicy: AdmissionPlugin = {
  name: "ValidatingAdmissionPolicy",
  validate: (request, context) => {
    // Policies cannot lock out who would mend them.
    if (request.kind.group === group || context.store.count(bindings) === 0) return;
    const denied = context.store
      .list(policies)
      .items.flatMap(({ object }) => applyPolicy(object, { request, context }));
    const [first] = denied;
    if (first !== undefined) throw refuse(request, first);
  },
};

interface Case {
  readonly request: AdmissionRequest;
  readonly context: ApiContext;
}

interface DeniedBy {
  readonly policy: string;
  readonly binding?: string;
  readonly message: string;
  readonly reason?: string;
}

function applyPolicy(policy: KubeObject, { request, context }: Case): DeniedBy[] {
  const { name } = policy.metadata;
  const bound = context.store.list(bindings).items.filter(({ object }) => specOf(object).policyName === name);
  if (bound.length === 0) return [];
  const kind = matchResources(asObject(specOf(policy).matchConstraints), request, context);
  if (kind === undefined) return [];
  let inputs: Record<string, unknown> | undefined;
  return bound.flatMap(({ object: binding }) => {
    const match = specOf(binding).matchResources;
    if (isObject(match) && matchResources(match, request, context) === undefined) return [];
    inputs ??= policyInputs(request, kind, context);
    return applyBinding(policy, binding, inputs, { request, context });
  });
}

function applyBinding(policy: KubeObject, binding: KubeObject, inputs: Record<string, unknown>, at: Case): DeniedBy[] {
  const { request, context } = at;
  const by = { policy: policy.metadata.name, binding: binding.metadata.name };
  try {
    return collectParams(policy, binding, request.namespace, context).flatMap((params) => {
      const outcome = evaluatePolicy(policy, { ...inputs, params: dynamicParams(params) });
      for (const [key, value] of outcome.auditAnnotations) audit(at, `${by.policy}/${key}`, value);
      return outcome.denials.flatMap((denial) => act(denial, binding, by, at));
    });
  } catch (error) {
    if (!(error instanceof PolicyConfigurationError)) throw error;
    if (specOf(policy).failurePolicy === "Ignore") return [];
    return [{ ...by, message: `failed to configure binding: ${error.message}` }];
  }
}

function dynamicParams(params: KubeObject | null): unknown {
  return params === null ? null : dynamicValue(params);
}

function act(denial: Denial, binding: KubeObject, by: { policy: string; binding: string }, at: Case): DeniedBy[] {
  const actions = asArray(specOf(binding).validationActions).map(asString);
  const { message, reason, expressionIndex } = denial;
  if (actions.includes("Audit")) {
    const value = [{ message, ...by, expressionIndex, validationActions: actions }];
    audit(at, "validation.policy.admission.k8s.io/validation_failure", JSON.stringify(value));
  }
  if (actions.includes("Warn"))
    at.request.warnings.push(
      `Validation failed for ValidatingAdmissionPolicy '${by.policy}' with binding '${by.binding}': ${message}`,
    );
  return actions.includes("Deny") ? [{ ...by, message, ...(reason === undefined ? {} : { reason }) }] : [];
}

const maxAnnotationLength = 10 * 1024;

/** There is no audit log here; the server's own log says what it would hold. */
function audit({ request, context }: Case, key: string, value: string): void {
  const { kind, namespace, name, operation } = request;
  const annotation = value.slice(0, maxAnnotationLength);
  context.logger.info("audit annotation", { key, value: annotation, operation, kind: kind.kind, namespace, name });
}

const codes: Readonly<Record<string, number>> = {
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

function refuse({ kind, name, object }: AdmissionRequest, denied: DeniedBy): Error {
  const by = denied.binding === undefined ? "" : ` with binding '${denied.binding}'`;
  const message = `ValidatingAdmissionPolicy '${denied.policy}'${by} denied request: ${denied.message}`;
  const subject = subjectOf(kind);
  const reason = denied.reason ?? "Invalid";
  const shownName = name || (object?.metadata.generateName ?? "");
  const details = {
    ...(shownName === "" ? {} : { name: shownName }),
    ...(kind.group === "" ? {} : { group: kind.group }),
    kind: kind.plural,
    causes: [{ message }],
  };
  const text = `${qualified(subject)} ${JSON.stringify(shownName)} is forbidden: ${message}`;
  return failure(codes[reason] ?? 422, reason, text, details);
}
