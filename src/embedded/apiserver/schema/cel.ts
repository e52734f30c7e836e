/**
 * `x-kubernetes-validations`: compiles the CEL rules of a schema once and evaluates them on objects. Rules that read
 * `oldSelf` run on updates only, where the old value can be found. Pure.
 */
import { Environment, Optional, type ParseResult } from "@marcbachmann/cel-js";
import { deepEqual, isObject } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";
import { registerKubernetesLibrary } from "./cel-library.ts";
import { toCelValue } from "./cel-values.ts";
import { correlateItem } from "./list-keys.ts";
import { childSchemaOf } from "./prune.ts";
import type { Schema, ValidationRule } from "./schema.ts";
import { fieldPath, typeName } from "./validate.ts";

const environment = registerKubernetesLibrary(
  new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
    .registerVariable("self", "dyn")
    .registerVariable("oldSelf", "dyn"),
);

interface CompiledRule {
  readonly rule: ValidationRule;
  readonly run: ParseResult;
  readonly message: ParseResult | undefined;
  readonly readsOld: boolean;
}

/** Rules are compiled once per schema node; nodes live as long as their definition. */
const compiled = new WeakMap<Schema, readonly CompiledRule[]>();

/** Throws what the CEL engine says of a rule that does not compile. */
export function compileRules(schema: Schema): readonly CompiledRule[] {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const rules = (schema["x-kubernetes-validations"] ?? []).map(compileRule);
  compiled.set(schema, rules);
  return rules;
}

function compileRule(rule: ValidationRule): CompiledRule {
  const run = compileExpression(rule.rule, "bool");
  const message =
    rule.messageExpression === undefined ? undefined : compileExpression(rule.messageExpression, "string");
  return { rule, run, message, readsOld: /\boldSelf\b/.test(rule.rule) };
}

function compileExpression(expression: string, wanted: string): ParseResult {
  const parsed = environment.parse(expression);
  const check = parsed.check();
  if (!check.valid) throw check.error ?? new Error("the expression does not type-check");
  if (check.type !== wanted && check.type !== "dyn")
    throw new Error(`cel expression must evaluate to a ${wanted}, got ${check.type}`);
  return parsed;
}

export interface Evaluation {
  readonly value: unknown;
  readonly old: unknown;
  readonly schema: Schema;
  readonly path: string;
}

/** All findings of the rules at and below a node. */
export function evaluateRules(evaluation: Evaluation): StatusCause[] {
  if (!hasRules(evaluation.schema)) return [];
  const { value } = evaluation;
  if (value === undefined || value === null) return [];
  const findings = evaluateNode(evaluation);
  if (Array.isArray(value)) findings.push(...evaluateItems(value, evaluation));
  else if (isObject(value)) findings.push(...evaluateFields(value, evaluation));
  return findings;
}

function evaluateFields(value: Record<string, unknown>, at: Evaluation): StatusCause[] {
  return Object.entries(value).flatMap(([name, child]) => {
    const schema = childSchemaOf(at.schema, name);
    const old = isObject(at.old) && Object.hasOwn(at.old, name) ? at.old[name] : undefined;
    return schema === undefined ? [] : evaluateRules({ value: child, old, schema, path: rulePath(at, name) });
  });
}

/** Findings of rules name map entries in brackets; those of the structure, with a dot. */
function rulePath({ path, schema }: Evaluation, name: string): string {
  const isProperty = schema.properties !== undefined && Object.hasOwn(schema.properties, name);
  return isProperty ? fieldPath(path, name, schema) : `${path}[${name}]`;
}

function evaluateItems(value: readonly unknown[], at: Evaluation): StatusCause[] {
  const schema = at.schema.items ?? {};
  return value.flatMap((item, index) => {
    const old = Array.isArray(at.old) ? correlateItem(item, at.old, at.schema) : undefined;
    return evaluateRules({ value: item, old, schema, path: `${at.path}[${index}]` });
  });
}

function evaluateNode(at: Evaluation): StatusCause[] {
  const rules = compileRules(at.schema);
  if (rules.length === 0) return [];
  const unchanged = at.old !== undefined && deepEqual(at.value, at.old);
  const self = toCelValue(at.value, at.schema);
  const oldSelf = at.old === undefined || at.old === null ? undefined : toCelValue(at.old, at.schema);
  const findings: StatusCause[] = [];
  for (const rule of rules) {
    if (rule.readsOld ? oldSelf === undefined && rule.rule.optionalOldSelf !== true : unchanged) continue;
    const finding = evaluateRule(rule, { self, oldSelf }, at);
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

interface Variables {
  readonly self: unknown;
  readonly oldSelf: unknown;
}

function evaluateRule(compiledRule: CompiledRule, variables: Variables, at: Evaluation): StatusCause | undefined {
  const { rule } = compiledRule;
  const old = variables.oldSelf;
  const optionalOld = old === undefined ? Optional.none() : Optional.of(old);
  const context = { self: variables.self, oldSelf: rule.optionalOldSelf === true ? optionalOld : old };
  try {
    if (compiledRule.run(context) === true) return undefined;
    return ruleFinding(rule, at, messageOf(compiledRule, context));
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return cause.invalid(
      pathOf(rule, at),
      typeName(at.value),
      `rule evaluation error: ${why} evaluating rule: ${rule.message ?? rule.rule}`,
    );
  }
}

function messageOf(compiledRule: CompiledRule, context: Record<string, unknown>): string {
  const fallback = compiledRule.rule.message ?? `failed rule: ${compiledRule.rule.rule}`;
  if (compiledRule.message === undefined) return fallback;
  try {
    const text: unknown = compiledRule.message(context);
    return typeof text === "string" && text.trim() !== "" ? text : fallback;
  } catch {
    // Kubernetes falls back to the fixed message when the expression fails.
    return fallback;
  }
}

function pathOf(rule: ValidationRule, at: Evaluation): string {
  return `${at.path}${rule.fieldPath ?? ""}`.replace(/^\./, "");
}

function ruleFinding(rule: ValidationRule, at: Evaluation, message: string): StatusCause {
  const path = pathOf(rule, at);
  if (rule.reason === "FieldValueRequired") return cause.required(path, message);
  if (rule.reason === "FieldValueForbidden") return cause.forbidden(path, message);
  if (rule.reason === "FieldValueDuplicate") return cause.duplicate(path, typeName(at.value));
  const isWhole = typeof at.value === "object";
  return isWhole ? cause.invalidWhole(path, message) : cause.invalid(path, at.value, message);
}

const withRules = new WeakMap<Schema, boolean>();

/** Whether a node or anything below it has rules, so that whole subtrees without any are skipped. */
export function hasRules(schema: Schema): boolean {
  const known = withRules.get(schema);
  if (known !== undefined) return known;
  withRules.set(schema, false);
  const children = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const found =
    (schema["x-kubernetes-validations"] ?? []).length > 0 ||
    children.some((child) => typeof child === "object" && hasRules(child));
  withRules.set(schema, found);
  return found;
}
