/** Validation of admission policies: what they are about, their parameters, and every expression in them. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import { checkDnsSubdomain, checkServiceName } from "../../registry/names.ts";
import { qualifiedNameProblems } from "../../registry/qualified-name.ts";
import { cause, type StatusCause } from "../../status.ts";
import { compiledPolicyOf } from "./compiled-policy.ts";
import { checkMatchResources } from "./match-validation.ts";

const failurePolicies = ["Fail", "Ignore"];

export function validateValidatingPolicy(policy: KubeObject): StatusCause[] {
  const spec = specOf(policy);
  return [
    ...checkPolicyHead(spec),
    ...checkMatchConditions(asArray(spec.matchConditions)),
    ...checkVariables(asArray(spec.variables)),
    ...checkContents(policy, spec),
    ...compiledPolicyOf(policy).problems.map(({ field, expression, detail }) =>
      cause.invalid(`spec.${field}`, expression, detail),
    ),
  ];
}

/** What policies of both kinds have. */
export function checkPolicyHead(spec: JsonObject, operations?: readonly string[]): StatusCause[] {
  const findings: StatusCause[] = [];
  const failurePolicy = asString(spec.failurePolicy);
  if (failurePolicy === "") findings.push(cause.required("spec.failurePolicy"));
  else if (!failurePolicies.includes(failurePolicy))
    findings.push(cause.unsupported("spec.failurePolicy", failurePolicy, failurePolicies));
  if (isObject(spec.paramKind)) findings.push(...checkParamKind(spec.paramKind));
  const match = spec.matchConstraints;
  if (!isObject(match)) return [...findings, cause.required("spec.matchConstraints")];
  findings.push(...checkMatchResources(match, "spec.matchConstraints", operations));
  if (asArray(match.resourceRules).length === 0) findings.push(cause.required("spec.matchConstraints.resourceRules"));
  return findings;
}

function checkParamKind({ apiVersion, kind }: JsonObject): StatusCause[] {
  const findings: StatusCause[] = [];
  const path = "spec.paramKind.apiVersion";
  const parts = asString(apiVersion).split("/");
  const [group, version] = parts.length === 2 ? parts : ["", parts[0]];
  if (asString(apiVersion) === "") findings.push(cause.required(path));
  else if (parts.length > 2)
    findings.push(cause.invalid(path, apiVersion, `unexpected GroupVersion string: ${asString(apiVersion)}`));
  else {
    const groupProblem = group === "" ? undefined : checkDnsSubdomain(group ?? "");
    if (groupProblem !== undefined) findings.push(cause.invalid(path, group, groupProblem));
    const versionProblem = version === "" ? "version must be specified" : checkServiceName(version ?? "");
    if (versionProblem !== undefined) findings.push(cause.invalid(path, version || apiVersion, versionProblem));
  }
  if (asString(kind) === "") findings.push(cause.required("spec.paramKind.kind"));
  const kindProblem = asString(kind) === "" ? undefined : checkServiceName(asString(kind).toLowerCase());
  if (kindProblem !== undefined) {
    const detail = `may have mixed case, but should otherwise match: ${kindProblem}`;
    findings.push(cause.invalid("spec.paramKind.kind", kind, detail));
  }
  return findings;
}

const maxMatchConditions = 64;

export function checkMatchConditions(conditions: readonly unknown[], path = "spec.matchConditions"): StatusCause[] {
  const names = conditions.map((condition) => asString(asObject(condition).name));
  const findings: StatusCause[] =
    conditions.length > maxMatchConditions ? [cause.tooMany(path, conditions.length, maxMatchConditions)] : [];
  for (const [index, name] of names.entries()) {
    const where = `${path}[${index}]`;
    if (asString(asObject(conditions[index]).expression).trim() === "")
      findings.push(cause.required(`${where}.expression`));
    if (name === "") findings.push(cause.required(`${where}.name`));
    else {
      findings.push(...qualifiedNameProblems(name).map((problem) => cause.invalid(`${where}.name`, name, problem)));
      if (names.indexOf(name) < index) findings.push(cause.duplicate(`${where}.name`, name));
    }
  }
  return findings;
}

const reserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

export function checkVariables(variables: readonly unknown[]): StatusCause[] {
  return variables.flatMap((item, index) => {
    const { name, expression } = asObject(item);
    const path = `spec.variables[${index}]`;
    const findings: StatusCause[] = [];
    const word = asString(name);
    if (word.trim() === "") findings.push(cause.required(`${path}.name`, "name is not specified"));
    else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(word) || reserved.has(word))
      findings.push(cause.invalid(`${path}.name`, word, "must be a valid CEL identifier"));
    if (asString(expression).trim() === "")
      findings.push(cause.required(`${path}.expression`, "expression is not specified"));
    return findings;
  });
}

function checkContents(policy: KubeObject, spec: JsonObject): StatusCause[] {
  const [validations, annotations] = [asArray(spec.validations), asArray(spec.auditAnnotations)];
  const needed = "validations or auditAnnotations must contain at least one item";
  if (validations.length === 0 && annotations.length === 0)
    return [cause.required("spec.validations", needed), cause.required("spec.auditAnnotations", needed)];
  return [
    ...validations.flatMap((item, index) => checkValidation(asObject(item), `spec.validations[${index}]`)),
    ...checkAnnotations(policy.metadata.name, annotations),
  ];
}

const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

function checkValidation(item: JsonObject, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const [expression, message, messageExpression] = [item.expression, item.message, item.messageExpression].map(
    asString,
  );
  if (expression?.trim() === "") findings.push(cause.required(`${path}.expression`, "expression is not specified"));
  const empty = "must be non-empty if specified";
  if (messageExpression !== "" && messageExpression?.trim() === "")
    findings.push(cause.invalid(`${path}.messageExpression`, messageExpression, empty));
  if (message !== "" && message?.trim() === "") findings.push(cause.invalid(`${path}.message`, message, empty));
  else if (/[\n\r]/.test(message?.trim() ?? ""))
    findings.push(cause.invalid(`${path}.message`, message, "must not contain line breaks"));
  if (item.reason !== undefined && !reasons.includes(asString(item.reason)))
    findings.push(cause.unsupported(`${path}.reason`, item.reason, reasons));
  return findings;
}

const maxAnnotations = 20;
const maxExpressionBytes = 5 * 1024;

function checkAnnotations(policyName: string, annotations: readonly unknown[]): StatusCause[] {
  const path = "spec.auditAnnotations";
  const keys = annotations.map((item) => asString(asObject(item).key));
  const findings: StatusCause[] = [];
  if (annotations.length > maxAnnotations)
    findings.push(cause.invalid(path, annotations, `must not have more than ${maxAnnotations} auditAnnotations`));
  for (const [index, key] of keys.entries()) {
    const where = `${path}[${index}]`;
    const whole = `${policyName}/${key}`;
    findings.push(...qualifiedNameProblems(whole).map((problem) => cause.invalid(`${where}.key`, whole, problem)));
    const expression = asString(asObject(annotations[index]).valueExpression);
    if (expression.trim() === "")
      findings.push(cause.required(`${where}.valueExpression`, "valueExpression is not specified"));
    if (Buffer.byteLength(expression.trim()) > maxExpressionBytes)
      findings.push(
        cause.required(`${where}.valueExpression`, `must not exceed ${maxExpressionBytes} bytes in length`),
      );
    if (keys.indexOf(key) < index) findings.push(cause.duplicate(`${where}.key`, key));
  }
  return findings;
}
