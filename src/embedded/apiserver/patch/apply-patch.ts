/** The patch formats that compute a new object from an old one. Server-side apply is elsewhere. Pure. */
import { cloneJson, isObject, type JsonObject, setField } from "../json-value.ts";
import type { Schema } from "../schema/schema.ts";
import { badRequest, failure } from "../status.ts";
import { applyJsonPatch, JsonPatchError, readOperations } from "./json-patch.ts";
import { strategicMerge } from "./strategic-merge.ts";

export type PatchFormat = "json" | "merge" | "strategic";

export function applyPatch(format: PatchFormat, object: JsonObject, patch: unknown, schema: Schema): unknown {
  if (format === "json") return applyOperations(object, patch);
  if (!isObject(patch)) {
    const got = Array.isArray(patch) ? "array" : patch === null ? "null" : typeof patch;
    const what = `json: cannot unmarshal ${got} into Go value of type map[string]interface {}`;
    throw badRequest(format === "merge" ? `error decoding patch: ${what}` : what);
  }
  return format === "merge" ? mergePatch(object, patch) : strategicMerge(object, patch, schema);
}

const maxOperations = 10_000;

function applyOperations(object: JsonObject, patch: unknown): unknown {
  const operations = readOperations(patch);
  if (operations === undefined)
    throw badRequest("error decoding patch: a JSON patch must be a list of operations, each an object");
  if (operations.length > maxOperations) {
    const why = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`;
    throw failure(413, "RequestEntityTooLarge", `Request entity too large: ${why}`);
  }
  try {
    return applyJsonPatch(object, operations);
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    // The real server says no more than this either.
    throw failure(422, "Invalid", "the server rejected our request due to an error in our request", {});
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
