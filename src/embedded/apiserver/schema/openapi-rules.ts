/**
 * What a definition's schema must keep to besides being structural: keywords that are not supported, list and map
 * semantics, and where defaults and transition rules may stand. Pure.
 */
import { cause, type StatusCause } from "../status.ts";
import type { CompiledRules } from "./compiled-rules.ts";
import { checkListKeywords } from "./list-keywords.ts";
import { checkRules } from "./rule-declarations.ts";
import type { Schema } from "./schema.ts";

export interface SchemaScope {
  readonly isRoot: boolean;
  readonly insideMetadata: boolean;
  /** Why a default may not stand here. */
  readonly noDefaults: string | undefined;
  /** The part within which old and new values cannot be matched, so that rules may not read `oldSelf`. */
  readonly uncorrelatable: string | undefined;
  /** Undefined until the schema is known to be fit for compiling its rules. */
  readonly rules: CompiledRules | undefined;
}

export const rootScope = (rules: CompiledRules | undefined): SchemaScope => ({
  isRoot: true,
  insideMetadata: false,
  noDefaults: undefined,
  uncorrelatable: undefined,
  rules,
});

export function checkOpenApi(schema: Schema, path: string, scope: SchemaScope): StatusCause[] {
  const findings = [...checkKeywords(schema, path, scope), ...checkChildren(schema, path, scope)];
  findings.push(...checkListKeywords(schema, path));
  findings.push(...checkRules(schema, path, { ...scope, isSound: findings.length === 0 }));
  return findings;
}

const types = ["array", "boolean", "integer", "number", "object", "string"];
const unsupported = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] as const;

function checkKeywords(schema: Schema, path: string, scope: SchemaScope): StatusCause[] {
  const findings: StatusCause[] = [];
  const fields = schema as Readonly<Record<string, unknown>>;
  if (schema.type && !types.includes(schema.type)) findings.push(cause.unsupported(`${path}.type`, schema.type, types));
  if (schema.default !== undefined && scope.noDefaults !== undefined)
    findings.push(cause.forbidden(`${path}.default`, `must not be set ${scope.noDefaults}`));
  for (const keyword of unsupported)
    if (fields[keyword] !== undefined)
      findings.push(cause.forbidden(`${path}.${keyword}`, `${keyword} is not supported`));
  if (schema.type === "null")
    findings.push(cause.forbidden(`${path}.type`, "type cannot be set to null, use nullable as an alternative"));
  if (Array.isArray(schema.items))
    findings.push(cause.forbidden(`${path}.items`, "items must be a schema object and not an array"));
  if (scope.insideMetadata && schema["x-kubernetes-embedded-resource"] === true)
    findings.push(
      cause.forbidden(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta"),
    );
  if (schema.uniqueItems === true) {
    const detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    findings.push(cause.forbidden(`${path}.uniqueItems`, detail));
  }
  const { additionalProperties, properties = {} } = schema;
  if (additionalProperties !== undefined && additionalProperties !== true && Object.keys(properties).length > 0) {
    const detail = "additionalProperties and properties are mutual exclusive";
    findings.push(cause.forbidden(`${path}.additionalProperties`, detail));
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false)
    findings.push(cause.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  return findings;
}

function checkChildren(schema: Schema, path: string, scope: SchemaScope): StatusCause[] {
  const below = { ...scope, isRoot: false };
  const findings: StatusCause[] = [];
  if (typeof schema.additionalProperties === "object") {
    const noDefaults = scope.insideMetadata
      ? "inside additionalProperties applying to object metadata"
      : scope.noDefaults;
    findings.push(
      ...checkOpenApi(schema.additionalProperties, `${path}.additionalProperties`, { ...below, noDefaults }),
    );
  }
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    findings.push(...checkOpenApi(child, `${path}.properties[${name}]`, scopeOf(name, schema, scope)));
  const withoutRules = { ...below, rules: undefined };
  if (schema.not !== undefined) findings.push(...checkOpenApi(schema.not, `${path}.not`, withoutRules));
  for (const keyword of ["allOf", "oneOf", "anyOf"] as const) {
    for (const [index, part] of (schema[keyword] ?? []).entries())
      findings.push(...checkOpenApi(part, `${path}.${keyword}[${index}]`, withoutRules));
  }
  if (schema.items !== undefined && !Array.isArray(schema.items)) {
    const isMap = schema["x-kubernetes-list-type"] === "map";
    const uncorrelatable = isMap ? scope.uncorrelatable : (scope.uncorrelatable ?? path);
    findings.push(...checkOpenApi(schema.items, `${path}.items`, { ...below, uncorrelatable }));
  }
  return findings;
}

function scopeOf(name: string, schema: Schema, scope: SchemaScope): SchemaScope {
  const isResource = scope.isRoot || schema["x-kubernetes-embedded-resource"] === true;
  const isMeta = isResource && ["metadata", "kind", "apiVersion"].includes(name);
  if (!isMeta) return { ...scope, isRoot: false };
  const noDefaults = scope.isRoot ? `in top-level ${name}` : scope.noDefaults;
  return { ...scope, isRoot: false, insideMetadata: true, noDefaults };
}
