/**
 * The `x-kubernetes-validations` of one schema, compiled against its types: every rule once, when the definition is
 * checked or served. `evaluate-rules.ts` runs them.
 */
import type { Environment } from "@marcbachmann/cel-js";
import { CelCompileError, compileExpression, type Program } from "../cel/compile.ts";
import { kubernetesEnvironment } from "../cel/environment.ts";
import { type CelBinding, SchemaTypes } from "../cel/schema-types.ts";
import { checkFieldPath } from "./field-path.ts";
import type { Schema, ValidationRule } from "./schema.ts";

export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly run: Program["run"];
  readonly message: Program["run"] | undefined;
  readonly readsOld: boolean;
  /** `fieldPath` as findings append it; empty where the rule has none. */
  readonly fieldPath: string;
}

/** What is wrong with one expression of a rule; `field` is where in the rule. */
export interface RuleProblem {
  readonly index: number;
  readonly field: "rule" | "messageExpression";
  readonly detail: string;
}

export interface NodeRules {
  readonly binding: CelBinding;
  /** Undefined where the rule does not compile. */
  readonly rules: ReadonlyArray<CompiledRule | undefined>;
  readonly problems: readonly RuleProblem[];
  /** Values that, left as they are, no rule had anything against. */
  readonly keptWithoutFindings: WeakSet<object>;
}

export class CompiledRules {
  readonly #nodes = new Map<Schema, NodeRules>();
  readonly #within = new Map<Schema, boolean>();
  readonly #readsOldWithin = new Map<Schema, boolean>();

  constructor(root: Schema) {
    const withRules = nodesWithRules(root);
    if (withRules.length === 0) return;
    const environment = kubernetesEnvironment();
    const types = new SchemaTypes(environment);
    types.bind(root, "self", true);
    // Every type is declared before the first clone, which freezes the environment.
    const bound = withRules.map((schema) => ({ schema, binding: types.bind(schema, "self", isResource(schema)) }));
    for (const { schema, binding } of bound) this.#nodes.set(schema, compileNode(environment, schema, binding));
  }

  of(schema: Schema): NodeRules | undefined {
    return this.#nodes.get(schema);
  }

  /** Whether the schema or anything below it has rules, so that whole subtrees without any are skipped. */
  isWithin(schema: Schema): boolean {
    const known = this.#within.get(schema);
    if (known !== undefined) return known;
    const found = this.#nodes.has(schema) || childrenOf(schema).some((child) => this.isWithin(child));
    this.#within.set(schema, found);
    return found;
  }

  /** Whether a transition rule is at the schema or anywhere below it. */
  readsOldWithin(schema: Schema): boolean {
    const known = this.#readsOldWithin.get(schema);
    if (known !== undefined) return known;
    const own = this.#nodes.get(schema)?.rules.some((rule) => rule?.readsOld === true) === true;
    const found = own || childrenOf(schema).some((child) => this.readsOldWithin(child));
    this.#readsOldWithin.set(schema, found);
    return found;
  }
}

const byRoot = new WeakMap<Schema, CompiledRules>();

export function compiledRulesOf(root: Schema): CompiledRules {
  let rules = byRoot.get(root);
  if (rules === undefined) {
    rules = new CompiledRules(root);
    byRoot.set(root, rules);
  }
  return rules;
}

const isResource = (schema: Schema) => schema["x-kubernetes-embedded-resource"] === true;

function childrenOf(schema: Schema): Schema[] {
  const children = Object.values(schema.properties ?? {});
  if (schema.items !== undefined) children.push(schema.items);
  if (typeof schema.additionalProperties === "object") children.push(schema.additionalProperties);
  return children;
}

function nodesWithRules(schema: Schema): Schema[] {
  const own = (schema["x-kubernetes-validations"] ?? []).length > 0 ? [schema] : [];
  return [...own, ...childrenOf(schema).flatMap(nodesWithRules)];
}

function compileNode(environment: Environment, schema: Schema, binding: CelBinding): NodeRules {
  const problems: RuleProblem[] = [];
  const environments = new RuleEnvironments(environment, binding.type ?? "dyn");
  const rules = (schema["x-kubernetes-validations"] ?? []).map((rule, index) =>
    compileRule(schema, rule, {
      environment: environments.of(rule.optionalOldSelf === true),
      report: (field, detail) => problems.push({ index, field, detail }),
    }),
  );
  return { binding, rules, problems, keptWithoutFindings: new WeakSet() };
}

/** `oldSelf` is optional for the rules that ask for it. */
class RuleEnvironments {
  readonly #base: Environment;
  readonly #type: string;
  readonly #made = new Map<boolean, Environment>();

  constructor(base: Environment, type: string) {
    this.#base = base;
    this.#type = type;
  }

  of(hasOptionalOld: boolean): Environment {
    let environment = this.#made.get(hasOptionalOld);
    if (environment === undefined) {
      environment = this.#base
        .clone()
        .registerVariable("self", this.#type)
        .registerVariable("oldSelf", hasOptionalOld ? `optional<${this.#type}>` : this.#type);
      this.#made.set(hasOptionalOld, environment);
    }
    return environment;
  }
}

interface RuleCompilation {
  readonly environment: Environment;
  readonly report: (field: RuleProblem["field"], detail: string) => void;
}

function compileRule(schema: Schema, rule: ValidationRule, how: RuleCompilation): CompiledRule | undefined {
  if (rule.rule.trim() === "") return undefined;
  const program = attempt(how, rule.rule, ruleField);
  if (program === undefined) return undefined;
  const expression = rule.messageExpression ?? "";
  const message = expression.trim() === "" ? undefined : attempt(how, expression, messageField);
  const found = rule.fieldPath === undefined ? undefined : checkFieldPath(rule.fieldPath, schema);
  return {
    rule,
    run: program.run,
    message: message?.run,
    readsOld: program.names.has("oldSelf"),
    fieldPath: found?.path ?? "",
  };
}

const ruleField = {
  field: "rule",
  type: "bool",
  prefix: "compilation failed: ",
  wrongType: "cel expression must evaluate to a bool",
} as const;
const messageField = {
  field: "messageExpression",
  type: "string",
  prefix: "messageExpression compilation failed: ",
  wrongType: "messageExpression must evaluate to a string",
} as const;

function attempt(
  how: RuleCompilation,
  expression: string,
  as: typeof ruleField | typeof messageField,
): Program | undefined {
  try {
    const program = compileExpression(how.environment, expression);
    if (program.type === as.type || program.type === "dyn") return program;
    how.report(as.field, as.wrongType);
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    how.report(as.field, `${as.prefix}${error.message}`);
  }
  return undefined;
}
