/** The Kubernetes list library: isSorted, sum, min, max, indexOf, lastIndexOf. Registered by `environment.ts`. */
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
