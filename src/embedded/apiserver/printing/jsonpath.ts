/**
 * The part of kubectl's JSONPath that printer columns use: fields (with `\.` escapes), `['name']`, indexes, `[*]`, `..`
 * is not supported, and filters `[?(@.field=="value")]`. Compiled once per column. Pure.
 */
import { isObject } from "../json-value.ts";

type Step = (values: readonly unknown[]) => unknown[];

export class JsonPathError extends Error {
  override readonly name = "JsonPathError";
}

/** Throws JsonPathError for a path it cannot read. */
export function compileJsonPath(path: string): (root: unknown) => unknown[] {
  const steps = parseSteps(
    path
      .trim()
      .replace(/^\{(.*)\}$/, "$1")
      .replace(/^\$/, ""),
    path,
  );
  return (root) => steps.reduce<unknown[]>((values, step) => step(values), [root]);
}

function parseSteps(text: string, whole: string): Step[] {
  const steps: Step[] = [];
  let rest = text;
  while (rest !== "") {
    const { step, length } = readField(rest) ?? readBracket(rest) ?? failAt(rest, whole);
    steps.push(step);
    rest = rest.slice(length);
  }
  return steps;
}

interface Read {
  readonly step: Step;
  readonly length: number;
}

function failAt(rest: string, whole: string): never {
  throw new JsonPathError(`cannot read ${JSON.stringify(rest)} in the JSON path ${JSON.stringify(whole)}`);
}

function readField(text: string): Read | undefined {
  const match = /^\.((?:\\.|[^.[\]\\])+)/.exec(text);
  const raw = match?.[1];
  if (match === null || raw === undefined) return undefined;
  const name = raw.replace(/\\(.)/g, "$1");
  return { step: name === "*" ? children : field(name), length: match[0].length };
}

function readBracket(text: string): Read | undefined {
  const filter =
    /^\[\?\(\s*@((?:\.[^=!<>\s]+|\[[^\]]*\])+)\s*(==|!=|<=|>=|<|>)\s*("[^"]*"|'[^']*'|[^\s)]+)\s*\)\]/.exec(text);
  if (filter !== null)
    return { step: filterBy(filter[1] ?? "", filter[2] ?? "", filter[3] ?? ""), length: filter[0].length };
  const match = /^\[\s*(\*|-?\d+|'[^']*'|"[^"]*")\s*\]/.exec(text);
  const inner = match?.[1];
  if (match === null || inner === undefined) return undefined;
  if (inner === "*") return { step: children, length: match[0].length };
  const step = /^-?\d+$/.test(inner) ? index(Number(inner)) : field(inner.slice(1, -1));
  return { step, length: match[0].length };
}

function field(name: string): Step {
  return (values) => values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []));
}

function index(position: number): Step {
  return (values) =>
    values.flatMap((value) => (Array.isArray(value) && value.at(position) !== undefined ? [value.at(position)] : []));
}

const children: Step = (values) =>
  values.flatMap((value) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []));

function filterBy(path: string, operator: string, literal: string): Step {
  const read = compileJsonPath(path);
  const wanted = readLiteral(literal);
  const holds = (item: unknown) => compare(read(item)[0], operator, wanted);
  return (values) => children(values).filter(holds);
}

function readLiteral(text: string): unknown {
  if (/^["']/.test(text)) return text.slice(1, -1);
  if (text === "true" || text === "false") return text === "true";
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function compare(got: unknown, operator: string, wanted: unknown): boolean {
  if (operator === "==") return got === wanted;
  if (operator === "!=") return got !== undefined && got !== wanted;
  if (typeof got !== typeof wanted || (typeof got !== "number" && typeof got !== "string")) return false;
  const [a, b] = [got as string, wanted as string];
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
}
