/**
 * Field sets and their `fieldsV1` form, one for the other. Objects of a kind are mostly written by the same clients in the same
 * way, so most of these are equal: each is kept once, in memory as well as on the way through a write. Called by
 * managed-entries.ts. Pure, but for what it remembers, which is bounded.
 */
import { isObject, type JsonObject } from "../json-value.ts";
import { emptySet, type FieldSet, fieldSetFromJson } from "./field-set.ts";

const mostShared = 4_096;
const mostTextLength = 8_192;

const shared = new Map<string, JsonObject>();
const jsonOf = new WeakMap<FieldSet, JsonObject>();
/** Of shared ones alone: sets are larger than what they are made of. */
let setOf = new WeakMap<object, FieldSet>();

export function fieldsToJson(fields: FieldSet): JsonObject {
  const known = jsonOf.get(fields);
  if (known !== undefined) return known;
  const json = share(fields.toJson(), fields);
  jsonOf.set(fields, json);
  return json;
}

export function fieldsFromJson(json: unknown): FieldSet {
  if (!isObject(json)) return emptySet;
  return setOf.get(json) ?? fieldSetFromJson(json);
}

function share(json: JsonObject, fields: FieldSet): JsonObject {
  const text = JSON.stringify(json);
  const same = shared.get(text);
  if (same !== undefined) return same;
  if (text.length > mostTextLength) return json;
  if (shared.size >= mostShared) {
    shared.clear();
    setOf = new WeakMap();
  }
  shared.set(text, json);
  setOf.set(json, fields);
  return json;
}
