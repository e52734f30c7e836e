/** Runs a compiled policy on one request and answers what it decides. Pure. */
import { asString } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import { type CompiledPolicy, type CompiledValidation, compiledPolicyOf } from "./compiled-policy.ts";
import { bindVariables } from "./policy-variables.ts";

export interface Denial {
  readonly message: string;
  /** Absent where an expression failed rather than said no. */
  readonly reason?: string;
  readonly expressionIndex: number;
}

export interface PolicyOutcome {
  readonly denials: readonly Denial[];
  readonly auditAnnotations: ReadonlyArray<readonly [key: string, value: string]>;
}

const nothing: PolicyOutcome = { denials: [], auditAnnotations: [] };

/** `inputs` are the expression's variables; they are not changed. */
export function evaluatePolicy(policy: KubeObject, inputs: Readonly<Record<string, unknown>>): PolicyOutcome {
  const compiled = compiledPolicyOf(policy);
  const fails = specOf(policy).failurePolicy !== "Ignore";
  const onError = (message: string, expressionIndex = 0): Denial[] => (fails ? [{ message, expressionIndex }] : []);
  const [problem] = compiled.problems;
  if (problem !== undefined) return { ...nothing, denials: onError(problem.detail) };
  const matched = matchConditions(compiled, inputs);
  if (typeof matched === "string") return { ...nothing, denials: onError(matched) };
  if (!matched) return nothing;
  const variables: Record<string, unknown> = { ...inputs };
  bindVariables(compiled.variables, variables);
  const denials = compiled.validations.flatMap((validation, index) => validate(validation, variables, index, onError));
  return annotate(compiled, variables, onError, denials);
}

function annotate(
  compiled: CompiledPolicy,
  variables: Record<string, unknown>,
  onError: (message: string) => Denial[],
  denials: readonly Denial[],
): PolicyOutcome {
  const auditAnnotations: Array<readonly [string, string]> = [];
  const failures: Denial[] = [];
  for (const { name, source, run } of compiled.auditAnnotations) {
    try {
      const value = run(variables);
      if (typeof value === "string" && value.trim() !== "") auditAnnotations.push([name, value.trim()]);
    } catch (error) {
      failures.push(...onError(wordFailure(source, error)));
    }
  }
  return { denials: [...denials, ...failures], auditAnnotations };
}

/** Any condition that says no settles it; only then may another have failed. Answers the errors where they decide. */
function matchConditions(compiled: CompiledPolicy, inputs: Readonly<Record<string, unknown>>): boolean | string {
  const errors: string[] = [];
  for (const { source, run } of compiled.matchConditions) {
    try {
      if (run(inputs) !== true) return false;
    } catch (error) {
      errors.push(wordFailure(source, error));
    }
  }
  if (errors.length === 0) return true;
  return errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`;
}

function validate(
  validation: CompiledValidation,
  variables: Record<string, unknown>,
  index: number,
  onError: (message: string, index: number) => Denial[],
): Denial[] {
  try {
    if (validation.run(variables) === true) return [];
  } catch (error) {
    return onError(wordFailure(validation.source, error), index);
  }
  return [{ message: messageOf(validation, variables), reason: validation.reason, expressionIndex: index }];
}

function wordFailure(source: string, error: unknown): string {
  return `expression '${source}' resulted in error: ${error instanceof Error ? error.message : String(error)}`;
}

const maxMessageBytes = 5 * 1024;

function messageOf(validation: CompiledValidation, variables: Record<string, unknown>): string {
  const fixed = validation.message.trim() || `failed expression: ${validation.source.trim()}`;
  if (validation.messageExpression === undefined) return fixed;
  try {
    const text = asString(validation.messageExpression(variables)).trim();
    return text === "" || text.includes("\n") || Buffer.byteLength(text) > maxMessageBytes ? fixed : text;
  } catch {
    // Kubernetes falls back to the fixed message too.
    return fixed;
  }
}
