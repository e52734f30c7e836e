/**
 * JSON, merge and strategic merge patches: patch what is shown -> read it as the kind -> update. Effects: one write at
 * most.
 */
import { inVersion } from "../apply/versions.ts";
import type { JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { applyPatch, type PatchFormat } from "../patch/apply-patch.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { badRequest, cause, invalid, StatusError } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import type { ApiContext, Target, WriteOptions } from "./context.ts";
import { checkBody, decodeObject } from "./decode.ts";
import { readObject } from "./read.ts";
import { updateObject } from "./update.ts";

export interface PatchRequest {
  readonly format: PatchFormat;
  readonly patch: unknown;
}

export function patchObject(
  context: ApiContext,
  target: Target,
  request: PatchRequest,
  options: WriteOptions,
): StoredObject {
  const old = readObject(context, target);
  const known = sharedWith(old.object, target.kind, request.format);
  const shown = known ?? (JSON.parse(old.json(target.kind)) as JsonObject);
  const patched = applyPatch(request.format, shown, request.patch, target.kind.schema);
  const candidate = decodePatched(patched, target, { ...request, known }, options);
  return updateObject(context, target, { old, candidate, isPatch: true }, options);
}

/** A merge patch leaves alone what it does not name, and custom kinds change nothing of what they are given. */
function sharedWith(object: KubeObject, kind: ResourceKind, format: PatchFormat): KubeObject | undefined {
  return kind.builtin || format !== "merge" ? undefined : inVersion(object, kind);
}

/** What a patch makes of an object is its author's business: a result that cannot be read is a 422, as are strict findings. */
function decodePatched(
  patched: unknown,
  target: Target,
  request: PatchRequest & { readonly known: KubeObject | undefined },
  options: WriteOptions,
): KubeObject {
  const body = checkBody(patched, target.kind);
  const { object, complaints } = orInvalidPatch(body, request, () => decodeObject(body, target.kind, request.known));
  const prefix = request.format === "json" ? "json patch " : "";
  const findings = [...(options.bodyComplaints ?? []).map((one) => `${prefix}${one}`), ...complaints];
  if (findings.length === 0 || options.fieldValidation === "Ignore") return object;
  if (options.fieldValidation === "Strict")
    throw invalidPatch(body, request, `strict decoding error: ${findings.join(", ")}`);
  options.warnings.push(...findings);
  return object;
}

function orInvalidPatch<T>(patched: JsonObject, request: PatchRequest, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== badRequest("").code) throw error;
    throw invalidPatch(patched, request, error.message);
  }
}

function invalidPatch(patched: JsonObject, request: PatchRequest, why: string): StatusError {
  const shown = JSON.stringify(request.format === "strategic" ? request.patch : patched);
  return invalid({ resource: "", group: "" }, "", [cause.invalid("patch", shown, why)]);
}
