/** Validation of custom resources: structure, scale, embedded resources, list uniqueness, then the rules in CEL. Pure. */
import { valueAt } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { compiledRulesOf } from "../schema/compiled-rules.ts";
import { checkEmbedded } from "../schema/embedded-resource.ts";
import { evaluateRules } from "../schema/evaluate-rules.ts";
import { checkListUniqueness } from "../schema/list-uniqueness.ts";
import type { Schema } from "../schema/schema.ts";
import { validateStructure } from "../schema/validate.ts";
import { cause, type StatusCause } from "../status.ts";
import type { ScalePaths } from "./kind.ts";

export interface CustomValidation {
  /** As declared, so that what a definition says of metadata.name counts. */
  readonly schema: Schema;
  readonly scale: ScalePaths | undefined;
}

export interface Before {
  readonly object: KubeObject;
  /** It was found valid by these very rules. */
  readonly isJudged: boolean;
}

/** Both objects under the version of the request. */
export function validateCustom(object: KubeObject, old: Before | undefined, how: CustomValidation): StatusCause[] {
  const { schema } = how;
  const findings = [
    ...validateStructure(object, schema, "", old?.object),
    ...checkScale(object, how.scale),
    ...checkEmbedded(object, schema),
    ...checkUniqueness(object, old?.object, schema),
  ];
  const rules = compiledRulesOf(schema);
  if (!rules.isWithin(schema)) return findings;
  // Rules take types, required fields, enums and bounds for granted, so they run only where these hold.
  if (findings.some(({ reason }) => blocksRules.has(reason ?? ""))) return [...findings, rulesSkipped];
  const before = { old: old?.object, isOldJudged: old?.isJudged ?? false };
  return [...findings, ...evaluateRules(rules, schema, object, before).findings];
}

/** An object that has duplicates already may keep them. */
function checkUniqueness(object: KubeObject, old: KubeObject | undefined, schema: Schema): StatusCause[] {
  const findings = checkListUniqueness(object, schema, { known: old });
  if (findings.length === 0 || old === undefined) return findings;
  return checkListUniqueness(old, schema).length > 0 ? [] : findings;
}

const blocksRules: ReadonlySet<string> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);
const rulesSkipped = cause.invalid(
  "<nil>",
  null,
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
);

const maxReplicas = 2 ** 31 - 1;

function checkScale(object: KubeObject, scale: ScalePaths | undefined): StatusCause[] {
  if (scale === undefined) return [];
  const findings = [...checkReplicas(object, scale.spec), ...checkReplicas(object, scale.status)];
  const selector = scale.selector === undefined ? undefined : valueAt(object, scale.selector);
  if (selector !== undefined && typeof selector !== "string")
    findings.push(cause.invalid(`.${scale.selector?.join(".")}`, "", `${notOfType(scale.selector, selector)} string`));
  return findings;
}

function checkReplicas(object: KubeObject, path: readonly string[]): StatusCause[] {
  const value = valueAt(object, path);
  const field = `.${path.join(".")}`;
  if (value === undefined) return [];
  if (typeof value !== "number" || !Number.isInteger(value))
    return [cause.invalid(field, 0, `${notOfType(path, value)} int64`)];
  if (value < 0) return [cause.invalid(field, value, "should be a non-negative integer")];
  return value > maxReplicas ? [cause.invalid(field, value, `should be less than or equal to ${maxReplicas}`)] : [];
}

function notOfType(path: readonly string[] | undefined, value: unknown): string {
  return `.${path?.join(".")} accessor error: ${JSON.stringify(value)} is of the type ${typeof value}, expected`;
}
