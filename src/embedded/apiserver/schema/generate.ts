/**
 * Writes `builtin.json`: the field types and requirements (not the prose) of every built-in kind that the embedded API
 * server serves, read from the models of the pinned `@kubernetes/client-node` (generated from the Kubernetes 1.36
 * OpenAPI document), plus the list semantics of `list-semantics.json`, which those models do not carry.
 * Run: `node src/embedded/apiserver/schema/generate.ts [--check]`. Effects: one file, none with --check.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { builtinKindModels } from "./builtin-kinds.ts";
import { type Attribute, readAttributes, readOptional } from "./client-models.ts";
import { definitionName } from "./definition-name.ts";
import semantics from "./list-semantics.json" with { type: "json" };
import type { Schema } from "./schema.ts";

const listSemantics: Readonly<Record<string, Schema>> = semantics.fields as Record<string, Schema>;
const typeSemantics: Readonly<Record<string, Schema>> = semantics.types as Record<string, Schema>;
const quantityFields: ReadonlySet<string> = new Set(semantics.quantities);
const target = new URL("./builtin.json", import.meta.url);

function typeSchema(type: string, format: string, pending: Set<string>): Schema {
  const list = /^Array<(.*)>$/.exec(type) ?? /^Set<(.*)>$/.exec(type);
  if (list?.[1] !== undefined) return { type: "array", items: typeSchema(list[1], format, pending) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map?.[1] !== undefined) return { type: "object", additionalProperties: typeSchema(map[1], format, pending) };
  const scalar = scalarSchema(type, format);
  if (scalar !== undefined) return scalar;
  pending.add(type);
  return { $ref: `#/components/schemas/${definitionName(type)}` };
}

function scalarSchema(type: string, format: string): Schema | undefined {
  const withFormat = format === "" ? {} : { format };
  if (type === "string" || type === "boolean") return { type, ...withFormat };
  if (type === "number")
    return format.startsWith("int") ? { type: "integer", format } : { type: "number", ...withFormat };
  if (type === "Date") return { type: "string", format: "date-time" };
  if (type === "V1MicroTime") return { type: "string", format: "micro-time" };
  if (type === "IntOrString") return { format: "int-or-string", "x-kubernetes-int-or-string": true };
  if (type === "any" || type === "object") return { "x-kubernetes-preserve-unknown-fields": true };
  return undefined;
}

function buildDefinition(model: string, pending: Set<string>): Schema {
  const optional = readOptional(model);
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const attribute of readAttributes(model)) {
    properties[attribute.baseName] = buildProperty(model, attribute, pending);
    if (optional.get(attribute.baseName) === false || optional.get(attribute.name) === false) {
      required.push(attribute.baseName);
    }
  }
  return { type: "object", properties, ...(required.length > 0 ? { required } : {}), ...typeSemantics[model] };
}

function buildProperty(model: string, attribute: Attribute, pending: Set<string>): Schema {
  const id = `${model}.${attribute.baseName}`;
  let schema = typeSchema(attribute.type, attribute.format, pending);
  if (quantityFields.has(id)) schema = markQuantity(schema);
  if (schema.$ref !== undefined) return { allOf: [schema], ...listSemantics[id] };
  return { ...schema, ...listSemantics[id] };
}

function markQuantity(schema: Schema): Schema {
  const quantity = { type: "string", format: "quantity" };
  if (schema.additionalProperties !== undefined) return { ...schema, additionalProperties: quantity };
  if (schema.items !== undefined) return { ...schema, items: quantity };
  return { ...schema, format: "quantity" };
}

export function generateDefinitions(): Record<string, Schema> {
  const pending = new Set<string>(Object.values(builtinKindModels));
  const definitions: Record<string, Schema> = {};
  for (const model of pending) definitions[definitionName(model)] = buildDefinition(model, pending);
  return Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function formatDefinitions(definitions: Record<string, Schema>): string {
  const lines = Object.entries(definitions).map(
    ([name, schema]) => `${JSON.stringify(name)}:${JSON.stringify(schema)}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}

if (import.meta.main) {
  const text = formatDefinitions(generateDefinitions());
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (readFileSync(target, "utf8") !== text) {
    process.stderr.write(
      "builtin.json differs from what the pinned client models give: run this file without --check\n",
    );
    process.exitCode = 1;
  }
}
