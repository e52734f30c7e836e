/**
 * Checks an applied configuration against its schema before anything is merged: fields must be declared, scalars of their
 * type, and list items told apart by their keys. Messages are Kubernetes'. Pure.
 */
import { isObject, type JsonObject } from "../json-value.ts";
import type { Schema } from "../schema/schema.ts";
import { formatElement } from "./field-set.ts";
import { childOf, ItemKeyError, isAssociative, itemElement, itemSchemaOf } from "./type-shape.ts";

/** @returns findings such as `.spec.foo: field not declared in schema`; empty for a good configuration */
export function checkConfig(config: JsonObject, schema: Schema): string[] {
  const findings: string[] = [];
  check(config, schema, "", findings);
  return findings;
}

/** One finding stands alone, several make a list. */
export function formatFindings(findings: readonly string[]): string {
  if (findings.length === 1) return findings[0] ?? "";
  return ["errors:", ...findings.map((finding) => `  ${finding}`)].join("\n");
}

function check(value: unknown, schema: Schema, path: string, findings: string[]): void {
  if (value === null || value === undefined) return;
  const complaint = typeComplaint(value, schema);
  if (complaint !== undefined) findings.push(`${path}: ${complaint}`);
  else if (isObject(value)) checkFields(value, schema, path, findings);
  else if (Array.isArray(value)) checkItems(value, schema, path, findings);
}

function checkFields(value: JsonObject, schema: Schema, path: string, findings: string[]): void {
  for (const name of Object.keys(value)) {
    const child = childOf(schema, name);
    if (child === undefined) findings.push(`${path}.${name}: field not declared in schema`);
    else check(value[name], child.schema, `${path}.${name}`, findings);
  }
}

function checkItems(value: readonly unknown[], schema: Schema, path: string, findings: string[]): void {
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    let at = `[${index}]`;
    if (isAssociative(schema)) {
      const element = elementOrFinding(item, schema);
      if (element instanceof ItemKeyError) {
        findings.push(`${path}: element ${index}: ${element.message}`);
        return;
      }
      at = formatElement(element);
      if (seen.has(element)) findings.push(`${path}: duplicate entries for key ${at}`);
      seen.add(element);
    }
    check(item, itemSchemaOf(schema), `${path}${at}`, findings);
  }
}

function elementOrFinding(item: unknown, schema: Schema): string | ItemKeyError {
  try {
    return itemElement(item, schema);
  } catch (error) {
    if (error instanceof ItemKeyError) return error;
    throw error;
  }
}

const isQuantity = (schema: Schema) => schema.format === "quantity" || schema["x-kubernetes-int-or-string"] === true;

function typeComplaint(value: unknown, schema: Schema): string | undefined {
  const { type } = schema;
  if (type === undefined || isQuantity(schema)) return undefined;
  if (type === "object") return isObject(value) ? undefined : `expected map, got &{${goText(value)}}`;
  if (type === "array") return Array.isArray(value) ? undefined : `expected list, got &{${goText(value)}}`;
  if (type === "string" && typeof value !== "string")
    return `expected string, got &value.valueUnstructured{Value:${goText(value)}}`;
  if ((type === "integer" || type === "number") && typeof value !== "number")
    return `expected numeric (int or float), got ${goType(value)}`;
  if (type === "boolean" && typeof value !== "boolean") return `expected boolean, got &{${goText(value)}}`;
  return undefined;
}

function goText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function goType(value: unknown): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  return Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
}
