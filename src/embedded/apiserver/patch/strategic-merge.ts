/**
 * Strategic merge patch for built-in kinds: like a merge patch, but lists with a merge key merge item by item, and the
 * directives `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/x` and `$setElementOrder/x` are obeyed. Pure.
 */
import { cloneJson, deepEqual, isObject, type JsonObject, setField, showValue } from "../json-value.ts";
import { childSchemaOf } from "../schema/prune.ts";
import type { Schema } from "../schema/schema.ts";
import { badRequest, unspecified } from "../status.ts";
import { checkOrder, idOf, orderItems } from "./element-order.ts";

const deleteList = "$deleteFromPrimitiveList/";
const elementOrder = "$setElementOrder/";

export function strategicMerge(target: unknown, patch: JsonObject, schema: Schema): JsonObject {
  if (Object.hasOwn(patch, "$patch")) return obeyDirective(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  retainKeys(result, patch);
  const ordered = mergeOrderedLists(result, patch, schema);
  for (const [name, value] of Object.entries(patch)) {
    if (name === "$retainKeys" || name.startsWith(elementOrder) || ordered.has(name)) continue;
    if (name.startsWith(deleteList)) deleteMembers(result, name.slice(deleteList.length), value);
    else if (value === null) delete result[name];
    else mergeField(result, name, value, childSchemaOf(schema, name) ?? {});
  }
  return result;
}

function obeyDirective(patch: JsonObject): JsonObject {
  const { $patch: directive, ...rest } = patch;
  if (directive === "replace") return cloneJson(rest);
  if (directive === "delete") return {};
  throw unspecified(`unknown patch type: ${showValue(directive)} in map: ${JSON.stringify(patch)}`);
}

/** Of a union only the fields that the patch names survive, and it may set no other. */
function retainKeys(result: JsonObject, patch: JsonObject): void {
  if (!Object.hasOwn(patch, "$retainKeys")) return;
  const keys = patch.$retainKeys;
  if (!Array.isArray(keys)) throw badRequest("invalid patch format of retainKeys");
  for (const [name, value] of Object.entries(patch)) {
    if (name === "$retainKeys" || value === null || name.startsWith(deleteList) || name.startsWith(elementOrder))
      continue;
    if (!keys.includes(name)) throw badRequest("invalid patch format of retainKeys");
  }
  for (const name of Object.keys(result)) if (!keys.includes(name)) delete result[name];
}

/** Lists whose order the patch gives are merged first. @returns their names */
function mergeOrderedLists(result: JsonObject, patch: JsonObject, schema: Schema): ReadonlySet<string> {
  const done = new Set<string>();
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(elementOrder)) continue;
    const name = directive.slice(elementOrder.length);
    if (!Array.isArray(order)) throw badRequest("invalid patch format of setElementOrder list");
    const field = childSchemaOf(schema, name) ?? {};
    const key = field["x-kubernetes-patch-merge-key"];
    const before = Object.hasOwn(result, name) ? result[name] : undefined;
    const changes = Object.hasOwn(patch, name) ? patch[name] : undefined;
    if (before === undefined && changes === undefined) continue;
    if (Array.isArray(changes)) checkOrder(changes, order, key);
    const merged = changes === undefined ? before : mergeValue(before, changes, field);
    if (!Array.isArray(merged)) continue;
    done.add(name);
    setField(result, name, orderItems(merged, { order, before: Array.isArray(before) ? before : [], key }));
  }
  return done;
}

function deleteMembers(result: JsonObject, name: string, gone: unknown): void {
  if (!Array.isArray(gone)) throw badRequest("invalid patch format of primitive list");
  const list = result[name];
  if (Array.isArray(list)) result[name] = list.filter((item) => !gone.some((one) => deepEqual(one, item)));
}

function mergeField(result: JsonObject, name: string, value: unknown, schema: Schema): void {
  const before = Object.hasOwn(result, name) ? result[name] : undefined;
  const isLike = isObject(value) ? isObject(before) : Array.isArray(value) === Array.isArray(before);
  if (before === undefined || !isLike) {
    const fresh = withoutDirectives(value);
    if (fresh === gone) delete result[name];
    else setField(result, name, fresh);
  } else setField(result, name, mergeValue(before, value, schema));
}

const gone = Symbol("gone");

/** What a patch adds where nothing was: directives and nulls have nothing to work on there. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== gone);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, "$patch")) return gone;
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(value)) {
    const isDirective = name === "$retainKeys" || name.startsWith(deleteList) || name.startsWith(elementOrder);
    const fresh = child === null || isDirective ? gone : withoutDirectives(child);
    if (fresh !== gone) setField(result, name, fresh);
  }
  return result;
}

function mergeValue(before: unknown, value: unknown, schema: Schema): unknown {
  const strategies = (schema["x-kubernetes-patch-strategy"] ?? "").split(",");
  if (isObject(value)) return strategies.includes("replace") ? value : strategicMerge(before, value, schema);
  if (!Array.isArray(value)) return value;
  if (!strategies.includes("merge")) return value.filter((item) => !isReplaceMark(item)).map(cloneJson);
  const base = Array.isArray(before) ? before : [];
  const key = schema["x-kubernetes-patch-merge-key"];
  if (![...base, ...value].some(isObject))
    return orderItems(mergeSet(base, value), { order: value, before: base, key });
  if (key === undefined) throw unspecified("cannot merge lists without merge key");
  return mergeList(base, value, { key, schema: schema.items ?? {} });
}

function isReplaceMark(item: unknown): boolean {
  return isObject(item) && item.$patch === "replace" && Object.keys(item).length === 1;
}

function mergeSet(base: readonly unknown[], value: readonly unknown[]): unknown[] {
  const added = value.filter((item) => !base.some((known) => deepEqual(known, item)));
  return [...base, ...added];
}

interface MergeKey {
  readonly key: string;
  readonly schema: Schema;
}

function mergeList(base: readonly unknown[], value: readonly unknown[], by: MergeKey): unknown[] {
  const { rest, items } = obeyItemDirectives(base, value, by.key);
  const result = [...rest];
  for (const item of items) {
    const id = requireKey(item, by.key);
    const index = result.findIndex((known) => isObject(known) && deepEqual(known[by.key], id));
    if (index < 0) result.push(withoutDirectives(item));
    else result[index] = strategicMerge(result[index], item, by.schema);
  }
  return orderItems(result, { order: items, before: base, key: by.key });
}

function obeyItemDirectives(
  base: readonly unknown[],
  value: readonly unknown[],
  key: string,
): { rest: readonly unknown[]; items: readonly JsonObject[] } {
  let rest = base;
  const items: JsonObject[] = [];
  for (const item of value) {
    if (!isObject(item)) throw unspecified(`list element types are not identical: ${JSON.stringify(value)}`);
    if (!Object.hasOwn(item, "$patch")) items.push(item);
    else if (item.$patch === "delete") {
      const id = requireKey(item, key);
      rest = rest.filter((known) => !isObject(known) || !deepEqual(known[key], id));
    } else if (item.$patch === "merge") throw unspecified("merging lists cannot yet be specified in the patch");
    else if (item.$patch !== "replace")
      throw unspecified(`unknown patch type: ${showValue(item.$patch)} in map: ${JSON.stringify(item)}`);
  }
  const replaces = value.some((item) => isObject(item) && item.$patch === "replace");
  return { rest: replaces ? [] : rest, items };
}

function requireKey(item: JsonObject, key: string): unknown {
  if (Object.hasOwn(item, key)) return idOf(item, key);
  throw unspecified(`map: ${goMap(item)} does not contain declared merge key: ${key}`);
}

/** A map as Go prints it. */
function goMap(item: JsonObject): string {
  const entries = Object.keys(item)
    .sort()
    .map((name) => `${name}:${isObject(item[name]) ? goMap(item[name]) : String(item[name])}`);
  return `map[${entries.join(" ")}]`;
}
