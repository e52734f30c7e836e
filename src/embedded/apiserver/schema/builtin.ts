/**
 * Schemas of the built-in kinds, linked: references are replaced by the objects they name, so that walkers never
 * resolve anything (recursive types become cycles). The raw definitions serve the OpenAPI documents.
 */
import builtin from "./builtin.json" with { type: "json" };
import { builtinKindModels } from "./builtin-kinds.ts";
import { definitionName } from "./definition-name.ts";
import type { Schema } from "./schema.ts";

const refPrefix = "#/components/schemas/";

/** On every linked schema: the definition that it is, also where a field adds something of its own. */
const definition = Symbol("definition");

interface Linked extends Schema {
  readonly [definition]?: string;
}

/** Such as `v1.PodSpec`, as Go writes the type; undefined for what is no built-in type of its own. */
export function goTypeName(schema: Linked): string | undefined {
  return schema[definition]?.split(".").slice(-2).join(".");
}

const definitions = builtin as unknown as Readonly<Record<string, Schema>>;
const linked = new Map<string, Schema>();

export function builtinDefinitions(): Readonly<Record<string, Schema>> {
  return definitions;
}

/** The linked schema of a built-in kind, apiVersion and kind included. */
export function builtinSchema(group: string, version: string, kind: string): Schema {
  return linkDefinition(definitionOfKind(group, version, kind));
}

export function definitionOfKind(group: string, version: string, kind: string): string {
  const model = builtinKindModels[`${group}/${version}/${kind}`];
  if (model === undefined)
    throw new Error(`schema: no model for ${group}/${version} ${kind}; add it to builtin-kinds.ts`);
  return definitionName(model);
}

export function linkDefinition(name: string): Schema {
  const known = linked.get(name);
  if (known !== undefined) return known;
  const schema = builtinDefinitions()[name];
  if (schema === undefined) throw new Error(`schema: no definition ${name} in builtin.json; run generate.ts`);
  const target: Record<string | symbol, unknown> = { [definition]: name };
  // Registered before it is filled, so that a recursive type finds itself.
  linked.set(name, target as Schema);
  Object.assign(target, linkChildren(schema));
  return target as Schema;
}

function link(schema: Schema): Schema {
  if (schema.$ref !== undefined) return linkDefinition(schema.$ref.slice(refPrefix.length));
  const only = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
  if (only?.$ref === undefined) return linkChildren(schema);
  const { allOf: _allOf, ...own } = schema;
  return lazyMerge(linkDefinition(only.$ref.slice(refPrefix.length)), own);
}

/** A field's own description and list semantics over the type it refers to, which may not be filled yet. */
function lazyMerge(base: Schema, own: Schema): Schema {
  if (Object.keys(own).every((name) => name === "description")) return base;
  return Object.create(base, Object.getOwnPropertyDescriptors(own)) as Schema;
}

function linkChildren(schema: Schema): Schema {
  const result: Record<string, unknown> = { ...schema };
  if (schema.properties !== undefined) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, child]) => [name, link(child)]),
    );
  }
  if (schema.items !== undefined) result.items = link(schema.items);
  if (typeof schema.additionalProperties === "object") result.additionalProperties = link(schema.additionalProperties);
  return result as Schema;
}
