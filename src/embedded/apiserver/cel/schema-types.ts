/**
 * Declares a schema to CEL and makes CEL values out of JSON by it: objects are types with their own fields, integers
 * and doubles differ, times and durations are such, names that CEL cannot write are escaped. What the schema does not
 * name cannot be reached. One binding for each schema node, made once.
 */
import type { Environment } from "@marcbachmann/cel-js";
import { Duration } from "@marcbachmann/cel-js/evaluator";
import { isObject } from "../json-value.ts";
import { parseGoDuration } from "../schema/formats.ts";
import type { Schema } from "../schema/schema.ts";
import { celEqual, concatenate, markAssociative } from "./equality.ts";

export interface CelBinding {
  /** Type name in the environment; undefined where CEL cannot reach the value. */
  readonly type: string | undefined;
  readonly toCel: (value: unknown) => unknown;
}

const dynBinding: CelBinding = { type: "dyn", toCel: dynamicValue };
const unreachable: CelBinding = { type: undefined, toCel: dynamicValue };

export class SchemaTypes {
  readonly #environment: Environment;
  readonly #bindings = new Map<Schema, CelBinding>();
  readonly #lists = new Set<string>();
  readonly #nameOf: (property: string) => string | undefined;
  #count = 0;

  /**
   * Types are registered in `environment`, which must not be cloned before all are. Names are escaped unless they are
   * Kubernetes' own, as those of an admission request.
   */
  constructor(environment: Environment, names: "escaped" | "as they are" = "escaped") {
    this.#environment = environment;
    this.#nameOf = names === "escaped" ? escapeName : (property) => property;
  }

  bind(schema: Schema, name: string, isResource = false): CelBinding {
    const known = this.#bindings.get(schema);
    if (known !== undefined) return known;
    const binding = this.#create(schema, name, isResource);
    this.#bindings.set(schema, binding);
    return binding;
  }

  #create(schema: Schema, name: string, isResource: boolean): CelBinding {
    if (schema["x-kubernetes-int-or-string"] === true) return dynBinding;
    if (schema.type === "array") return this.#bindList(schema, name);
    if (schema.type === "object") {
      if (typeof schema.additionalProperties === "object") return this.#bindMap(schema.additionalProperties, name);
      return this.#bindObject(schema, name, isResource);
    }
    return bindScalar(schema);
  }

  #bindList(schema: Schema, name: string): CelBinding {
    const items = this.bind(schema.items ?? {}, `${name}.item`, schema.items?.["x-kubernetes-embedded-resource"]);
    if (items.type === undefined) return unreachable;
    const type = `list<${items.type}>`;
    const isAssociative = ["set", "map"].includes(schema["x-kubernetes-list-type"] ?? "");
    if (isAssociative) this.#declareList(type);
    const toCel = (value: unknown) => {
      if (!Array.isArray(value)) return dynamicValue(value);
      const list = value.map(items.toCel);
      if (isAssociative) markAssociative(list, schema);
      return list;
    };
    return { type, toCel };
  }

  /** Lists of this type may be associative: their equality and sum are ours. */
  #declareList(type: string): void {
    if (this.#lists.has(type) || type.includes("map<") || type.includes(" ")) return;
    this.#lists.add(type);
    this.#environment.registerOperator(`${type} == ${type}`, celEqual);
    this.#environment.registerOperator(`${type} + ${type}`, concatenate);
  }

  #bindMap(values: Schema, name: string): CelBinding {
    const inner = this.bind(values, `${name}.value`, values["x-kubernetes-embedded-resource"]);
    if (inner.type === undefined) return unreachable;
    const toCel = (value: unknown) => {
      if (!isObject(value)) return dynamicValue(value);
      const result = bareMap();
      for (const [key, child] of Object.entries(value)) if (child !== undefined) result[key] = inner.toCel(child);
      return result;
    };
    return { type: `map<string, ${inner.type}>`, toCel };
  }

  #bindObject(schema: Schema, name: string, isResource: boolean): CelBinding {
    const fields: Record<string, string> = {};
    const readers = new Map<string, readonly [string, CelBinding]>();
    for (const [property, child] of propertiesOf(schema, isResource)) {
      const escaped = this.#nameOf(property);
      const binding = this.bind(child, `${name}.${property}`, child["x-kubernetes-embedded-resource"]);
      if (escaped === undefined || binding.type === undefined) continue;
      fields[escaped] = child.nullable === true ? "dyn" : binding.type;
      readers.set(property, [escaped, binding]);
    }
    this.#count += 1;
    const type = `object${this.#count}`;
    const TypedObject = class {};
    this.#environment.registerType(type, { ctor: TypedObject, fields });
    this.#environment.registerOperator(`${type} == ${type}`, celEqual);
    const toCel = (value: unknown) => {
      if (!isObject(value)) return dynamicValue(value);
      const result = new TypedObject() as Record<string, unknown>;
      for (const [property, [escaped, binding]] of readers) {
        const child = Object.hasOwn(value, property) ? value[property] : undefined;
        if (child !== undefined) result[escaped] = child === null ? null : binding.toCel(child);
      }
      return result;
    };
    return { type, toCel };
  }
}

const text: Schema = { type: "string" };
const namesOnly: Schema = { type: "object", properties: { name: text, generateName: text } };

/** Of a resource's metadata, rules see the name only. */
function propertiesOf(schema: Schema, isResource: boolean): ReadonlyArray<readonly [string, Schema]> {
  const own = Object.entries(schema.properties ?? {});
  if (!isResource) return own;
  const rest = own.filter(([name]) => name !== "apiVersion" && name !== "kind" && name !== "metadata");
  return [["apiVersion", text], ["kind", text], ["metadata", namesOnly], ...rest];
}

function bindScalar(schema: Schema): CelBinding {
  const { type, format } = schema;
  if (type === "string") return bindString(format);
  if (type === "boolean") return { type: "bool", toCel: (value) => value };
  if (type === "integer") return { type: "int", toCel: (value) => (typeof value === "number" ? BigInt(value) : value) };
  if (type === "number") return { type: "double", toCel: (value) => value };
  return unreachable;
}

function bindString(format: string | undefined): CelBinding {
  if (format === "byte") return { type: "bytes", toCel: (value) => Buffer.from(String(value), "base64") };
  if (format === "date" || format === "date-time")
    return { type: "google.protobuf.Timestamp", toCel: (value) => new Date(String(value)) };
  if (format === "duration") return { type: "google.protobuf.Duration", toCel: toDuration };
  return { type: "string", toCel: (value) => value };
}

const billion = 1_000_000_000n;

function toDuration(value: unknown): Duration {
  const nanos = parseGoDuration(String(value)) ?? 0n;
  return new Duration(nanos / billion, Number(nanos % billion));
}

/** No prototype: `has(self.constructor)` must be false. */
function bareMap(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

/** JSON without a schema: whole numbers are integers. */
export function dynamicValue(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(dynamicValue);
  if (!isObject(value)) return value;
  const result = bareMap();
  for (const [name, child] of Object.entries(value)) if (child !== undefined) result[name] = dynamicValue(child);
  return result;
}

const reserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return".split(" "),
);

/** The name under which CEL reaches a property, undefined where it cannot. */
export function escapeName(name: string): string | undefined {
  if (reserved.has(name)) return `__${name}__`;
  const escaped = name
    .replaceAll("__", "__underscores__")
    .replaceAll(".", "__dot__")
    .replaceAll("-", "__dash__")
    .replaceAll("/", "__slash__");
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined;
}
