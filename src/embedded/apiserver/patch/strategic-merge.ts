/**
 * Strategic merge patch for built-in kinds: like a merge patch, but lists with a merge key merge item by item, and the
 * directives `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/x` and `$setElementOrder/x` are obeyed. Pure.
 */
import { cloneJson, deepEqual, isObject, type JsonObject, setField } from "../json-value.ts";
import { childSchemaOf } from "../schema/prune.ts";
import type { Schema } from "../schema/schema.ts";
import { badRequest } from "../status.ts";

const deleteList = "$deleteFromPrimitiveList/";
const elementOrder = "$setElementOrder/";

export function strategicMerge(target: unknown, patch: JsonObject, schema: Schema): JsonObject {
  const directive = patch.$patch;
  if (directive === "replace") return cloneWithoutDirectives(patch);
  if (directive === "delete") return {};
  const result: JsonObject = isObject(target) ? { ...target } : {};
  if (Array.isArray(patch.$retainKeys)) {
    for (const name of Object.keys(result)) if (!patch.$retainKeys.includes(name)) delete result[name];
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith("$")) continue;
    const childSchema = childSchemaOf(schema, name) ?? {};
    if (value === null) delete result[name];
    else setField(result, name, mergeValue(Object.hasOwn(result, name) ? result[name] : undefined, value, childSchema));
  }
  applyListDirectives(result, patch, schema);
  return result;
}

function cloneWithoutDirectives(patch: JsonObject): JsonObject {
  const { $patch: _patch, $retainKeys: _retain, ...rest } = patch;
  return cloneJson(rest);
}

function mergeValue(target: unknown, value: unknown, schema: Schema): unknown {
  if (isObject(value)) return strategicMerge(target, value, schema);
  if (!Array.isArray(value)) return value;
  const strategy = schema["x-kubernetes-patch-strategy"] ?? "";
  if (!strategy.split(",").includes("merge")) return value.filter((item) => !isReplaceMark(item)).map(cloneJson);
  const base = Array.isArray(target) ? target : [];
  const key = schema["x-kubernetes-patch-merge-key"];
  return key === undefined ? mergeSet(base, value) : mergeList(base, value, { key, schema: schema.items ?? {} });
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
  if (value.some(isReplaceMark)) return value.filter((item) => !isReplaceMark(item)).map(cloneJson);
  let result = [...base];
  for (const item of value) {
    if (!isObject(item) || item[by.key] === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${by.key}`);
    const index = result.findIndex((known) => isObject(known) && known[by.key] === item[by.key]);
    if (item.$patch === "delete") result = result.filter((_, position) => position !== index);
    else if (index < 0) result.push(strategicMerge({}, item, by.schema));
    else result[index] = strategicMerge(result[index], item, by.schema);
  }
  return result;
}

function applyListDirectives(result: JsonObject, patch: JsonObject, schema: Schema): void {
  for (const [name, value] of Object.entries(patch)) {
    if (!Array.isArray(value)) continue;
    if (name.startsWith(deleteList)) {
      const field = name.slice(deleteList.length);
      const list = result[field];
      if (Array.isArray(list)) result[field] = list.filter((item) => !value.some((gone) => deepEqual(gone, item)));
    }
    if (name.startsWith(elementOrder)) reorder(result, name.slice(elementOrder.length), value, schema);
  }
}

/** Items named by the order come in that order; others keep their places before and between, as far as that is possible. */
function reorder(result: JsonObject, field: string, order: readonly unknown[], schema: Schema): void {
  const list = result[field];
  if (!Array.isArray(list)) return;
  const key = childSchemaOf(schema, field)?.["x-kubernetes-patch-merge-key"];
  const idOf = (item: unknown) => (key !== undefined && isObject(item) ? item[key] : item);
  const wanted = order.map(idOf);
  const position = (item: unknown) => wanted.findIndex((id) => deepEqual(id, idOf(item)));
  const ordered = list.filter((item) => position(item) >= 0).sort((a, b) => position(a) - position(b));
  let next = 0;
  result[field] = list.map((item) => (position(item) < 0 ? item : ordered[next++]));
}
