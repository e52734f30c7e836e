/** The expressions of one ValidatingAdmissionPolicy, compiled once. What is wrong with them is found here too. */
import type { Environment } from "@marcbachmann/cel-js";
import { CelCompileError, compileExpression, type Program } from "../../cel/compile.ts";
import { asArray, asObject, asString, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import { policyEnvironment } from "./policy-environment.ts";
import { PolicyVariables } from "./policy-variables.ts";

export interface NamedProgram {
  readonly name: string;
  readonly source: string;
  readonly run: Program["run"];
}

export interface CompiledValidation {
  readonly source: string;
  readonly run: Program["run"];
  readonly message: string;
  readonly messageExpression: Program["run"] | undefined;
  readonly reason: string;
}

export interface PolicyProblem {
  readonly field: string;
  readonly expression: string;
  readonly detail: string;
}

export interface CompiledPolicy {
  readonly matchConditions: readonly NamedProgram[];
  readonly variables: readonly NamedProgram[];
  readonly validations: readonly CompiledValidation[];
  readonly auditAnnotations: readonly NamedProgram[];
  readonly problems: readonly PolicyProblem[];
}

/** Stored policies are never changed in place, so that their programs live as long as they do. */
const compiled = new WeakMap<KubeObject, CompiledPolicy>();

export function compiledPolicyOf(policy: KubeObject): CompiledPolicy {
  let known = compiled.get(policy);
  if (known === undefined) {
    known = new PolicyCompilation(specOf(policy)).result();
    compiled.set(policy, known);
  }
  return known;
}

class PolicyCompilation {
  readonly #spec: JsonObject;
  readonly #problems: PolicyProblem[] = [];
  readonly #hasParams: boolean;
  #variableTypes: Record<string, string> = {};

  constructor(spec: JsonObject) {
    this.#spec = spec;
    this.#hasParams = spec.paramKind !== undefined;
  }

  result(): CompiledPolicy {
    const matchConditions = this.#compileNamed("matchConditions", "expression", this.#plain(true), ["bool"]);
    const variables = this.#compileVariables();
    const checks = this.#composed(true);
    const validations = asArray(this.#spec.validations).flatMap((item, index) =>
      this.#compileValidation(asObject(item), index, checks),
    );
    const auditAnnotations = this.#compileNamed("auditAnnotations", "valueExpression", checks, ["string", "null"]);
    return { matchConditions, variables, validations, auditAnnotations, problems: this.#problems };
  }

  #plain(hasAuthorizer: boolean): Environment {
    return policyEnvironment({ hasParams: this.#hasParams, hasAuthorizer }).environment;
  }

  /** With the variables compiled so far. */
  #composed(hasAuthorizer: boolean): Environment {
    if (asArray(this.#spec.variables).length === 0) return this.#plain(hasAuthorizer);
    return this.#plain(hasAuthorizer)
      .clone()
      .registerType("kubernetes.variables", { ctor: PolicyVariables, fields: this.#variableTypes })
      .registerVariable("variables", "kubernetes.variables");
  }

  #compileVariables(): NamedProgram[] {
    return asArray(this.#spec.variables).flatMap((item, index) => {
      const { name, expression } = asObject(item);
      const program = this.#attempt(`variables[${index}].expression`, asString(expression), this.#composed(true));
      if (program === undefined) return [];
      this.#variableTypes = { ...this.#variableTypes, [asString(name)]: program.type };
      return [{ name: asString(name), source: asString(expression), run: program.run }];
    });
  }

  #compileNamed(list: string, field: string, environment: Environment, types: readonly string[]): NamedProgram[] {
    return asArray(this.#spec[list]).flatMap((item, index) => {
      const source = asString(asObject(item)[field]);
      const name = asString(asObject(item).name) || asString(asObject(item).key);
      const program = this.#attempt(`${list}[${index}].${field}`, source, environment, types);
      return program === undefined ? [] : [{ name, source, run: program.run }];
    });
  }

  #compileValidation(item: JsonObject, index: number, environment: Environment): CompiledValidation[] {
    const source = asString(item.expression);
    const program = this.#attempt(`validations[${index}].expression`, source, environment, ["bool"]);
    const text = asString(item.messageExpression);
    const where = `validations[${index}].messageExpression`;
    const message = text.trim() === "" ? undefined : this.#attempt(where, text, this.#composed(false), ["string"]);
    if (program === undefined) return [];
    const reason = asString(item.reason) || "Invalid";
    return [{ source, run: program.run, message: asString(item.message), messageExpression: message?.run, reason }];
  }

  #attempt(
    field: string,
    expression: string,
    environment: Environment,
    types?: readonly string[],
  ): Program | undefined {
    if (expression.trim() === "") return undefined;
    try {
      const program = compileExpression(environment, expression);
      if (types === undefined || program.type === "dyn" || types.includes(program.type)) return program;
      const wanted =
        types.length === 1
          ? types[0]
          : `one of [${types.map((type) => (type === "null" ? "null_type" : type)).join(" ")}]`;
      this.#problems.push({ field, expression, detail: `must evaluate to ${wanted} but got ${program.type}` });
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error;
      this.#problems.push({ field, expression, detail: `compilation failed: ${error.message}` });
    }
    return undefined;
  }
}
