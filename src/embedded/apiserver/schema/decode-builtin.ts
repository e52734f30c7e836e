/**
 * Reads a JSON value as a built-in type, as the Go server's decoder does: nulls are absent fields, fields it does not
 * know are dropped and reported, numbers become quantities where quantities are meant, and a value of the wrong type or
 * a malformed time is an error. Pure: returns a fresh value.
 */

import { canonicalQuantity } from "../../quantity.ts";
import { isObject, type JsonObject, setField } from "../json-value.ts";
import { goTypeName } from "./builtin.ts";
import type { Schema } from "./schema.ts";
import { isValueStruct, zeroValue } from "./zero-value.ts";

export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

export interface Decoded {
  readonly value: unknown;
  readonly unknownFields: readonly string[];
}

export function decodeBuiltin(value: unknown, schema: Schema): Decoded {
  const unknownFields: string[] = [];
  return { value: decode(value, schema, { path: "", names: [], struct: "", unknownFields }), unknownFields };
}

interface Place {
  readonly path: string;
  /** Names of the fields on the way, without indices and keys of maps, and the innermost struct: how Go names a place. */
  readonly names: readonly string[];
  readonly struct: string;
  readonly unknownFields: string[];
}

function decode(value: unknown, schema: Schema, place: Place): unknown {
  if (schema["x-kubernetes-int-or-string"] === true) return decodeIntOrString(value, place);
  if (schema.type === "object") return decodeObject(value, schema, place);
  if (schema.type === "array") return decodeArray(value, schema, place);
  if (schema.type === undefined) return value;
  return decodeScalar(value, schema, place);
}

function decodeObject(value: unknown, schema: Schema, place: Place): JsonObject {
  if (!isObject(value)) throw mismatch(value, schema, place);
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(value)) {
    const childSchema = childOf(schema, name);
    const isText = childSchema?.type === "string" && schema.properties === undefined;
    // A null is an absent field; in a map of texts it is an empty text.
    if (child === null && isText) setField(result, name, "");
    if (child === null || child === undefined) continue;
    const path = place.path === "" ? name : `${place.path}.${name}`;
    if (childSchema === undefined) place.unknownFields.push(path);
    else if (isEmptyCollection(child, childSchema) && isOptional(schema, name)) continue;
    else setField(result, name, decode(child, childSchema, below(place, { schema, name, path })));
  }
  for (const name of valueStructsOf(schema)) result[name] ??= zeroValue(schema.properties?.[name] ?? {});
  return result;
}

function below(place: Place, { schema, name, path }: { schema: Schema; name: string; path: string }): Place {
  if (schema.properties === undefined) return { ...place, path };
  const struct = goTypeName(schema)?.split(".").at(-1) ?? place.struct;
  return { ...place, path, names: [...place.names, name], struct };
}

/** Go leaves empty lists and maps of optional fields out, so nobody sees them again. Structs are no maps. */
function isEmptyCollection(value: unknown, schema: Schema): boolean {
  if (schema.type === "array") return Array.isArray(value) && value.length === 0;
  return schema.additionalProperties !== undefined && isObject(value) && Object.keys(value).length === 0;
}

/** An empty list of managed fields says something: that they be forgotten. */
const isOptional = (schema: Schema, name: string): boolean =>
  schema.properties !== undefined && schema.required?.includes(name) !== true && name !== "managedFields";

const valueStructs = new WeakMap<Schema, readonly string[]>();

/** Fields that a Go type always has, so that an absent one is an empty struct. */
function valueStructsOf(schema: Schema): readonly string[] {
  const known = valueStructs.get(schema);
  if (known !== undefined) return known;
  const names = Object.entries(schema.properties ?? {}).filter(([, child]) => isValueStruct(child));
  const found = names.map(([name]) => name);
  valueStructs.set(schema, found);
  return found;
}

function childOf(schema: Schema, name: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name];
  if (typeof schema.additionalProperties === "object") return schema.additionalProperties;
  return schema.properties === undefined ? {} : undefined;
}

function decodeArray(value: unknown, schema: Schema, place: Place): unknown[] {
  if (!Array.isArray(value)) throw mismatch(value, schema, place);
  const items = schema.items ?? {};
  return value.map((item, index) => decode(item, items, { ...place, path: `${place.path}[${index}]` }));
}

function decodeIntOrString(value: unknown, place: Place): unknown {
  if (typeof value === "string" || Number.isInteger(value)) return value;
  throw mismatch(value, { type: "int-or-string" }, place);
}

function decodeScalar(value: unknown, schema: Schema, place: Place): unknown {
  if (schema.type === "string") return decodeString(value, schema, place);
  if (schema.type === "boolean" && typeof value === "boolean") return value;
  if (schema.type === "integer" && Number.isInteger(value)) return value;
  if (schema.type === "number" && typeof value === "number") return value;
  throw mismatch(value, schema, place);
}

const quantity = /^[+-]?(\d+(\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
const microTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}(Z|[+-]\d{2}:\d{2})$/;

function decodeString(value: unknown, schema: Schema, place: Place): string {
  const { path } = place;
  const format = schema.format ?? "";
  if (format === "quantity") return decodeQuantity(value, place);
  if (typeof value !== "string") throw mismatch(value, schema, place);
  if (format === "date-time" && !dateTime.test(value)) throw badTime(value, "2006-01-02T15:04:05Z07:00", path);
  if (format === "micro-time" && !microTime.test(value)) throw badTime(value, "2006-01-02T15:04:05.000000Z07:00", path);
  if (format === "byte" && !isBase64(value)) throw new DecodeError(`illegal base64 data in field "${path}"`);
  return value;
}

function isBase64(value: string): boolean {
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

function decodeQuantity(value: unknown, place: Place): string {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string") throw mismatch(value, { type: "quantity" }, place);
  if (quantity.test(text)) return canonicalQuantity(text);
  const rule = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  throw new DecodeError(`${rule} (field "${place.path}", got ${JSON.stringify(value)})`);
}

function badTime(value: string, layout: string, path: string): DecodeError {
  const hint = layout.includes("000000") ? "a micro-time needs exactly six fractional digits" : "a time is RFC 3339";
  return new DecodeError(
    `parsing time ${JSON.stringify(value)} as ${JSON.stringify(layout)}: cannot parse (field "${path}": ${hint})`,
  );
}

function mismatch(value: unknown, wanted: Schema, { names, struct }: Place): DecodeError {
  const got = Array.isArray(value) ? "array" : value === null ? "null" : nameOf(value, wanted);
  const field = names.length === 0 ? "Go value" : `Go struct field ${struct}.${names.join(".")}`;
  return new DecodeError(`json: cannot unmarshal ${got} into ${field} of type ${goTypeOf(wanted)}`);
}

/** A number of another kind is named with its value. */
function nameOf(value: unknown, wanted: Schema): string {
  if (typeof value === "boolean") return "bool";
  return typeof value === "number" && wanted.type === "integer" ? `number ${value}` : typeof value;
}

function goTypeOf(schema: Schema): string {
  const name = goTypeName(schema);
  if (name !== undefined) return name;
  if (schema.type === "array") return `[]${goTypeOf(schema.items ?? {})}`;
  if (schema.type === "boolean") return "bool";
  if (schema.type === "integer") return schema.format ?? "int64";
  if (schema.type === "number") return "float64";
  if (schema.type === "string" && schema.format === "byte") return "[]uint8";
  if (typeof schema.additionalProperties === "object") return `map[string]${goTypeOf(schema.additionalProperties)}`;
  return schema.type ?? "interface {}";
}
