/** The scalar part of schema validation: enum, bounds, lengths, patterns and formats. Pure. */
import { isIP, isIPv4, isIPv6 } from "node:net";
import { deepEqual } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";
import type { Schema } from "./schema.ts";

export function checkScalar(value: unknown, schema: Schema, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  if (schema.enum !== undefined && !schema.enum.some((allowed) => deepEqual(allowed, value))) {
    findings.push(cause.unsupported(path, value, schema.enum));
  }
  if (typeof value === "number") findings.push(...checkNumber(value, schema, path));
  if (typeof value === "string") findings.push(...checkString(value, schema, path));
  return findings;
}

function checkNumber(value: number, schema: Schema, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const { minimum, maximum, multipleOf } = schema;
  const add = (detail: string) => findings.push(cause.invalid(path, value, `${path} in body should be ${detail}`));
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    add(`greater than ${schema.exclusiveMinimum === true ? "" : "or equal to "}${minimum}`);
  }
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    add(`less than ${schema.exclusiveMaximum === true ? "" : "or equal to "}${maximum}`);
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) add(`a multiple of ${multipleOf}`);
  if (schema.format === "int32" && (value < -(2 ** 31) || value >= 2 ** 31)) {
    findings.push(cause.invalid(path, value, `${path} in body must be of type int32: "${value}"`));
  }
  return findings;
}

function checkString(value: string, schema: Schema, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const length = [...value].length;
  if (schema.minLength !== undefined && length < schema.minLength) {
    findings.push(cause.invalid(path, value, `${path} in body should be at least ${schema.minLength} chars long`));
  }
  if (schema.maxLength !== undefined && length > schema.maxLength) findings.push(cause.tooLong(path, schema.maxLength));
  if (schema.pattern !== undefined && !compiledPattern(schema.pattern).test(value)) {
    findings.push(cause.invalid(path, value, `${path} in body should match '${schema.pattern}'`));
  }
  const checkFormat = schema.format === undefined ? undefined : formats[schema.format];
  if (checkFormat !== undefined && !checkFormat(value)) {
    findings.push(cause.invalid(path, value, `${path} in body must be of type ${schema.format}: "${value}"`));
  }
  return findings;
}

const patterns = new Map<string, RegExp>();

/** Throws a SyntaxError for a pattern that does not compile; definitions with one are refused at creation. */
export function compiledPattern(source: string): RegExp {
  let pattern = patterns.get(source);
  if (pattern === undefined) {
    pattern = new RegExp(source, "u");
    patterns.set(source, pattern);
  }
  return pattern;
}

const dateTime = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const hostname =
  /^(?=.{1,253}$)[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*$/;

/** Formats that Kubernetes checks; others are ignored there and here. */
const formats: Readonly<Record<string, (value: string) => boolean>> = {
  "date-time": (value) => dateTime.test(value) && !Number.isNaN(Date.parse(value)),
  date: (value) => /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value)),
  duration: (value) => /^[+-]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(value) || value === "0",
  byte: (value) => value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: (value) => /^[^/]+\/\d{1,3}$/.test(value) && isIP(value.split("/")[0] ?? "") !== 0,
  uuid: (value) => uuid.test(value),
  hostname: (value) => hostname.test(value),
  email: (value) => /^[^@\s]+@[^@\s]+$/.test(value),
  uri: (value) => value.startsWith("/") || URL.canParse(value),
};
