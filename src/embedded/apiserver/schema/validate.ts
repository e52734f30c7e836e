/**
 * Checks a custom resource against its structural schema and words each finding as Kubernetes does. Unchanged parts of
 * an update are not judged again (ratcheting), so that a tightened schema never locks an object. Pure.
 */
import { deepEqual, isObject } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";
import { checkListKeys, correlateItem } from "./list-keys.ts";
import { childSchemaOf } from "./prune.ts";
import type { Schema } from "./schema.ts";
import { checkScalar } from "./validate-scalar.ts";

export function validateStructure(value: unknown, schema: Schema, path = "", old?: unknown): StatusCause[] {
  if (old !== undefined && deepEqual(value, old)) return [];
  if (value === null)
    return schema.nullable === true || schema.type === undefined ? [] : [wrongType("null", schema, path)];
  const mismatch = checkType(value, schema, path);
  if (mismatch !== undefined) return [mismatch];
  const findings = checkScalar(value, schema, path);
  if (Array.isArray(value)) findings.push(...checkArray(value, schema, path, old));
  else if (isObject(value)) findings.push(...checkObject(value, schema, path, old));
  findings.push(...checkCombinators(value, schema, path));
  return findings;
}

function checkType(value: unknown, schema: Schema, path: string): StatusCause | undefined {
  const got = typeName(value);
  if (schema["x-kubernetes-int-or-string"] === true) {
    return got === "integer" || got === "string" ? undefined : wrongType(got, { type: "integer,string" }, path);
  }
  if (schema.type === undefined || got === schema.type) return undefined;
  if (schema.type === "number" && got === "integer") return undefined;
  return wrongType(got, schema, path);
}

export function typeName(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function wrongType(got: string, schema: Schema, path: string): StatusCause {
  const name = path === "" ? "" : `${path} `;
  return cause.typeInvalid(path, got, `${name}in body must be of type ${schema.type}: "${got}"`);
}

function checkObject(value: Record<string, unknown>, schema: Schema, path: string, old: unknown): StatusCause[] {
  const findings: StatusCause[] = [];
  const join = (name: string) => fieldPath(path, name, schema);
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name) || value[name] === undefined) findings.push(cause.required(join(name)));
  }
  const count = Object.keys(value).length;
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    findings.push(cause.tooMany(path, count, schema.maxProperties));
  }
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    findings.push(
      cause.invalid(path, count, `${path} in body should have at least ${schema.minProperties} properties`),
    );
  }
  for (const [name, child] of Object.entries(value)) {
    const childSchema = childSchemaOf(schema, name);
    const before = isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined;
    if (childSchema !== undefined) findings.push(...validateStructure(child, childSchema, join(name), before));
  }
  return findings;
}

/** Named properties join with a dot, free map keys in brackets, as Kubernetes writes field paths. */
export function fieldPath(path: string, name: string, schema: Schema): string {
  const isProperty = schema.properties !== undefined && Object.hasOwn(schema.properties, name);
  if (!isProperty && typeof schema.additionalProperties === "object" && path !== "") return `${path}.${name}`;
  return path === "" ? name : `${path}.${name}`;
}

function checkArray(value: readonly unknown[], schema: Schema, path: string, old: unknown): StatusCause[] {
  const findings: StatusCause[] = [];
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    findings.push(cause.tooMany(path, value.length, schema.maxItems));
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    findings.push(cause.invalid(path, value.length, `${path} in body should have at least ${schema.minItems} items`));
  }
  const items = schema.items;
  if (items !== undefined) {
    for (const [index, item] of value.entries()) {
      const before = Array.isArray(old) ? correlateItem(item, old, schema) : undefined;
      findings.push(...validateStructure(item, items, `${path}[${index}]`, before));
    }
  }
  findings.push(...checkListKeys(value, schema, path));
  return findings;
}

function checkCombinators(value: unknown, schema: Schema, path: string): StatusCause[] {
  const holds = (part: Schema) => validateStructure(value, part, path).length === 0;
  const findings: StatusCause[] = [];
  const add = (text: string) => findings.push(cause.invalid(path, shortValue(value), `${path} in body ${text}`));
  for (const part of schema.allOf ?? []) findings.push(...validateStructure(value, part, path));
  if (schema.anyOf !== undefined && schema["x-kubernetes-int-or-string"] !== true && !schema.anyOf.some(holds)) {
    add("must validate at least one schema (anyOf)");
  }
  if (schema.oneOf !== undefined) {
    const count = schema.oneOf.filter(holds).length;
    if (count !== 1) {
      add(`must validate one and only one schema (oneOf). Found ${count === 0 ? "none" : count} valid`);
    }
  }
  if (schema.not !== undefined && holds(schema.not)) add("must not validate the schema (not)");
  return findings;
}

/** Objects and lists are named by their type in messages, to keep these short. */
export function shortValue(value: unknown): unknown {
  return typeof value === "object" ? typeName(value) : value;
}
