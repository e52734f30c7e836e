/**
 * The part of the CEL engine that macros and operators are given. The engine's own declarations leave these untyped;
 * everything of ours that reaches into its syntax tree does so through these shapes.
 */
export interface CelNode {
  readonly op: string;
  readonly args: unknown;
  readonly pos?: number;
  readonly start?: number;
  readonly meta?: { macro?: CelMacro };
  /** Once the tree is type-checked. */
  readonly checkedType?: CelType;
}

export interface CelType {
  readonly kind: string;
  readonly name: string;
  readonly keyType?: CelType;
  readonly valueType?: CelType;
}

export interface CelScope {
  forkWithVariable(name: string, type: CelType): CelScope;
  reuse(parent: CelScope): CelScope;
  setIterValue(value: unknown, evaluator: CelEvaluator): CelScope;
}

export interface CelChecker {
  check(node: CelNode, scope: CelScope): CelType;
  getType(name: string): CelType;
  createError(code: string, message: string, node: CelNode): Error;
  readonly registry: { getListType(type: CelType): CelType; getMapType(key: CelType, value: CelType): CelType };
}

export interface CelEvaluator {
  run(node: CelNode, scope: CelScope): unknown;
}

export interface CelMacro {
  typeCheck: (checker: CelChecker, macro: never, scope: CelScope) => CelType;
  evaluate: (evaluator: CelEvaluator, macro: never, scope: CelScope) => unknown;
}

export interface MacroCall {
  readonly ast: CelNode;
  readonly args: readonly CelNode[];
  readonly receiver: CelNode;
}

export function isNode(value: unknown): value is CelNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

/** Every node of a syntax tree, as it was written (macros are not expanded). */
export function* walkNodes(value: unknown): Generator<CelNode> {
  if (Array.isArray(value)) for (const item of value) yield* walkNodes(item);
  else if (isNode(value)) {
    yield value;
    yield* walkNodes(value.args);
  }
}
