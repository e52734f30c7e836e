/** From a request body to an object of the kind that the path names. Unknown fields warn or fail, as asked. Pure. */
import { isObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { badRequest } from "../status.ts";
import type { WriteOptions } from "./context.ts";

export interface DecodeHow {
  /** False for applied configurations: a default is not something their manager said. */
  readonly defaults?: boolean;
}

export function decodeBody(raw: unknown, kind: ResourceKind, options: WriteOptions, how: DecodeHow = {}): KubeObject {
  if (!isObject(raw)) throw badRequest("the body of the request must be a JSON object");
  checkType(raw.apiVersion, raw.kind, kind);
  const { object, unknownFields } = kind.decode(raw, how.defaults ?? true);
  reportUnknown(unknownFields, kind, options);
  const stored = kind.toStorage === undefined ? object : kind.toStorage(object);
  return { ...stored, metadata: { ...stored.metadata } };
}

function checkType(apiVersion: unknown, kindName: unknown, kind: ResourceKind): void {
  if (kindName !== undefined && kindName !== kind.kind) {
    throw badRequest(
      `${String(kindName)} in version "${kind.version}" cannot be handled as a ${kind.kind}: the object provided is unrecognized (must be of type ${kind.kind})`,
    );
  }
  if (apiVersion !== undefined && apiVersion !== kind.apiVersion) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${kind.apiVersion})`,
    );
  }
}

function reportUnknown(fields: readonly string[], kind: ResourceKind, options: WriteOptions): void {
  if (fields.length === 0 || options.fieldValidation === "Ignore") return;
  const messages = fields.map((field) => `unknown field ${JSON.stringify(field)}`);
  if (options.fieldValidation === "Warn") {
    options.warnings.push(...messages);
    return;
  }
  const what = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
  throw badRequest(`${what}: strict decoding error: ${messages.join(", ")}`);
}
