/** Whether a schema's list type, map type and list keys fit together. Pure. */
import { cause, type StatusCause } from "../status.ts";
import type { Schema } from "./schema.ts";

export function checkListKeywords(schema: Schema, path: string): StatusCause[] {
  return [
    ...checkMapType(schema, path),
    ...checkListType(schema, path),
    ...checkKeys(schema, path),
    ...checkItems(schema, path),
  ];
}

function wrongType(schema: Schema, path: string, detail: string): StatusCause {
  return schema.type ? cause.invalid(`${path}.type`, schema.type, detail) : cause.required(`${path}.type`, detail);
}

function checkMapType(schema: Schema, path: string): StatusCause[] {
  const type = schema["x-kubernetes-map-type"];
  if (type === undefined) return [];
  const findings: StatusCause[] = [];
  if (schema.type !== "object")
    findings.push(wrongType(schema, path, "must be object if x-kubernetes-map-type is specified"));
  const known = ["atomic", "granular"];
  if (!known.includes(type)) findings.push(cause.unsupported(`${path}.x-kubernetes-map-type`, type, known));
  return findings;
}

function checkListType(schema: Schema, path: string): StatusCause[] {
  const type = schema["x-kubernetes-list-type"];
  if (type === undefined) return [];
  const findings: StatusCause[] = [];
  if (schema.type !== "array")
    findings.push(wrongType(schema, path, "must be array if x-kubernetes-list-type is specified"));
  else if (type === "set") findings.push(...checkSetItems(schema.items ?? {}, `${path}.items`));
  const known = ["atomic", "set", "map"];
  if (!known.includes(type)) findings.push(cause.unsupported(`${path}.x-kubernetes-list-type`, type, known));
  return findings;
}

function checkSetItems(items: Schema, path: string): StatusCause[] {
  const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items["x-kubernetes-list-type"] ?? null;
  if (items.type === "array" && listType !== null && listType !== "atomic")
    return [cause.invalid(`${path}.x-kubernetes-list-type`, listType, detail)];
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic")
    return [cause.invalid(`${path}.x-kubernetes-map-type`, listType, detail)];
  return [];
}

function checkKeys(schema: Schema, path: string): StatusCause[] {
  const type = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const findings: StatusCause[] = [];
  const needsMap = "must be map if x-kubernetes-list-map-keys is non-empty";
  const typePath = `${path}.x-kubernetes-list-type`;
  if (keys.length > 0 && type === undefined) findings.push(cause.required(typePath, needsMap));
  else if (keys.length > 0 && type !== "map") findings.push(cause.invalid(typePath, type, needsMap));
  if (type !== "map") return findings;
  const keysPath = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) findings.push(cause.required(keysPath, "must not be empty if x-kubernetes-list-type is map"));
  const { items } = schema;
  if (items === undefined)
    return [...findings, cause.required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map")];
  if (items.type === "object") return [...findings, ...checkKeyFields(keys, items, path)];
  const detail = "must be object if parent array's x-kubernetes-list-type is map";
  return [...findings, cause.invalid(`${path}.items.type`, items.type ?? "", detail)];
}

function checkKeyFields(keys: readonly string[], items: Schema, path: string): StatusCause[] {
  const where = `${path}.x-kubernetes-list-map-keys`;
  return keys.flatMap((key, index) => {
    const field = items.properties?.[key];
    const findings: StatusCause[] = [];
    if (field === undefined) findings.push(cause.invalid(where, keys, "entries must all be names of item properties"));
    else if (field.type === "array" || field.type === "object") {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      findings.push(cause.invalid(`${path}.items.properties[${key}].type`, items.type, detail));
    }
    if (keys.indexOf(key) < index) findings.push(cause.invalid(where, keys, "must not contain duplicate entries"));
    return findings;
  });
}

/** Items of sets and maps are never null, and keys are always there. */
function checkItems(schema: Schema, path: string): StatusCause[] {
  const type = schema["x-kubernetes-list-type"];
  const { items } = schema;
  if (items === undefined || (type !== "set" && type !== "map")) return [];
  const findings: StatusCause[] = [];
  if (items.nullable === true)
    findings.push(
      cause.forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`),
    );
  if (type !== "map") return findings;
  const isKey = "this property is in x-kubernetes-list-map-keys, so it";
  for (const key of schema["x-kubernetes-list-map-keys"] ?? []) {
    const field = items.properties?.[key];
    const where = `${path}.items.properties[${key}]`;
    if (field === undefined) continue;
    if (items.required?.includes(key) !== true && field.default === undefined)
      findings.push(cause.required(`${where}.default`, `${isKey} must have a default or be a required property`));
    if (field.nullable === true) findings.push(cause.forbidden(`${where}.nullable`, `${isKey} cannot be nullable`));
  }
  return findings;
}
