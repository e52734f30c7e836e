/** No two items of a set are equal, no two of a map have the same keys: checked at every depth of an object. Pure. */
import { isObject, type JsonObject } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";
import { childSchemaOf, knownChild } from "./prune.ts";
import type { Schema } from "./schema.ts";

/** @param known what `value` shares with it is not looked at */
export function checkListUniqueness(
  value: unknown,
  schema: Schema,
  { path = "", known }: { readonly path?: string; readonly known?: unknown } = {},
): StatusCause[] {
  if (value === known) return [];
  if (Array.isArray(value)) {
    const { items } = schema;
    const own = checkList(value, schema, path);
    return items === undefined
      ? own
      : [...own, ...value.flatMap((item, at) => checkListUniqueness(item, items, { path: `${path}[${at}]` }))];
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    const childSchema = childSchemaOf(schema, name);
    if (childSchema === undefined || !hasAssociativeLists(childSchema)) return [];
    const before = knownChild(known, name);
    return checkListUniqueness(child, childSchema, { path: pathOf(path, name, schema), known: before });
  });
}

function pathOf(path: string, name: string, schema: Schema): string {
  const isProperty = schema.properties !== undefined && Object.hasOwn(schema.properties, name);
  if (!isProperty) return `${path}[${name}]`;
  return path === "" ? name : `${path}.${name}`;
}

const associative = new WeakMap<Schema, boolean>();

/** Kept for each schema node, so that whole subtrees without such lists are skipped. */
function hasAssociativeLists(schema: Schema): boolean {
  const known = associative.get(schema);
  if (known !== undefined) return known;
  // Set first: schemas of built-in types may contain themselves.
  associative.set(schema, false);
  const children = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const type = schema["x-kubernetes-list-type"];
  const found =
    type === "set" ||
    type === "map" ||
    children.some((child) => typeof child === "object" && hasAssociativeLists(child));
  associative.set(schema, found);
  return found;
}

function checkList(list: readonly unknown[], schema: Schema, path: string): StatusCause[] {
  const type = schema["x-kubernetes-list-type"];
  if (type === "set") return duplicates(list, path);
  if (type !== "map") return [];
  const wrong = list.findIndex((item) => item !== null && !isObject(item));
  if (wrong >= 0)
    return [cause.invalid(`${path}[${wrong}]`, list[wrong], "must be an object for an array of list-type map")];
  const names = schema["x-kubernetes-list-map-keys"] ?? [];
  return duplicates(
    list.map((item) => keysOf(item, names)),
    path,
  );
}

function keysOf(item: unknown, names: readonly string[]): JsonObject {
  const keys: JsonObject = {};
  if (isObject(item)) for (const name of names) if (Object.hasOwn(item, name)) keys[name] = item[name];
  return keys;
}

/** A value that stands there three times is reported once. */
function duplicates(values: readonly unknown[], path: string): StatusCause[] {
  const seen = new Map<string, number>();
  return values.flatMap((value, index) => {
    const id = canonical(value);
    const times = seen.get(id) ?? 0;
    seen.set(id, times + 1);
    return times === 1 ? [cause.duplicate(`${path}[${index}]`, value)] : [];
  });
}

/** Text that is the same for equal values, whatever the order of their fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
