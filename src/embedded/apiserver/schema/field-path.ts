/**
 * JSON paths of rules and selectable fields: fields by dots, map keys and odd names in quoted brackets, each step checked
 * against the schema. Pure.
 */
import type { Schema } from "./schema.ts";

export interface FoundField {
  /** As findings append it: `.spec.list`, `.spec.map[key]`. */
  readonly path: string;
  readonly schema: Schema;
  readonly problem?: undefined;
}

export interface NoField {
  readonly problem: string;
  readonly path?: undefined;
}

const invalidField = "does not refer to a valid field";

export function checkFieldPath(jsonPath: string, root: Schema, takesBrackets = true): FoundField | NoField {
  let rest = jsonPath;
  let schema = root;
  let path = "";
  while (rest !== "") {
    const step = readStep(rest, takesBrackets);
    if ("problem" in step) return { problem: step.problem };
    const next = stepInto(schema, step.name);
    if (next === undefined) return { problem: invalidField };
    path += next.isKey ? `[${step.name}]` : `.${step.name}`;
    schema = next.schema;
    rest = rest.slice(step.length);
  }
  return { path, schema };
}

function stepInto(schema: Schema, name: string): { schema: Schema; isKey: boolean } | undefined {
  if (schema.properties !== undefined) {
    const child = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    return child === undefined ? undefined : { schema: child, isKey: false };
  }
  return typeof schema.additionalProperties === "object"
    ? { schema: schema.additionalProperties, isKey: true }
    : undefined;
}

type Step = { readonly name: string; readonly length: number } | { readonly problem: string };

function readStep(text: string, takesBrackets: boolean): Step {
  if (text.startsWith("[")) return takesBrackets ? readBracket(text) : { problem: "array notation is not allowed" };
  if (!text.startsWith(".")) return { problem: `expected [ or . but got: ${/^[^.[\]]*/.exec(text)?.[0] ?? text}` };
  const name = /^\.([^.[\]]+)/.exec(text)?.[1];
  return name === undefined ? { problem: "unexpected end of JSON path" } : { name, length: name.length + 1 };
}

function readBracket(text: string): Step {
  const match = /^\['((?:\\.|[^'\\])*)'\]/.exec(text);
  if (match === null) return { problem: `expected single quoted string but got ${text.slice(1)}` };
  return { name: (match[1] ?? "").replace(/\\(.)/g, "$1"), length: match[0].length };
}
