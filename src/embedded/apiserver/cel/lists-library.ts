/**
 * Lists: the Kubernetes library (isSorted, sum, min, max, indexOf, lastIndexOf) and CEL's own extension (slice, flatten,
 * distinct, reverse, sort, lists.range). Registered by `environment.ts`.
 */
import type { Environment } from "@marcbachmann/cel-js";
import { Duration } from "@marcbachmann/cel-js/evaluator";
import { celEqual } from "./equality.ts";

const timestamp = "google.protobuf.Timestamp";
const duration = "google.protobuf.Duration";
const ordered = ["int", "uint", "double", "bool", "string", "bytes", timestamp, duration];

export function registerLists(environment: Environment): void {
  for (const type of ordered) {
    environment
      .registerFunction(`list<${type}>.isSorted(): bool`, (list: readonly unknown[]) =>
        list.every((item, index) => index === 0 || !isLess(item, list[index - 1])),
      )
      .registerFunction(`list<${type}>.sort(): list<${type}>`, (list: readonly unknown[]) =>
        list.toSorted((a, b) => (isLess(a, b) ? -1 : isLess(b, a) ? 1 : 0)),
      )
      .registerFunction(`list<${type}>.min(): ${type}`, (list: readonly unknown[]) => extreme("min", list, isLess))
      .registerFunction(`list<${type}>.max(): ${type}`, (list: readonly unknown[]) =>
        extreme("max", list, (a, b) => isLess(b, a)),
      );
  }
  environment
    .registerFunction("list<int>.sum(): int", (list: readonly bigint[]) => list.reduce((a, b) => a + b, 0n))
    .registerFunction("list<double>.sum(): double", (list: readonly number[]) => list.reduce((a, b) => a + b, 0))
    .registerFunction(`list<${duration}>.sum(): ${duration}`, sumDurations)
    .registerFunction("list<T>.indexOf(T): int", (list: readonly unknown[], wanted: unknown) =>
      BigInt(list.findIndex((item) => celEqual(item, wanted))),
    )
    .registerFunction("list<T>.lastIndexOf(T): int", (list: readonly unknown[], wanted: unknown) =>
      BigInt(list.findLastIndex((item) => celEqual(item, wanted))),
    );
  registerExtension(environment);
}

class ListsNamespace {}

function registerExtension(environment: Environment): void {
  environment
    .registerType("ListsNamespace", ListsNamespace)
    .registerConstant("lists", "ListsNamespace", new ListsNamespace())
    .registerFunction("ListsNamespace.range(int): list<int>", (_lists: unknown, end: bigint) =>
      Array.from({ length: Math.max(0, Number(end)) }, (_, index) => BigInt(index)),
    )
    .registerFunction("list<T>.distinct(): list<T>", (list: readonly unknown[]) =>
      list.filter((item, index) => list.findIndex((other) => celEqual(item, other)) === index),
    )
    .registerFunction("list<T>.reverse(): list<T>", (list: readonly unknown[]) => list.toReversed())
    .registerFunction("list<T>.slice(int, int): list<T>", slice)
    .registerFunction("list<T>.flatten(): list<dyn>", (list: readonly unknown[]) => list.flat(1))
    .registerFunction("list<T>.flatten(int): list<dyn>", flatten);
}

function slice(list: readonly unknown[], start: bigint, end: bigint): readonly unknown[] {
  const refuse = (why: string) => new Error(`cannot slice(${start}, ${end}), ${why}`);
  if (start < 0n || end < 0n) throw refuse("negative indexes not supported");
  if (start > end) throw refuse("start index must be less than or equal to end index");
  if (end > BigInt(list.length)) throw refuse(`list is length ${list.length}`);
  return list.slice(Number(start), Number(end));
}

function flatten(list: readonly unknown[], depth: bigint): readonly unknown[] {
  if (depth < 0n) throw new Error("level must be non-negative");
  return list.flat(Number(depth));
}

interface Span {
  readonly seconds: bigint;
  readonly nanos: number;
}

function sumDurations(list: readonly Span[]): Span {
  const billion = 1_000_000_000n;
  const nanos = list.reduce((total, item) => total + item.seconds * billion + BigInt(item.nanos), 0n);
  return new Duration(nanos / billion, Number(nanos % billion));
}

function isLess(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) < 0;
  return (a as number) < (b as number);
}

function extreme(name: string, list: readonly unknown[], better: (a: unknown, b: unknown) => boolean): unknown {
  if (list.length === 0) throw new Error(`${name} called on empty list`);
  return list.reduce((best, item) => (better(item, best) ? item : best));
}
