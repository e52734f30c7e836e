/**
 * Compiles CEL expressions and words what is wrong with them as the Kubernetes API server does. Programs are made once
 * and run often; what they are compiled against is the caller's environment.
 */
import { type Environment, EvaluationError, type ParseResult } from "@marcbachmann/cel-js";
import { type CelNode, isNode, walkNodes } from "./engine.ts";
import { findMixedLiteral } from "./literal-types.ts";
import { mendPresenceTests } from "./presence.ts";
import { compilePattern, translatePattern } from "./re2-pattern.ts";

export interface Program {
  /** Throws a CelRuntimeError. */
  readonly run: (variables: Readonly<Record<string, unknown>>) => unknown;
  /** Names of variables and functions that the expression mentions. */
  readonly names: ReadonlySet<string>;
  /** Its static type, as CEL writes it. */
  readonly type: string;
}

export class CelCompileError extends Error {
  override readonly name = "CelCompileError";
}

export class CelRuntimeError extends Error {
  override readonly name = "CelRuntimeError";
}

/** Throws a CelCompileError. `wanted` is the type that the result must have ("bool", "string"); any where absent. */
export function compileExpression(environment: Environment, expression: string, wanted?: readonly string[]): Program {
  const parsed = parse(environment, expression);
  const type = checkTypes(environment, parsed, expression);
  if (wanted !== undefined && type !== "dyn" && !wanted.includes(type))
    throw new CelCompileError(`must evaluate to ${wanted.join(" or ")}`);
  return { run: (variables) => runProgram(parsed, variables), names: namesIn(parsed.ast), type };
}

function parse(environment: Environment, expression: string): ParseResult {
  try {
    return environment.parse(expression);
  } catch (error) {
    throw new CelCompileError(describe(error, expression, "Syntax error: "));
  }
}

function checkTypes(environment: Environment, parsed: ParseResult, expression: string): string {
  mendPresenceTests(parsed.ast);
  mendPatterns(parsed.ast, expression);
  const result = parsed.check();
  if (result.valid) {
    const mixed = findMixedLiteral(parsed.ast);
    if (mixed === undefined) return result.type ?? "dyn";
    const error = Object.assign(new Error(mixed.message), { range: { start: mixed.node.start ?? 0 } });
    throw new CelCompileError(describe(error, expression, ""));
  }
  const unknown = unknownFunction(environment, result.error);
  if (unknown === undefined) throw new CelCompileError(describe(result.error, expression, ""));
  const error = new Error(`Unknown variable: ${unknown}`);
  throw new CelCompileError(describe(Object.assign(error, rangeOf(result.error)), expression, ""));
}

function rangeOf(error: unknown): Pick<EngineError, "range"> {
  const { range } = asEngineError(error);
  return range === undefined ? {} : { range };
}

/** A call of a function that does not exist is an undeclared reference, not a wrong use of it. */
function unknownFunction(environment: Environment, error: unknown): string | undefined {
  const { summary, code } = asEngineError(error);
  const name = code === "no_matching_overload" ? /'(?:.*\.)?(\w+)\(/.exec(summary ?? "")?.[1] : undefined;
  if (name === undefined) return undefined;
  const isKnown = environment.getDefinitions().functions.some((known) => known.name === name);
  return isKnown ? undefined : name;
}

/** The engine matches with JavaScript's expressions: patterns that are written out become theirs. */
function mendPatterns(tree: unknown, expression: string): void {
  for (const node of walkNodes(tree)) {
    const [name, , args] = node.op === "rcall" && Array.isArray(node.args) ? (node.args as unknown[]) : [];
    const pattern = Array.isArray(args) ? (args[0] as CelNode | undefined) : undefined;
    const takesPattern = name === "matches" || name === "find" || name === "findAll";
    if (!takesPattern || pattern?.op !== "value" || typeof pattern.args !== "string") continue;
    try {
      compilePattern(pattern.args);
    } catch (error) {
      const why = `invalid ${String(name)} argument: ${asEngineError(error).message}`;
      throw new CelCompileError(describe(new Error(why), expression, ""));
    }
    if (name === "matches") Object.assign(pattern, { args: translatePattern(pattern.args) });
  }
}

function namesIn(ast: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of walkNodes(ast)) if (node.op === "id" && typeof node.args === "string") names.add(node.args);
  return names;
}

function runProgram(parsed: ParseResult, variables: Readonly<Record<string, unknown>>): unknown {
  try {
    return parsed(variables);
  } catch (error) {
    throw new CelRuntimeError(wordRuntimeError(error), { cause: error });
  }
}

interface EngineError {
  readonly summary?: string;
  readonly message: string;
  readonly code?: string;
  readonly range?: { readonly start: number };
  readonly node?: unknown;
}

function describe(error: unknown, expression: string, prefix: string): string {
  const { summary, message, range, code, node } = asEngineError(error);
  const text = wordProblem(summary ?? message, code, isNode(node) ? node : undefined);
  const at = range?.start ?? 0;
  const before = expression.slice(0, at);
  const line = before.split("\n").length;
  const column = at - (before.lastIndexOf("\n") + 1);
  const source = expression.split("\n")[line - 1] ?? "";
  const pointer = `${".".repeat(column)}^`;
  return `ERROR: <input>:${line}:${column + 1}: ${prefix}${text}\n | ${source}\n | ${pointer}`;
}

function asEngineError(error: unknown): EngineError {
  return error instanceof Error ? error : { message: String(error) };
}

const operators: Readonly<Record<string, string>> = { "!": "!_", in: "@in" };

/** The engine's words in those of cel-go, where clients know them. */
function wordProblem(text: string, code: string | undefined, node: CelNode | undefined): string {
  const unknown = /^Unknown variable: (.*)$/.exec(text)?.[1];
  if (unknown !== undefined) return `undeclared reference to '${unknown}' (in container '')`;
  const field = /^No such key: (.*)$/.exec(text)?.[1];
  if (field !== undefined) return `undefined field '${field}'`;
  const binary = /^no such overload: (.+) ([^\s]+) (.+)$/.exec(text);
  if (binary !== null) {
    const [, left, operator = "", right] = binary;
    return `found no matching overload for '${operators[operator] ?? `_${operator}_`}' applied to '(${left}, ${right})'`;
  }
  const unary = /^no such overload: ([!-])(.+)$/.exec(text);
  if (unary !== null) return `found no matching overload for '${unary[1]}_' applied to '(${unary[2]})'`;
  if (code === "no_matching_overload") return wordCall(text, node);
  return text;
}

function wordCall(text: string, node: CelNode | undefined): string {
  const match = /^found no matching overload for '(.*?)(\w+)\((.*)\)'$/.exec(text);
  if (match === null) return text;
  const [, receiver = "", name = "", args = ""] = match;
  const target = receiver.replace(/\.$/, "");
  const isMethod = node?.op === "rcall" && target !== "";
  return `found no matching overload for '${name}' applied to '${isMethod ? `${target}.(${args})` : `(${args})`}'`;
}

function wordRuntimeError(error: unknown): string {
  const text = error instanceof EvaluationError ? error.summary : asEngineError(error).message.split("\n")[0];
  const key = /^No such key: (?!index)(.*)$/.exec(text ?? "")?.[1];
  if (key !== undefined) return `no such key: ${key}`;
  const index = /index out of bounds, index (-?\d+)/.exec(text ?? "")?.[1];
  if (index !== undefined) return `index out of bounds: ${index}`;
  if (/^(no such overload|found no matching overload)/.test(text ?? "")) return "no such overload";
  return text ?? "unknown error";
}
