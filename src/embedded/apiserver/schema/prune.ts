/**
 * Custom resources: drops the fields that a structural schema does not name (and reports their paths), and fills in its
 * defaults. Pure: both return a fresh value.
 */
import { cloneJson, isObject, type JsonObject, setField } from "../json-value.ts";
import type { Schema } from "./schema.ts";

const objectFields = new Set(["apiVersion", "kind", "metadata"]);

/** At the root and in embedded resources, apiVersion, kind and metadata are always known. */
export function pruneUnknown(
  value: unknown,
  schema: Schema,
  isRoot = true,
): { value: unknown; unknownFields: string[] } {
  const unknownFields: string[] = [];
  return { value: prune(value, schema, { path: "", isResource: isRoot, unknownFields }), unknownFields };
}

interface Place {
  readonly path: string;
  readonly isResource: boolean;
  readonly unknownFields: string[];
}

function prune(value: unknown, schema: Schema, place: Place): unknown {
  if (Array.isArray(value)) return value.map((item, index) => pruneItem(item, index, schema, place));
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  const isResource = place.isResource || schema["x-kubernetes-embedded-resource"] === true;
  for (const [name, child] of Object.entries(value)) {
    const path = place.path === "" ? name : `${place.path}.${name}`;
    const childSchema = childSchemaOf(schema, name);
    if (isResource && objectFields.has(name)) setField(result, name, child);
    else if (childSchema === undefined) place.unknownFields.push(path);
    else
      setField(
        result,
        name,
        prune(child, childSchema, { path, isResource: false, unknownFields: place.unknownFields }),
      );
  }
  return result;
}

function pruneItem(item: unknown, index: number, schema: Schema, place: Place): unknown {
  return prune(item, schema.items ?? anything, { ...place, path: `${place.path}[${index}]`, isResource: false });
}

const anything: Schema = { "x-kubernetes-preserve-unknown-fields": true };

/** Undefined for a field that the schema does not allow; `anything` under a preserved subtree. */
export function childSchemaOf(schema: Schema, name: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name];
  if (typeof schema.additionalProperties === "object") return schema.additionalProperties;
  if (schema.additionalProperties === true) return anything;
  return schema["x-kubernetes-preserve-unknown-fields"] === true ? anything : undefined;
}

/** Fills in defaults. A null where null is not allowed counts as absent. */
export function applyDefaults(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value))
    return schema.items === undefined ? value : value.map((v) => applyDefaults(v, schema.items ?? {}));
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(value)) {
    const childSchema = childSchemaOf(schema, name);
    const takesNull = childSchema === undefined || childSchema === anything || childSchema.nullable === true;
    if (child === null && !takesNull) continue;
    setField(result, name, childSchema === undefined ? child : applyDefaults(child, childSchema));
  }
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (child.default === undefined || Object.hasOwn(result, name)) continue;
    setField(result, name, applyDefaults(cloneJson(child.default), child));
  }
  return result;
}
