/**
 * Equality of CEL values. Lists of list type set and map compare without order, which the plain arrays remember here.
 * Pure but for that memory.
 */
import type { Schema } from "../schema/schema.ts";

/** Arrays that stand for associative lists, with the schema of the list. */
const associative = new WeakMap<readonly unknown[], Schema>();

export function markAssociative(list: readonly unknown[], schema: Schema): void {
  associative.set(list, schema);
}

export function associationOf(list: readonly unknown[]): Schema | undefined {
  return associative.get(list);
}

export function celEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return numbersEqual(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && listsEqual(a, b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (isComparable(a) && isComparable(b)) return a.compare(b) === 0;
  if (isDuration(a) && isDuration(b)) return a.seconds === b.seconds && a.nanos === b.nanos;
  return !Array.isArray(b) && fieldsEqual(a, b);
}

function numbersEqual(a: unknown, b: unknown): boolean {
  if (typeof a === "bigint" && typeof b === "number") return Number(a) === b;
  return typeof a === "number" && typeof b === "bigint" && a === Number(b);
}

function listsEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  const isAssociative = associative.has(a) || associative.has(b);
  if (!isAssociative) return a.every((item, index) => celEqual(item, b[index]));
  return a.every((item) => b.some((other) => celEqual(item, other)));
}

function fieldsEqual(a: object, b: object): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return names.every((name) => Object.hasOwn(right, name) && celEqual(left[name], right[name]));
}

interface Comparable {
  compare(other: unknown): number;
}

function isComparable(value: object): value is Comparable {
  return "compare" in value && typeof value.compare === "function";
}

function isDuration(value: object): value is { seconds: bigint; nanos: number } {
  return "seconds" in value && "nanos" in value && typeof value.seconds === "bigint";
}

/** `a + b` of lists. A set gains what it lacks; a map takes items of equal keys in place, then the rest. */
export function concatenate(a: readonly unknown[], b: readonly unknown[]): unknown[] {
  const schema = associative.get(a);
  if (schema === undefined) return [...a, ...b];
  const result = [...a];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const sameKey = (left: unknown, right: unknown) =>
    keys.length === 0
      ? celEqual(left, right)
      : keys.every((key) => celEqual((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key]));
  for (const item of b) {
    const at = result.findIndex((known) => sameKey(known, item));
    if (at < 0) result.push(item);
    else result[at] = item;
  }
  markAssociative(result, schema);
  return result;
}
