/** From a request body to an object of the kind that the path names. Unknown fields warn or fail, as asked. Pure. */
import { isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { badRequest } from "../status.ts";
import type { WriteOptions } from "./context.ts";

export function decodeBody(raw: unknown, kind: ResourceKind, options: WriteOptions): KubeObject {
  const body = checkBody(raw, kind);
  const { object, complaints } = decodeObject(body, kind);
  const findings = [...(options.bodyComplaints ?? []), ...complaints];
  if (findings.length === 0 || options.fieldValidation === "Ignore") return object;
  if (options.fieldValidation === "Strict")
    throw badRequest(`${cannotHandle(body, kind)}: strict decoding error: ${findings.join(", ")}`);
  options.warnings.push(...findings);
  return object;
}

/** An object of this kind and version, or nothing said of them. */
export function checkBody(raw: unknown, kind: ResourceKind): JsonObject {
  const unrecognized = `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; json parse error: json: cannot unmarshal`;
  if (!isObject(raw)) {
    throw badRequest(
      `${unrecognized} ${nameJsonType(raw)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  for (const field of ["apiVersion", "kind"])
    if (raw[field] !== undefined && raw[field] !== null && typeof raw[field] !== "string")
      throw badRequest(`${unrecognized} ${nameJsonType(raw[field])} into Go struct field .${field} of type string`);
  const apiVersion = raw.apiVersion ?? undefined;
  const name = raw.kind ?? undefined;
  const isOtherKind = name !== undefined && name !== "" && name !== kind.kind;
  if (isOtherKind && (apiVersion === undefined || apiVersion === "" || apiVersion === kind.apiVersion))
    throw badRequest(`${cannotHandle(raw, kind)}: ${unregistered(raw, kind)}`);
  if (apiVersion !== undefined && apiVersion !== "" && apiVersion !== kind.apiVersion) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${kind.apiVersion})`,
    );
  }
  return raw;
}

function nameJsonType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function cannotHandle(raw: JsonObject, kind: ResourceKind): string {
  const name = typeof raw.kind === "string" && raw.kind !== "" ? raw.kind : kind.kind;
  return `${name} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;
}

function unregistered(raw: JsonObject, kind: ResourceKind): string {
  return `converting (${kind.apiVersion}.${String(raw.kind)}) to (${kind.apiVersion}.${kind.kind}): unknown conversion`;
}

export interface DecodedBody {
  /** As stored; fresh, but for what a known object gave. */
  readonly object: KubeObject;
  /** Such as `unknown field "spec.foo"`. */
  readonly complaints: readonly string[];
}

/** @param known shown by this kind; what `raw` shares with it may be in the answer as well */
export function decodeObject(raw: JsonObject, kind: ResourceKind, known?: KubeObject): DecodedBody {
  const { object, unknownFields } = kind.decode(raw, true, known);
  const stored = kind.toStorage === undefined ? object : kind.toStorage(object);
  const complaints = unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`);
  return { object: { ...stored, metadata: { ...stored.metadata } }, complaints };
}
