/** The CEL sets extension: `sets.contains`, `sets.equivalent`, `sets.intersects`. Registered by `environment.ts`. */
import type { Environment } from "@marcbachmann/cel-js";
import { celEqual } from "./equality.ts";

class SetsNamespace {}

type List = readonly unknown[];

const contains = (list: List, others: List) => others.every((other) => list.some((item) => celEqual(item, other)));

export function registerSets(environment: Environment): void {
  environment
    .registerType("SetsNamespace", SetsNamespace)
    .registerConstant("sets", "SetsNamespace", new SetsNamespace())
    .registerFunction("SetsNamespace.contains(list<T>, list<T>): bool", (_sets: unknown, a: List, b: List) =>
      contains(a, b),
    )
    .registerFunction("SetsNamespace.equivalent(list<T>, list<T>): bool", (_sets: unknown, a: List, b: List) => {
      return contains(a, b) && contains(b, a);
    })
    .registerFunction("SetsNamespace.intersects(list<T>, list<T>): bool", (_sets: unknown, a: List, b: List) =>
      a.some((item) => b.some((other) => celEqual(item, other))),
    );
}
