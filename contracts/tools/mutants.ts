/**
 * Mutants of Solidity text, line by line: a guard deleted, a condition negated, a bound or an operator swapped, a role not
 * asked for. Pure; `mutate.ts` compiles them and runs the tests.
 */
export interface Mutant {
  /** Counted over all mutants of all files. */
  readonly id: number;
  /** Path below `contracts/src`. */
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly text: string;
}

const swaps: readonly (readonly [string, string])[] = [
  [" < ", " <= "],
  [" <= ", " < "],
  [" > ", " >= "],
  [" >= ", " > "],
  [" == ", " != "],
  [" != ", " == "],
  [" && ", " || "],
  [" || ", " && "],
];

/** @param firstId id of the first mutant of this file */
export function listMutants(file: string, source: string, firstId: number): Mutant[] {
  const lines = source.split("\n");
  const mutants: Mutant[] = [];
  const add = (index: number, count: number, replacement: string, what: string) => {
    const text = [...lines.slice(0, index), replacement, ...lines.slice(index + count)].join("\n");
    mutants.push({ id: firstId + mutants.length, file, line: index + 1, what, text });
  };
  const isCode = markCode(lines);
  for (const [index, line] of lines.entries()) {
    if (!isCode[index]) continue;
    const guard = readGuard(lines, index);
    if (guard !== undefined) add(index, guard.count, "", `delete ${guard.text}`);
    const condition = readCondition(line);
    if (condition)
      add(index, 1, `${condition.before}(!(${condition.text}))${condition.after}`, `negate ${condition.text}`);
    if (/\bonlyRole\(\w+\)/.test(line)) add(index, 1, line.replace(/\s*\bonlyRole\(\w+\)/, ""), "delete onlyRole");
    for (const [from, to] of swaps) {
      for (let at = line.indexOf(from); at >= 0; at = line.indexOf(from, at + 1)) {
        add(index, 1, line.slice(0, at) + to + line.slice(at + from.length), `${from.trim()} -> ${to.trim()}`);
      }
    }
  }
  return mutants;
}

/** Lines inside functions, without comments, loops' heads and assembly. */
function markCode(lines: readonly string[]): boolean[] {
  let assemblyDepth = 0;
  return lines.map((line) => {
    const braces = (line.match(/\{/g)?.length ?? 0) - (line.match(/\}/g)?.length ?? 0);
    if (assemblyDepth > 0 || /\bassembly\b/.test(line)) {
      assemblyDepth += braces;
      return false;
    }
    return !/^\s*(\/\/|\/?\*|for |import |pragma |using |mapping|error |event )/.test(line);
  });
}

/** The condition of an `if` that ends on the same line, up to its own closing bracket. */
function readCondition(line: string): { before: string; text: string; after: string } | undefined {
  const before = /^\s*(?:\} )?(?:else )?if (?=\()/.exec(line)?.[0];
  if (before === undefined) return undefined;
  for (let at = before.length, depth = 0; at < line.length; at += 1) {
    if (line[at] === "(") depth += 1;
    if (line[at] === ")") depth -= 1;
    if (depth === 0) return { before, text: line.slice(before.length + 1, at), after: line.slice(at + 1) };
  }
  return undefined;
}

/** `if (...) revert ...;` on one line, or with its revert in braces or wrapped over several. */
function readGuard(lines: readonly string[], index: number): { count: number; text: string } | undefined {
  const first = lines[index] ?? "";
  if (!/^\s*if \(/.test(first)) return undefined;
  for (let count = 1; count <= 6 && index + count <= lines.length; count += 1) {
    const text = lines
      .slice(index, index + count)
      .map((line) => line.trim())
      .join(" ");
    if (/^if \([^{}]*\) (revert [^;]*;|\{ revert [^;]*; \})$/.test(text)) return { count, text };
    if (/;$/.test(text) && !/\{ revert /.test(text)) return undefined;
  }
  return undefined;
}
