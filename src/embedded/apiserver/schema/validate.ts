/**
 * Checks a custom resource against its structural schema and words each finding as Kubernetes does. Unchanged parts of
 * an update are not judged again (ratcheting), so that a tightened schema never locks an object. Pure.
 */
import { deepEqual, isObject } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";
import { correlateItem } from "./list-keys.ts";
import type { Schema } from "./schema.ts";
import { checkCombinators } from "./validate-combinators.ts";
import { checkScalar } from "./validate-scalar.ts";

export function validateStructure(value: unknown, schema: Schema, path = "", old?: unknown): StatusCause[] {
  if (old !== undefined && deepEqual(value, old)) return [];
  if (value === null) return checkNull(schema, path);
  const mismatch = checkType(value, schema, path);
  if (mismatch !== undefined) return [mismatch];
  const findings = checkScalar(value, schema, path);
  if (Array.isArray(value)) findings.push(...checkArray(value, schema, path, old));
  else if (isObject(value)) findings.push(...checkObject(value, schema, path, old));
  findings.push(...checkCombinators(value, schema, path));
  return findings;
}

/** Null is no value of an enum, even of one that lists it: the server compares typed values only. */
function checkNull(schema: Schema, path: string): StatusCause[] {
  if (schema.nullable !== true && !isUntyped(schema)) return [wrongType("null", schema, path)];
  return schema.enum === undefined ? [] : [cause.unsupported(shownPath(path), null, schema.enum)];
}

function isUntyped(schema: Schema): boolean {
  return schema.type === undefined && schema["x-kubernetes-int-or-string"] !== true;
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
  const type = schema["x-kubernetes-int-or-string"] === true ? "integer,string" : schema.type;
  return cause.typeInvalid(shownPath(path), got, `${path} in body must be of type ${type}: "${got}"`);
}

/** Kubernetes writes the path of the whole object so. */
export function shownPath(path: string): string {
  return path === "" ? "<nil>" : path;
}

function checkObject(value: Record<string, unknown>, schema: Schema, path: string, old: unknown): StatusCause[] {
  const findings: StatusCause[] = [];
  for (const [name, child] of Object.entries(value)) {
    const childSchema = childOf(schema, name);
    const before = isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined;
    if (childSchema !== undefined) findings.push(...validateStructure(child, childSchema, join(path, name), before));
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name) || value[name] === undefined) findings.push(cause.required(join(path, name)));
  }
  const count = Object.keys(value).length;
  const { maxProperties, minProperties } = schema;
  if (maxProperties !== undefined && count > maxProperties)
    findings.push(cause.tooMany(shownPath(path), count, maxProperties));
  if (minProperties !== undefined && count < minProperties) {
    const detail = `${path} in body should have at least ${minProperties} properties`;
    findings.push(cause.invalid(shownPath(path), count, detail));
  }
  return findings;
}

function childOf(schema: Schema, name: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name];
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function checkArray(value: readonly unknown[], schema: Schema, path: string, old: unknown): StatusCause[] {
  const findings: StatusCause[] = [];
  const { items, minItems, maxItems } = schema;
  if (items !== undefined) {
    for (const [index, item] of value.entries()) {
      const before = Array.isArray(old) ? correlateItem(item, old, schema) : undefined;
      findings.push(...validateStructure(item, items, `${path}[${index}]`, before));
    }
  }
  if (maxItems !== undefined && value.length > maxItems) findings.push(cause.tooMany(path, value.length, maxItems));
  if (minItems !== undefined && value.length < minItems)
    findings.push(cause.invalid(path, value.length, `${path} in body should have at least ${minItems} items`));
  return findings;
}
