/** Validation of the bindings of admission policies. Pure. */
import { asArray, asString, isObject, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import { checkDnsSubdomain, checkPathSegment } from "../../registry/names.ts";
import { cause, type StatusCause } from "../../status.ts";
import { checkLabelSelector, checkMatchResources } from "./match-validation.ts";

export function validateValidatingBinding(binding: KubeObject): StatusCause[] {
  const spec = specOf(binding);
  return [...checkBindingHead(spec), ...checkActions(asArray(spec.validationActions).map(asString))];
}

/** What bindings of both kinds have. */
export function checkBindingHead(spec: JsonObject, operations?: readonly string[]): StatusCause[] {
  const findings: StatusCause[] = [];
  const name = asString(spec.policyName);
  const problem = name === "" ? undefined : checkDnsSubdomain(name);
  if (name === "") findings.push(cause.required("spec.policyName"));
  if (problem !== undefined) findings.push(cause.invalid("spec.policyName", name, problem));
  if (isObject(spec.paramRef)) findings.push(...checkParamRef(spec.paramRef));
  if (isObject(spec.matchResources))
    findings.push(...checkMatchResources(spec.matchResources, "spec.matchResources", operations));
  return findings;
}

const notFoundActions = ["Deny", "Allow"];

function checkParamRef(paramRef: JsonObject): StatusCause[] {
  const path = "spec.paramRef";
  const name = asString(paramRef.name);
  const findings: StatusCause[] = [];
  const problem = name === "" ? undefined : checkPathSegment(name);
  if (problem !== undefined) findings.push(cause.invalid(`${path}.name`, name, problem));
  const exclusive = "name and selector are mutually exclusive";
  if (isObject(paramRef.selector)) {
    if (name !== "") findings.push(cause.forbidden(`${path}.name`, exclusive));
    findings.push(...checkLabelSelector(paramRef.selector, `${path}.selector`));
    if (name !== "") findings.push(cause.forbidden(`${path}.selector`, exclusive));
  } else if (name === "") findings.push(cause.required(path, "one of name or selector must be specified"));
  const action = asString(paramRef.parameterNotFoundAction);
  if (action === "") findings.push(cause.required(`${path}.parameterNotFoundAction`));
  else if (!notFoundActions.includes(action))
    findings.push(cause.unsupported(`${path}.parameterNotFoundAction`, action, notFoundActions));
  return findings;
}

const known = ["Audit", "Deny", "Warn"];

function checkActions(actions: readonly string[]): StatusCause[] {
  const path = "spec.validationActions";
  const findings = actions.flatMap((action, index) => {
    const where = `${path}[${index}]`;
    const unknown = known.includes(action) ? [] : [cause.unsupported(where, action, known)];
    return actions.indexOf(action) < index ? [...unknown, cause.duplicate(where, action)] : unknown;
  });
  if (actions.includes("Deny") && actions.includes("Warn")) {
    const detail =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    findings.push(cause.invalid(path, actions, detail));
  }
  if (actions.length === 0) findings.push(cause.required(path, "at least one validation action is required"));
  return findings;
}
