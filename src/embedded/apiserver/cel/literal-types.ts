/**
 * Elements of list and map literals must be of one type, but for the list that `format()` takes. The engine knows no
 * such exception, so that the check is here; it reads the types that the engine found.
 */
import { type CelNode, isNode } from "./engine.ts";

export interface MixedLiteral {
  readonly node: CelNode;
  readonly message: string;
}

/** The first literal whose elements differ. The tree must have been type-checked. */
export function findMixedLiteral(tree: unknown): MixedLiteral | undefined {
  if (Array.isArray(tree)) return firstOf(tree);
  if (!isNode(tree)) return undefined;
  if (tree.op === "list") return mixedAmong(tree.args) ?? findMixedLiteral(tree.args);
  if (tree.op === "map") {
    const entries = Array.isArray(tree.args) ? (tree.args as CelNode[][]) : [];
    return mixedAmong(entries.map(([key]) => key)) ?? mixedAmong(entries.map(([, value]) => value)) ?? firstOf(entries);
  }
  return isFormatCall(tree) ? findInFormat(tree) : findMixedLiteral(tree.args);
}

function firstOf(parts: readonly unknown[]): MixedLiteral | undefined {
  for (const part of parts) {
    const found = findMixedLiteral(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isFormatCall(node: CelNode): boolean {
  return node.op === "rcall" && Array.isArray(node.args) && node.args[0] === "format";
}

/** Its list may be mixed; what is within the elements may not. */
function findInFormat(node: CelNode): MixedLiteral | undefined {
  const [, receiver, args] = node.args as [string, CelNode, CelNode[]];
  return findMixedLiteral(receiver) ?? firstOf(args.map((arg) => (arg.op === "list" ? arg.args : arg)));
}

function mixedAmong(elements: unknown): MixedLiteral | undefined {
  const typed = (Array.isArray(elements) ? elements : []).filter(isNode).filter((node) => isConcrete(typeOf(node)));
  const [first, ...others] = typed;
  const other = others.find((node) => typeOf(node) !== typeOf(first as CelNode));
  if (first === undefined || other === undefined) return undefined;
  return { node: other, message: `expected type '${typeOf(first)}' but found '${typeOf(other)}'` };
}

function typeOf(node: CelNode): string {
  return node.checkedType?.name ?? "dyn";
}

/** Types with free parts unify with others. */
function isConcrete(type: string): boolean {
  return !/\bdyn\b|\b[A-Z]\b/.test(type);
}
