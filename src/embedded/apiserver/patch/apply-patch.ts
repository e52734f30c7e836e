/** The patch formats that compute a new object from an old one. Server-side apply is elsewhere. Pure. */
import jsonPatch from "fast-json-patch";
import { cloneJson, isObject, type JsonObject, setField } from "../json-value.ts";
import type { Schema } from "../schema/schema.ts";
import { badRequest, failure } from "../status.ts";
import { strategicMerge } from "./strategic-merge.ts";

export type PatchFormat = "json" | "merge" | "strategic";

export function applyPatch(format: PatchFormat, object: JsonObject, patch: unknown, schema: Schema): unknown {
  if (format === "json") return applyJsonPatch(object, patch);
  if (!isObject(patch)) throw badRequest("a merge patch must be a JSON object");
  return format === "merge" ? mergePatch(object, patch) : strategicMerge(object, patch, schema);
}

const maxOperations = 10_000;

function applyJsonPatch(object: JsonObject, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest("a JSON patch must be a list of operations");
  if (patch.length > maxOperations)
    throw failure(
      413,
      "RequestEntityTooLarge",
      `a JSON patch may have at most ${maxOperations} operations, got ${patch.length}`,
    );
  try {
    return jsonPatch.applyPatch(cloneJson(object), patch as jsonPatch.Operation[], true, true, true).newDocument;
  } catch {
    // What the library says would hold the whole object; the real server says no more than this either.
    throw failure(422, "Invalid", "the server rejected our request due to an error in our request");
  }
}

/** RFC 7396. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return cloneJson(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else setField(result, name, mergePatch(Object.hasOwn(result, name) ? result[name] : undefined, value));
  }
  return result;
}
