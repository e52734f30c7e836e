/**
 * The difference of two JSON values as a JSON merge patch (RFC 7386): what a status write sends, so that its size follows
 * the change and not the object. Lists are replaced as a whole. Pure.
 */
import { isDeepStrictEqual } from "node:util";

export type JsonObject = { [field: string]: unknown };

/** Undefined where nothing differs. */
export function computeMergePatch(from: object, to: object): JsonObject | undefined {
  const before = from as JsonObject;
  const after = to as JsonObject;
  const patch: JsonObject = {};
  for (const field of Object.keys(before))
    if (after[field] === undefined && before[field] !== undefined) patch[field] = null;
  for (const [field, value] of Object.entries(after)) {
    const known = before[field];
    if (value === undefined || isDeepStrictEqual(known, value)) continue;
    const inner = isObject(known) && isObject(value) ? computeMergePatch(known, value) : value;
    if (inner !== undefined) patch[field] = inner;
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
