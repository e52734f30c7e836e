/**
 * Runs the validation rules of a schema on an object and words the findings as Kubernetes does. Transition rules run
 * where the old value can be found; a rule that fails on a part that did not change only warns (ratcheting). Pure.
 */
import { Optional } from "@marcbachmann/cel-js";
import { deepEqual, isObject } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";
import type { CompiledRule, CompiledRules, NodeRules } from "./compiled-rules.ts";
import { correlateItem } from "./list-keys.ts";
import { childSchemaOf } from "./prune.ts";
import type { Schema, ValidationRule } from "./schema.ts";

export interface RuleFindings {
  readonly findings: StatusCause[];
  readonly warnings: StatusCause[];
}

export interface RuleHistory {
  readonly old: unknown;
  /** These very rules have judged `old` before: of parts that did not change only transition rules have anything to say. */
  readonly isOldJudged: boolean;
}

interface Place {
  readonly value: unknown;
  readonly old: unknown;
  readonly schema: Schema;
  readonly path: string;
  /** The nearest part that has a counterpart in the old object equals it. */
  readonly unchanged: boolean;
}

export function evaluateRules(
  rules: CompiledRules,
  schema: Schema,
  value: unknown,
  { old, isOldJudged }: RuleHistory,
): RuleFindings {
  const evaluation = new Evaluation(rules, isOldJudged);
  evaluation.visit({ value, old, schema, path: "", unchanged: false });
  return evaluation;
}

class Evaluation implements RuleFindings {
  readonly findings: StatusCause[] = [];
  readonly warnings: StatusCause[] = [];
  readonly #rules: CompiledRules;
  readonly #isOldJudged: boolean;

  constructor(rules: CompiledRules, isOldJudged: boolean) {
    this.#rules = rules;
    this.#isOldJudged = isOldJudged;
  }

  visit(at: Place): void {
    const { value, old, schema } = at;
    if (value === undefined || value === null || !this.#rules.isWithin(schema)) return;
    const place = old === undefined ? at : { ...at, unchanged: at.unchanged || deepEqual(value, old) };
    const isJudged = this.#isOldJudged && place.unchanged;
    if (isJudged && !this.#rules.readsOldWithin(schema)) return;
    const node = this.#rules.of(schema);
    if (node !== undefined) this.#evaluate(node, place);
    if (Array.isArray(value)) this.#visitItems(value, place);
    else if (isObject(value)) this.#visitFields(value, place);
  }

  #visitFields(value: Record<string, unknown>, at: Place): void {
    for (const [name, child] of Object.entries(value)) {
      const schema = childSchemaOf(at.schema, name);
      if (schema === undefined) continue;
      const old = isObject(at.old) && Object.hasOwn(at.old, name) ? at.old[name] : undefined;
      this.visit({ value: child, old, schema, path: pathOfField(at, name), unchanged: at.unchanged });
    }
  }

  #visitItems(value: readonly unknown[], at: Place): void {
    const schema = at.schema.items;
    if (schema === undefined || !this.#rules.isWithin(schema)) return;
    for (const [index, item] of value.entries()) {
      const old = Array.isArray(at.old) ? correlateItem(item, at.old, at.schema) : undefined;
      this.visit({ value: item, old, schema, path: `${at.path}[${index}]`, unchanged: at.unchanged });
    }
  }

  #evaluate(node: NodeRules, at: Place): void {
    const hasOld = at.old !== undefined && at.old !== null;
    const isJudged = this.#isOldJudged && at.unchanged;
    const runs = (rule: CompiledRule) => (rule.readsOld ? hasOld || rule.rule.optionalOldSelf === true : !isJudged);
    const due = node.rules.filter((rule) => rule !== undefined && runs(rule)) as CompiledRule[];
    if (due.length === 0) return;
    // The very same value before and after, which no rule had anything against: neither has it now.
    const isKept = isJudged && isObject(at.value) && at.value === at.old;
    if (isKept && node.keptWithoutFindings.has(at.value as object)) return;
    const self = node.binding.toCel(at.value);
    const oldSelf = hasOld && due.some((rule) => rule.readsOld) ? node.binding.toCel(at.old) : undefined;
    const before = this.findings.length;
    for (const rule of due) this.#evaluateRule(rule, { self, oldSelf }, at);
    if (isKept && this.findings.length === before) node.keptWithoutFindings.add(at.value as object);
  }

  #evaluateRule(compiled: CompiledRule, { self, oldSelf }: { self: unknown; oldSelf: unknown }, at: Place): void {
    const isOptional = compiled.rule.optionalOldSelf === true;
    const variables = { self, oldSelf: isOptional ? Optional.of(oldSelf) : oldSelf };
    try {
      if (compiled.run(variables) === true) return;
    } catch (error) {
      this.findings.push(cause.invalid(shownPath(at.path), at.schema.type ?? "", runtimeDetail(error, compiled.rule)));
      return;
    }
    const finding = ruleFinding(compiled, at, messageOf(compiled, variables));
    if (!compiled.readsOld && at.unchanged) this.warnings.push(finding);
    else this.findings.push(finding);
  }
}

function pathOfField({ path, schema }: Place, name: string): string {
  const isProperty = schema.properties !== undefined && Object.hasOwn(schema.properties, name);
  if (!isProperty) return `${path}[${name}]`;
  return path === "" ? name : `${path}.${name}`;
}

/** The path of the whole object is written so by Kubernetes. */
function shownPath(path: string): string {
  return path === "" ? "<nil>" : path;
}

function shownRule(rule: ValidationRule): string {
  return (rule.message ?? "") === "" ? rule.rule.trim() : (rule.message ?? "").trim();
}

function runtimeDetail(error: unknown, rule: ValidationRule): string {
  const why = error instanceof Error ? error.message : String(error);
  if (why.startsWith("no such overload"))
    return `'${why}': call arguments did not match a supported operator, function or macro signature for rule: ${shownRule(rule)}`;
  return `${why} evaluating rule: ${shownRule(rule)}`;
}

const maxMessageBytes = 5 * 1024;

/** The fixed message stands in where the expression fails, is empty, has line breaks or is too long. */
function messageOf(compiled: CompiledRule, variables: Record<string, unknown>): string {
  const { rule } = compiled;
  const fallback = (rule.message ?? "") === "" ? `failed rule: ${shownRule(rule)}` : shownRule(rule);
  if (compiled.message === undefined) return fallback;
  try {
    const text = String(compiled.message(variables)).trim();
    const isFit = text !== "" && !text.includes("\n") && Buffer.byteLength(text) <= maxMessageBytes;
    return isFit ? text : fallback;
  } catch {
    return fallback;
  }
}

function ruleFinding({ rule, fieldPath }: CompiledRule, at: Place, message: string): StatusCause {
  const path = shownPath(`${at.path}${fieldPath}`.replace(/^\./, ""));
  if (rule.reason === "FieldValueRequired") return cause.required(path, message);
  if (rule.reason === "FieldValueForbidden") return cause.forbidden(path, message);
  const isWhole = at.schema.type === "object" || at.schema.type === "array";
  if (rule.reason === "FieldValueDuplicate")
    return isWhole ? { ...cause.duplicate(path, ""), message: "Duplicate value" } : cause.duplicate(path, at.value);
  return isWhole ? cause.invalidWhole(path, message) : cause.invalid(path, at.value, message);
}
