/** The functions of the Kubernetes CEL libraries (strings, regex, lists, URLs) that the engine does not bring. */
import type { Environment } from "@marcbachmann/cel-js";

type CelNumber = bigint | number;

export function registerKubernetesLibrary(environment: Environment): Environment {
  registerStrings(environment);
  registerLists(environment);
  registerUrls(environment);
  return environment;
}

function registerStrings(environment: Environment): void {
  environment
    .registerFunction("string.replace(string, string): string", (text: string, from: string, to: string) =>
      text.replaceAll(from, to),
    )
    .registerFunction(
      "string.replace(string, string, int): string",
      (text: string, from: string, to: string, limit: bigint) => replaceSome(text, { from, to, limit: Number(limit) }),
    )
    .registerFunction("string.charAt(int): string", (text: string, index: bigint) => text.charAt(Number(index)))
    .registerFunction(
      "string.find(string): string",
      (text: string, pattern: string) => new RegExp(pattern, "u").exec(text)?.[0] ?? "",
    )
    .registerFunction(
      "string.findAll(string): list",
      (text: string, pattern: string) => text.match(new RegExp(pattern, "gu")) ?? [],
    );
}

function replaceSome(text: string, what: { from: string; to: string; limit: number }): string {
  if (what.limit < 0) return text.replaceAll(what.from, what.to);
  let result = text;
  let start = 0;
  for (let done = 0; done < what.limit; done += 1) {
    const at = result.indexOf(what.from, start);
    if (at < 0) break;
    result = result.slice(0, at) + what.to + result.slice(at + what.from.length);
    start = at + what.to.length;
  }
  return result;
}

function less(a: unknown, b: unknown): boolean {
  return (a as CelNumber) < (b as CelNumber);
}

function registerLists(environment: Environment): void {
  environment
    .registerFunction("list.isSorted(): bool", (list: readonly unknown[]) =>
      list.every((item, index) => index === 0 || !less(item, list[index - 1])),
    )
    .registerFunction("list.sum(): dyn", (list: readonly CelNumber[]) => sum(list))
    .registerFunction("list.min(): dyn", (list: readonly unknown[]) => extreme(list, (a, b) => less(a, b)))
    .registerFunction("list.max(): dyn", (list: readonly unknown[]) => extreme(list, (a, b) => less(b, a)))
    .registerFunction("list.indexOf(dyn): int", (list: readonly unknown[], wanted: unknown) =>
      BigInt(list.indexOf(wanted)),
    )
    .registerFunction("list.lastIndexOf(dyn): int", (list: readonly unknown[], wanted: unknown) =>
      BigInt(list.lastIndexOf(wanted)),
    );
}

function sum(list: readonly CelNumber[]): CelNumber {
  if (list.every((item) => typeof item === "bigint"))
    return list.reduce<bigint>((total, item) => total + BigInt(item), 0n);
  return list.reduce<number>((total, item) => total + Number(item), 0);
}

function extreme(list: readonly unknown[], better: (a: unknown, b: unknown) => boolean): unknown {
  if (list.length === 0) throw new Error("min or max called on an empty list");
  return list.reduce((best, item) => (better(item, best) ? item : best));
}

function registerUrls(environment: Environment): void {
  environment.registerFunction("isURL(string): bool", (text: string) => text.startsWith("/") || URL.canParse(text));
}
