/** The scalar part of schema validation: enum, bounds, lengths, patterns and formats. Pure. */
import { compilePattern } from "../cel/re2-pattern.ts";
import { deepEqual } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";
import { checkFormat } from "./formats.ts";
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
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) add(`a multiple of ${multipleOf}`);
  if (schema.format === "int32" && (value < -(2 ** 31) || value >= 2 ** 31)) {
    findings.push(cause.invalid(path, value, `${path} in body must be of type int32: "${value}"`));
  }
  return findings;
}

/** Tolerates what binary fractions do to decimal ones: 0.3 is a multiple of 0.1. */
function isMultiple(value: number, factor: number): boolean {
  const ratio = value / factor;
  return Math.abs(ratio - Math.round(ratio)) <= Number.EPSILON * Math.max(1, Math.abs(ratio));
}

function checkString(value: string, schema: Schema, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const length = [...value].length;
  if (schema.minLength !== undefined && length < schema.minLength) {
    findings.push(cause.invalid(path, value, `${path} in body should be at least ${schema.minLength} chars long`));
  }
  if (schema.maxLength !== undefined && length > schema.maxLength) findings.push(cause.tooLong(path, schema.maxLength));
  if (schema.pattern !== undefined && !compilePattern(schema.pattern).test(value)) {
    findings.push(cause.invalid(path, value, `${path} in body should match '${schema.pattern}'`));
  }
  if (schema.format !== undefined && !checkFormat(schema.format, value)) {
    const detail = `${path} in body must be of type ${schema.format}: ${JSON.stringify(value)}`;
    findings.push(cause.typeInvalid(path, value, detail));
  }
  return findings;
}
