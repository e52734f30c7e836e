/**
 * `has()` as CEL defines it: the operand is type-checked like any access, may hang on any expression, and only the last
 * field may be absent. The engine's own macro checks nothing but the first name. Mutates the parsed tree.
 */
import { Optional } from "@marcbachmann/cel-js";
import type { CelChecker, CelEvaluator, CelNode, CelScope, CelType } from "./engine.ts";
import { walkNodes } from "./engine.ts";

interface HasMacro {
  readonly args: readonly CelNode[];
}

export function mendPresenceTests(tree: unknown): void {
  for (const node of walkNodes(tree)) {
    const isCall = node.op === "call" && Array.isArray(node.args) && node.args[0] === "has";
    const macro = isCall ? node.meta?.macro : undefined;
    if (macro === undefined) continue;
    macro.typeCheck = checkPresence;
    macro.evaluate = testPresence;
  }
}

function checkPresence(checker: CelChecker, macro: HasMacro, scope: CelScope): CelType {
  const field = operandOf(macro);
  if (field === undefined || !isSelection(field))
    throw checker.createError("invalid_macro_argument", "invalid argument to has() macro", field as CelNode);
  checker.check(field, scope);
  return checker.getType("bool");
}

function operandOf(macro: HasMacro): CelNode | undefined {
  return macro.args[0];
}

function isSelection(node: CelNode): boolean {
  return node.op === "." || node.op === ".?";
}

function testPresence(evaluator: CelEvaluator, macro: HasMacro, scope: CelScope): boolean {
  const [operand, name] = (operandOf(macro) as CelNode).args as [CelNode, string];
  return hasField(evaluator.run(operand, scope), name);
}

function hasField(value: unknown, name: string): boolean {
  if (value instanceof Optional) return value.hasValue() && hasField(value.value(), name);
  if (value instanceof Map) return value.has(name);
  if (typeof value !== "object" || value === null) throw new Error("no such overload");
  return Object.hasOwn(value, name) && (value as Record<string, unknown>)[name] !== undefined;
}
