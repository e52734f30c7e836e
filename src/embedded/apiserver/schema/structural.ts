/**
 * Whether a schema is structural, as `apiextensions.k8s.io/v1` demands: types everywhere, no references, combinators
 * that only constrain, list keys that exist, rules and patterns that compile, defaults that fit. Pure.
 */
import { deepEqual, isObject } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";
import { compileRules } from "./cel.ts";
import { pruneUnknown } from "./prune.ts";
import type { Schema } from "./schema.ts";
import { validateStructure } from "./validate.ts";
import { compiledPattern } from "./validate-scalar.ts";

export function checkStructural(schema: Schema, path: string): StatusCause[] {
  const findings =
    schema.type === "object" ? [] : [cause.invalid(`${path}.type`, schema.type ?? "", "must be object at the root")];
  return [...findings, ...checkNode(schema, path, true)];
}

function checkNode(schema: Schema, path: string, isRoot = false): StatusCause[] {
  const findings = [
    ...checkOwn(schema, path, isRoot),
    ...checkListKeywords(schema, path),
    ...checkExpressions(schema, path),
  ];
  findings.push(...checkDefault(schema, path));
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (isRoot && (name === "metadata" || name === "apiVersion" || name === "kind")) continue;
    findings.push(...checkNode(child, `${path}.properties[${name}]`));
  }
  if (schema.items !== undefined) findings.push(...checkNode(schema.items, `${path}.items`));
  if (typeof schema.additionalProperties === "object")
    findings.push(...checkNode(schema.additionalProperties, `${path}.additionalProperties`));
  for (const [keyword, parts] of combinators(schema)) {
    for (const [index, part] of parts.entries())
      findings.push(...checkConstraint(part, `${path}.${keyword}[${index}]`));
  }
  return findings;
}

const types = ["object", "array", "string", "integer", "number", "boolean"];

function checkOwn(schema: Schema, path: string, isRoot: boolean): StatusCause[] {
  const findings: StatusCause[] = [];
  const typeless =
    schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (schema.$ref !== undefined) findings.push(cause.forbidden(`${path}.$ref`, "$ref is not supported"));
  if (schema.type === undefined && !typeless && !isRoot)
    findings.push(cause.required(`${path}.type`, "must not be empty for specified object fields"));
  if (schema.type !== undefined && !types.includes(schema.type))
    findings.push(cause.unsupported(`${path}.type`, schema.type, types));
  if (schema.uniqueItems === true)
    findings.push(
      cause.forbidden(
        `${path}.uniqueItems`,
        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
      ),
    );
  if (schema.properties !== undefined && schema.additionalProperties !== undefined) {
    findings.push(
      cause.forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"),
    );
  }
  if (schema.additionalProperties === false)
    findings.push(cause.forbidden(`${path}.additionalProperties`, "must not be false"));
  if (schema.type === "array" && schema.items === undefined)
    findings.push(cause.required(`${path}.items`, "must be specified"));
  return findings;
}

function checkListKeywords(schema: Schema, path: string): StatusCause[] {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"];
  const findings: StatusCause[] = [];
  if (listType !== undefined && schema.type !== "array")
    findings.push(
      cause.invalid(`${path}.type`, schema.type ?? "", "must be array if x-kubernetes-list-type is specified"),
    );
  if (listType === "map" && (keys ?? []).length === 0)
    findings.push(
      cause.required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map"),
    );
  if (listType !== "map" && keys !== undefined)
    findings.push(
      cause.invalid(
        `${path}.x-kubernetes-list-type`,
        listType ?? "",
        "must be map if x-kubernetes-list-map-keys is non-empty",
      ),
    );
  for (const key of keys ?? []) {
    const property = schema.items?.properties?.[key];
    if (property === undefined)
      findings.push(
        cause.invalid(`${path}.x-kubernetes-list-map-keys`, key, "entries must all be names of item properties"),
      );
    else if (property.default === undefined && schema.items?.required?.includes(key) !== true) {
      findings.push(
        cause.required(
          `${path}.items.properties[${key}].default`,
          "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
        ),
      );
    }
  }
  return findings;
}

function checkExpressions(schema: Schema, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  if (schema.pattern !== undefined && !compiles(() => compiledPattern(schema.pattern ?? ""))) {
    findings.push(cause.invalid(`${path}.pattern`, schema.pattern, "must be a valid regular expression"));
  }
  for (const [index, rule] of (schema["x-kubernetes-validations"] ?? []).entries()) {
    const where = `${path}.x-kubernetes-validations[${index}]`;
    const problem = problemOf(() => compileRules({ "x-kubernetes-validations": [rule] }));
    if (problem !== undefined)
      findings.push(cause.invalid(`${where}.rule`, rule.rule, `compilation failed: ${problem}`));
    if (rule.message !== undefined && /\n/.test(rule.message))
      findings.push(cause.invalid(`${where}.message`, rule.message, "message must not contain line breaks"));
  }
  return findings;
}

function compiles(run: () => unknown): boolean {
  return problemOf(run) === undefined;
}

function problemOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function checkDefault(schema: Schema, path: string): StatusCause[] {
  if (schema.default === undefined) return [];
  const findings = validateStructure(schema.default, schema, `${path}.default`);
  const pruned = pruneUnknown(schema.default, schema, false);
  if (!deepEqual(pruned.value, schema.default))
    findings.push(cause.invalid(`${path}.default`, schema.default, "must not have unknown fields"));
  return findings;
}

function combinators(schema: Schema): Array<[string, readonly Schema[]]> {
  const not = schema.not === undefined ? [] : [schema.not];
  return [
    ["allOf", schema.allOf ?? []],
    ["anyOf", schema.anyOf ?? []],
    ["oneOf", schema.oneOf ?? []],
    ["not", not],
  ];
}

const constraintForbids = [
  "description",
  "default",
  "additionalProperties",
  "nullable",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-list-type",
] as const;

/** Inside of combinators a schema may constrain, but not specify. */
function checkConstraint(schema: Schema, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const isIntOrString = schema.type === "integer" || schema.type === "string";
  if (schema.type !== undefined && !isIntOrString)
    findings.push(cause.forbidden(`${path}.type`, "must be empty to be structural"));
  for (const keyword of constraintForbids) {
    if (schema[keyword] !== undefined)
      findings.push(cause.forbidden(`${path}.${keyword}`, "must be empty to be structural"));
  }
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    if (isObject(child)) findings.push(...checkConstraint(child, `${path}.properties[${name}]`));
  if (schema.items !== undefined) findings.push(...checkConstraint(schema.items, `${path}.items`));
  for (const [keyword, parts] of combinators(schema)) {
    for (const [index, part] of parts.entries())
      findings.push(...checkConstraint(part, `${path}.${keyword}[${index}]`));
  }
  return findings;
}
