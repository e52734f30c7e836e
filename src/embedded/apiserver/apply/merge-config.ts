/**
 * The value side of server-side apply: laying an applied configuration over the live object, and taking out the fields
 * that a manager gave up. Pure: returns fresh values.
 */
import { isObject, type JsonObject, setField } from "../json-value.ts";
import { childSchemaOf } from "../schema/prune.ts";
import type { Schema } from "../schema/schema.ts";
import { emptySet, type FieldSet } from "./field-set.ts";
import { itemElement, shapeOf } from "./object-fields.ts";

export function mergeConfig(live: unknown, config: unknown, schema: Schema): unknown {
  const shape = shapeOf(config, schema);
  if (shape === "leaf" || live === undefined || live === null || shape !== shapeOf(live, schema)) return config;
  if (shape === "object") return mergeFields(live as JsonObject, config as JsonObject, schema);
  return mergeItems(live as readonly unknown[], config as readonly unknown[], schema);
}

function mergeFields(live: JsonObject, config: JsonObject, schema: Schema): JsonObject {
  const result: JsonObject = { ...live };
  for (const [name, value] of Object.entries(config)) {
    const before = Object.hasOwn(live, name) ? live[name] : undefined;
    setField(result, name, mergeConfig(before, value, childSchemaOf(schema, name) ?? {}));
  }
  return result;
}

/** Applied items come in the applied order; items of others keep their place before them. */
function mergeItems(live: readonly unknown[], config: readonly unknown[], schema: Schema): unknown[] {
  const byElement = new Map(live.map((item) => [itemElement(item, schema), item]));
  const applied = new Map(config.map((item) => [itemElement(item, schema), item]));
  const merged = [...applied].map(([element, item]) => mergeConfig(byElement.get(element), item, schema.items ?? {}));
  const queue = [...merged];
  const result: unknown[] = [];
  for (const item of live) {
    if (!applied.has(itemElement(item, schema))) result.push(item);
    else if (queue.length > 0) result.push(queue.shift());
  }
  return [...result, ...queue];
}

/** Removes what `given` names, except what `kept` (the fields of other managers) still holds. */
export function removeFields(value: unknown, schema: Schema, given: FieldSet, kept: FieldSet): unknown {
  if (given.isEmpty) return value;
  if (isObject(value)) return removeFromObject(value, schema, given, kept);
  if (Array.isArray(value)) return removeFromList(value, schema, given, kept);
  return value;
}

const gone = Symbol("gone");

function removeChild(value: unknown, schema: Schema, given: FieldSet, kept: FieldSet): unknown {
  if (given.member && kept.isEmpty) return gone;
  const rest = removeFields(value, schema, given, kept);
  return isEmptyContainer(rest) && !isEmptyContainer(value) && kept.isEmpty ? gone : rest;
}

function isEmptyContainer(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

function removeFromObject(value: JsonObject, schema: Schema, given: FieldSet, kept: FieldSet): JsonObject {
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(value)) {
    const element = `f:${name}`;
    const mine = given.children.get(element);
    const rest =
      mine === undefined
        ? child
        : removeChild(child, childSchemaOf(schema, name) ?? {}, mine, kept.children.get(element) ?? emptySet);
    if (rest !== gone) setField(result, name, rest);
  }
  return result;
}

function removeFromList(value: readonly unknown[], schema: Schema, given: FieldSet, kept: FieldSet): unknown[] {
  const result: unknown[] = [];
  for (const item of value) {
    const element = itemElement(item, schema);
    const mine = given.children.get(element);
    const rest =
      mine === undefined ? item : removeChild(item, schema.items ?? {}, mine, kept.children.get(element) ?? emptySet);
    if (rest !== gone) result.push(rest);
  }
  return result;
}
