/**
 * Custom resources: drops the fields that a structural schema does not name (and reports their paths), and fills in its
 * defaults. Pure: both return a fresh value, but for parts that are known to be as they should be and are returned as they are.
 */
import { cloneJson, isObject, type JsonObject, setField } from "../json-value.ts";
import type { Schema } from "./schema.ts";

const objectFields = new Set(["apiVersion", "kind", "metadata"]);

/**
 * At the root and in embedded resources, apiVersion, kind and metadata are always known.
 * @param known pruned by this schema before: what `value` shares with it is not looked at again
 */
export function pruneUnknown(
  value: unknown,
  schema: Schema,
  { isRoot = true, known }: { readonly isRoot?: boolean; readonly known?: unknown } = {},
): { value: unknown; unknownFields: string[] } {
  const pruning = new Pruning();
  const pruned = pruning.prune(value, schema, { path: "", isResource: isRoot, keepsUnknown: false, known });
  return { value: pruned, unknownFields: pruning.unknownFields.sort() };
}

interface Place {
  readonly path: string;
  readonly isResource: boolean;
  /** Within `x-kubernetes-preserve-unknown-fields`, until a specified field begins a part of its own. */
  readonly keepsUnknown: boolean;
  readonly known?: unknown;
}

/** Undefined also where `name` is no own field: no value is the same as what objects inherit. */
export function knownChild(known: unknown, name: string): unknown {
  return isObject(known) ? known[name] : undefined;
}

class Pruning {
  readonly unknownFields: string[] = [];

  prune(value: unknown, schema: Schema | undefined, place: Place): unknown {
    if (value === place.known) return value;
    const keepsUnknown = place.keepsUnknown || schema?.["x-kubernetes-preserve-unknown-fields"] === true;
    if (keepsUnknown && schema === undefined) return value;
    if (Array.isArray(value))
      return value.map((item, index) =>
        this.prune(item, schema?.items, { path: `${place.path}[${index}]`, isResource: false, keepsUnknown }),
      );
    return isObject(value) ? this.#pruneObject(value, schema, { ...place, keepsUnknown }) : value;
  }

  #pruneObject(value: JsonObject, schema: Schema | undefined, place: Place): JsonObject {
    const result: JsonObject = {};
    const isResource = place.isResource || schema?.["x-kubernetes-embedded-resource"] === true;
    for (const [name, child] of Object.entries(value)) {
      const path = place.path === "" ? name : `${place.path}.${name}`;
      if (isResource && objectFields.has(name)) setField(result, name, child);
      else if (schema !== undefined && isSpecified(schema, name)) {
        const below = { path, isResource: false, keepsUnknown: false, known: knownChild(place.known, name) };
        setField(result, name, this.prune(child, specifiedSchema(schema, name), below));
      } else if (place.keepsUnknown) setField(result, name, child);
      else this.unknownFields.push(path);
    }
    return result;
  }
}

function isSpecified(schema: Schema, name: string): boolean {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return true;
  return schema.additionalProperties !== undefined && schema.additionalProperties !== false;
}

/** Undefined below `additionalProperties: true`: any key may be there, but nothing is said of its value. */
function specifiedSchema(schema: Schema, name: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name];
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

const anything: Schema = { "x-kubernetes-preserve-unknown-fields": true };

/** Undefined for a field that the schema does not allow; one that allows anything under a preserved subtree. */
export function childSchemaOf(schema: Schema, name: string): Schema | undefined {
  const specified = specifiedSchema(schema, name);
  if (specified !== undefined) return specified;
  const keeps = schema.additionalProperties === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  return keeps ? anything : undefined;
}

/**
 * Fills in defaults. A null where null is not allowed counts as absent.
 * @param known has the defaults of this schema: what `value` shares with it is not looked at again
 */
export function applyDefaults(value: unknown, schema: Schema, known?: unknown): unknown {
  if (value === known) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => applyDefaults(unlessNull(item, items), items));
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(value)) {
    const childSchema = specifiedSchema(schema, name);
    if (childSchema === undefined) setField(result, name, child);
    else if (child !== null || childSchema.nullable === true)
      setField(result, name, applyDefaults(child, childSchema, knownChild(known, name)));
  }
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (child.default === undefined || Object.hasOwn(result, name)) continue;
    setField(result, name, applyDefaults(cloneJson(child.default), child));
  }
  return result;
}

/** A list cannot lose an item, so that a null which nothing replaces stays for validation to find. */
function unlessNull(item: unknown, schema: Schema): unknown {
  return item === null && schema.nullable !== true ? cloneJson(schema.default ?? null) : item;
}
