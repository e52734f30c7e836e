/** String functions of the Kubernetes CEL environment that the engine does not bring. Registered by `environment.ts`. */
import type { Environment } from "@marcbachmann/cel-js";
import { formatString } from "./format-string.ts";
import { compilePattern } from "./re2-pattern.ts";

export function registerStrings(environment: Environment): void {
  environment
    .registerFunction("string.replace(string, string): string", (text: string, from: string, to: string) =>
      text.replaceAll(from, () => to),
    )
    .registerFunction(
      "string.replace(string, string, int): string",
      (text: string, from: string, to: string, limit: bigint) => replaceSome(text, { from, to, limit: Number(limit) }),
    )
    .registerFunction("string.charAt(int): string", charAt)
    .registerFunction("string.format(list): string", (text: string, args: readonly unknown[]) =>
      formatString(text, args),
    )
    .registerFunction("string.find(string): string", (text: string, pattern: string) => {
      return compilePattern(pattern).exec(text)?.[0] ?? "";
    })
    .registerFunction("string.findAll(string): list<string>", (text: string, pattern: string) => findAll(text, pattern))
    .registerFunction("string.findAll(string, int): list<string>", (text: string, pattern: string, limit: bigint) => {
      const found = findAll(text, pattern);
      return limit < 0n ? found : found.slice(0, Number(limit));
    });
}

function charAt(text: string, index: bigint): string {
  const letters = [...text];
  if (index < 0n || index > letters.length) throw new Error(`index out of range: ${index}`);
  return letters[Number(index)] ?? "";
}

function findAll(text: string, pattern: string): string[] {
  return text.match(compilePattern(pattern, "g")) ?? [];
}

function replaceSome(text: string, what: { from: string; to: string; limit: number }): string {
  if (what.limit < 0) return text.replaceAll(what.from, () => what.to);
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
