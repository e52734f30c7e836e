/** Whether the `x-kubernetes-validations` of a schema node are well-formed, compile, and may read what they read. Pure. */
import { cause, type StatusCause } from "../status.ts";
import type { CompiledRules } from "./compiled-rules.ts";
import { checkFieldPath } from "./field-path.ts";
import type { Schema, ValidationRule } from "./schema.ts";

export interface RuleScope {
  readonly rules: CompiledRules | undefined;
  readonly uncorrelatable: string | undefined;
  /** Rules are compiled only where nothing else is wrong at their schema or below. */
  readonly isSound: boolean;
}

export function checkRules(schema: Schema, path: string, scope: RuleScope): StatusCause[] {
  const rules = schema["x-kubernetes-validations"] ?? [];
  if (rules.length === 0) return [];
  const placeOf = (index: number) => `${path}.x-kubernetes-validations[${index}]`;
  const findings = rules.flatMap((rule, index) => checkDeclaration(rule, schema, placeOf(index)));
  if (findings.length > 0 || !scope.isSound || scope.rules === undefined) return findings;
  return checkCompiled(schema, scope, placeOf);
}

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
const hasBreaks = (text: string) => /[\n\r]/.test(text);

function checkDeclaration(rule: ValidationRule, schema: Schema, path: string): StatusCause[] {
  const findings = checkText(rule, path);
  const { messageExpression = "", reason, fieldPath = "" } = rule;
  if (messageExpression !== "" && messageExpression.trim() === "")
    findings.push(cause.required(`${path}.messageExpression`, "messageExpression must be non-empty if specified"));
  if (reason !== undefined && !reasons.includes(reason))
    findings.push(cause.unsupported(`${path}.reason`, reason, reasons));
  if (fieldPath === "") return findings;
  const invalid = (detail: string) => findings.push(cause.invalid(`${path}.fieldPath`, fieldPath, detail));
  if (fieldPath.trim() === "") invalid("must be non-empty if specified");
  if (hasBreaks(fieldPath)) invalid("must not contain line breaks");
  if (checkFieldPath(fieldPath, schema).problem !== undefined) invalid("must be a valid path");
  return findings;
}

function checkText(rule: ValidationRule, path: string): StatusCause[] {
  const text = rule.rule.trim();
  const { message = "" } = rule;
  if (text === "") return [cause.required(`${path}.rule`, "rule is not specified")];
  if (message !== "" && message.trim() === "")
    return [cause.invalid(`${path}.message`, message, "must be non-empty if specified")];
  if (hasBreaks(message.trim())) return [cause.invalid(`${path}.message`, message, "must not contain line breaks")];
  if (hasBreaks(text) && message.trim() === "")
    return [cause.required(`${path}.message`, "message must be specified if rule contains line breaks")];
  return [];
}

function checkCompiled(schema: Schema, scope: RuleScope, placeOf: (index: number) => string): StatusCause[] {
  const node = scope.rules?.of(schema);
  const findings = (node?.problems ?? []).map(({ index, field, detail }) =>
    cause.invalid(`${placeOf(index)}.${field}`, shownRule(schema, index), detail),
  );
  for (const [index, compiled] of (node?.rules ?? []).entries()) {
    if (compiled === undefined) continue;
    const { rule, readsOld } = compiled;
    if (readsOld && scope.uncorrelatable !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${scope.uncorrelatable}`;
      findings.push(cause.invalid(`${placeOf(index)}.rule`, rule.rule, detail));
    }
    if (!readsOld && rule.optionalOldSelf !== undefined) {
      const detail = "may not be set if oldSelf is not used in rule";
      findings.push(cause.invalid(`${placeOf(index)}.optionalOldSelf`, rule.optionalOldSelf, detail));
    }
  }
  return findings;
}

/** A rule as the server shows it in findings: with its Go field names. */
function shownRule(schema: Schema, index: number): object {
  const rule = schema["x-kubernetes-validations"]?.[index];
  return {
    Rule: rule?.rule,
    Message: rule?.message ?? "",
    MessageExpression: rule?.messageExpression ?? "",
    Reason: rule?.reason ?? null,
    FieldPath: rule?.fieldPath ?? "",
    OptionalOldSelf: rule?.optionalOldSelf ?? null,
  };
}
