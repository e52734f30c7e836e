/**
 * Comprehensions of two variables (key or index, and value) and the optional macros that the engine does not bring.
 * Registered by `environment.ts`.
 */
import { type Environment, Optional } from "@marcbachmann/cel-js";
import type { CelChecker, CelEvaluator, CelMacro, CelNode, CelScope, CelType, MacroCall } from "./engine.ts";

interface Loop {
  readonly range: CelNode;
  readonly names: readonly [string, string];
  readonly filter: CelNode | undefined;
  readonly body: CelNode;
  scopes?: readonly [CelScope, CelScope];
}

interface LoopKind {
  readonly type: (checker: CelChecker, range: CelType, body: CelType) => CelType;
  /** From each element's outcome, in order. An outcome may be the error of its evaluation. */
  readonly run: (outcomes: Iterable<Outcome>) => unknown;
}

interface Outcome {
  readonly key: unknown;
  readonly value: unknown;
  readonly error?: unknown;
}

export function registerComprehensions(environment: Environment): void {
  const register = (signature: string, build: (call: MacroCall) => object) =>
    environment.registerFunction(signature, build as never);
  for (const [name, kind] of Object.entries(quantifiers))
    register(`list.${name}(ast, ast, ast): bool`, loopMacro(kind, false));
  register("list.transformList(ast, ast, ast): list", loopMacro(toList, false));
  register("list.transformList(ast, ast, ast, ast): list", loopMacro(toList, true));
  register("list.transformMap(ast, ast, ast): map", loopMacro(toMap, false));
  register("list.transformMap(ast, ast, ast, ast): map", loopMacro(toMap, true));
  register("list.transformMapEntry(ast, ast, ast): map", loopMacro(toEntries, false));
  register("list.transformMapEntry(ast, ast, ast, ast): map", loopMacro(toEntries, true));
  register("optional.optMap(ast, ast): optional", optionalMacro(false));
  register("optional.optFlatMap(ast, ast): optional", optionalMacro(true));
}

function nameOf(node: CelNode | undefined): string {
  if (node?.op === "id" && typeof node.args === "string") return node.args;
  throw new Error("argument must be a simple name");
}

function loopMacro(kind: LoopKind, hasFilter: boolean) {
  return ({ args, receiver }: MacroCall): CelMacro & Loop => ({
    range: receiver,
    names: [nameOf(args[0]), nameOf(args[1])],
    filter: hasFilter ? args[2] : undefined,
    body: args[hasFilter ? 3 : 2] as CelNode,
    typeCheck: (checker: CelChecker, loop: Loop, scope: CelScope) => checkLoop(kind, { checker, loop, scope }),
    evaluate: (evaluator: CelEvaluator, loop: Loop, scope: CelScope) => kind.run(outcomesOf(evaluator, loop, scope)),
  });
}

interface LoopCheck {
  readonly checker: CelChecker;
  readonly loop: Loop;
  readonly scope: CelScope;
}

function checkLoop(kind: LoopKind, { checker, loop, scope }: LoopCheck): CelType {
  const range = checker.check(loop.range, scope);
  const dyn = checker.getType("dyn");
  const keyType = range.kind === "list" ? checker.getType("int") : (range.keyType ?? dyn);
  const outer = scope.forkWithVariable(loop.names[0], keyType);
  const inner = outer.forkWithVariable(loop.names[1], range.valueType ?? dyn);
  loop.scopes = [outer, inner];
  if (loop.filter !== undefined) checker.check(loop.filter, inner);
  return kind.type(checker, range, checker.check(loop.body, inner));
}

function* outcomesOf(evaluator: CelEvaluator, loop: Loop, scope: CelScope): Generator<Outcome> {
  const [outer, inner] = loop.scopes ?? [];
  if (outer === undefined || inner === undefined) throw new Error("a comprehension ran before it was type-checked");
  for (const [key, item] of entriesOf(evaluator.run(loop.range, scope))) {
    const bound = inner.reuse(outer.reuse(scope).setIterValue(key, evaluator)).setIterValue(item, evaluator);
    if (loop.filter !== undefined && evaluator.run(loop.filter, bound) !== true) continue;
    yield attempt(key, () => evaluator.run(loop.body, bound));
  }
}

function attempt(key: unknown, run: () => unknown): Outcome {
  try {
    return { key, value: run() };
  } catch (error) {
    return { key, value: undefined, error };
  }
}

function entriesOf(range: unknown): Iterable<readonly [unknown, unknown]> {
  if (Array.isArray(range)) return range.map((item, index) => [BigInt(index), item] as const);
  if (range instanceof Map) return range.entries();
  if (typeof range === "object" && range !== null) return Object.entries(range);
  throw new Error("the range of a comprehension must be a list or a map");
}

const isBool: LoopKind["type"] = (checker) => checker.getType("bool");

/** Stops at the deciding value; an error counts only when nothing decides. */
function decide(outcomes: Iterable<Outcome>, deciding: boolean): boolean {
  let failed: Outcome | undefined;
  for (const outcome of outcomes) {
    if (outcome.error !== undefined) failed ??= outcome;
    else if (outcome.value === deciding) return deciding;
  }
  if (failed !== undefined) throw failed.error;
  return !deciding;
}

function countTrue(outcomes: Iterable<Outcome>): number {
  return results(outcomes).filter(({ value }) => value === true).length;
}

function results(outcomes: Iterable<Outcome>): Outcome[] {
  return [...outcomes].map((outcome) => {
    if (outcome.error !== undefined) throw outcome.error;
    return outcome;
  });
}

const quantifiers: Readonly<Record<string, LoopKind>> = {
  all: { type: isBool, run: (outcomes) => decide(outcomes, false) },
  exists: { type: isBool, run: (outcomes) => decide(outcomes, true) },
  existsOne: { type: isBool, run: (outcomes) => countTrue(outcomes) === 1 },
  exists_one: { type: isBool, run: (outcomes) => countTrue(outcomes) === 1 },
};

const toList: LoopKind = {
  type: (checker, _range, body) => checker.registry.getListType(body),
  run: (outcomes) => results(outcomes).map(({ value }) => value),
};

const toMap: LoopKind = {
  type: (checker, range, body) =>
    checker.registry.getMapType(
      range.kind === "list" ? checker.getType("int") : (range.keyType ?? checker.getType("dyn")),
      body,
    ),
  run: (outcomes) => new Map(results(outcomes).map(({ key, value }) => [key, value])),
};

const toEntries: LoopKind = {
  type: (_checker, _range, body) => body,
  run: (outcomes) => {
    const merged = new Map<unknown, unknown>();
    for (const { value } of results(outcomes)) {
      for (const [key, item] of entriesOf(value)) {
        if (merged.has(key)) throw new Error(`insert failed: key ${String(key)} already exists`);
        merged.set(key, item);
      }
    }
    return merged;
  },
};

interface OptionalUse {
  readonly receiver: CelNode;
  readonly name: string;
  readonly body: CelNode;
  scope?: CelScope;
}

function optionalMacro(flat: boolean) {
  return ({ args, receiver }: MacroCall): CelMacro & OptionalUse => ({
    receiver,
    name: nameOf(args[0]),
    body: args[1] as CelNode,
    typeCheck: (checker: CelChecker, use: OptionalUse, scope: CelScope) => {
      const type = checker.check(use.receiver, scope);
      use.scope = scope.forkWithVariable(use.name, type.valueType ?? checker.getType("dyn"));
      const body = checker.check(use.body, use.scope);
      return flat ? body : checker.getType(`optional<${body.name}>`);
    },
    evaluate: (evaluator: CelEvaluator, use: OptionalUse, scope: CelScope) => {
      const optional = evaluator.run(use.receiver, scope);
      if (!(optional instanceof Optional)) throw new Error("no such overload");
      if (!optional.hasValue() || use.scope === undefined) return Optional.none();
      const value = evaluator.run(use.body, use.scope.reuse(scope).setIterValue(optional.value(), evaluator));
      return flat ? value : Optional.of(value);
    },
  });
}
