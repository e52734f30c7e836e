/** The `variables` of a policy in one evaluation: each is computed when it is first read, and once. */
import type { NamedProgram } from "./compiled-policy.ts";

export class PolicyVariables {}

/** `inputs` gains `variables` itself, for those that read others. */
export function bindVariables(programs: readonly NamedProgram[], inputs: Record<string, unknown>): void {
  const variables = new PolicyVariables();
  inputs.variables = variables;
  for (const { name, run } of programs) {
    let outcome: { readonly value: unknown } | { readonly error: Error } | undefined;
    Object.defineProperty(variables, name, {
      enumerable: true,
      get: () => {
        outcome ??= evaluate(name, () => run(inputs));
        if ("error" in outcome) throw outcome.error;
        return outcome.value;
      },
    });
  }
}

function evaluate(name: string, run: () => unknown): { readonly value: unknown } | { readonly error: Error } {
  try {
    return { value: run() };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { error: new Error(`composited variable ${JSON.stringify(name)} fails to evaluate: ${why}`) };
  }
}
