/**
 * Whether a schema is structural, as `apiextensions.k8s.io/v1` demands: types everywhere, value validations that only
 * constrain, metadata left alone. Pure. Its sibling `openapi-rules.ts` checks the rest of a schema.
 */
import { compilePattern } from "../cel/re2-pattern.ts";
import { deepEqual } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";
import type { Schema } from "./schema.ts";

type Level = "root" | "item" | "field";

export function checkStructural(schema: Schema, path: string): StatusCause[] {
  return [...checkNode(schema, path, "root"), ...checkCompleteness(schema, path)];
}

function checkNode(schema: Schema, path: string, level: Level): StatusCause[] {
  const findings: StatusCause[] = [];
  const { type, items, additionalProperties } = schema;
  if (type === "array" && items === undefined) findings.push(cause.required(`${path}.items`, "must be specified"));
  if (items !== undefined) findings.push(...checkNode(items, `${path}.items`, "item"));
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    findings.push(...checkNode(child, `${path}.properties[${name}]`, "field"));
  if (additionalProperties !== undefined && level === "root")
    findings.push(cause.forbidden(`${path}.additionalProperties`, "must not be used at the root"));
  if (typeof additionalProperties === "object")
    findings.push(...checkNode(additionalProperties, `${path}.additionalProperties`, "field"));
  findings.push(...checkExtensions(schema, path), ...checkType(schema, path, level));
  findings.push(...checkMetadata(schema, path, level));
  findings.push(...checkValueValidation(schema, path, intOrStringPattern(schema)));
  return findings;
}

function checkExtensions(schema: Schema, path: string): StatusCause[] {
  if (schema["x-kubernetes-int-or-string"] !== true) return [];
  const detail = "must be false if x-kubernetes-int-or-string is true";
  return (["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const)
    .filter((keyword) => schema[keyword] === true)
    .map((keyword) => cause.invalid(`${path}.${keyword}`, true, detail));
}

const missingType: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

function checkType(schema: Schema, path: string, level: Level): StatusCause[] {
  const { type } = schema;
  const findings: StatusCause[] = [];
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const isFree = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const needsObject = "must be object if x-kubernetes-embedded-resource is true";
  if (isEmbedded && type !== "object") {
    const finding =
      type === undefined
        ? cause.required(`${path}.type`, needsObject)
        : cause.invalid(`${path}.type`, type, needsObject);
    findings.push(finding);
  } else if (!type && schema["x-kubernetes-int-or-string"] !== true && !isFree)
    findings.push(cause.required(`${path}.type`, missingType[level]));
  if (isEmbedded && schema.additionalProperties !== undefined)
    findings.push(
      cause.forbidden(`${path}.additionalProperties`, "must not be used if x-kubernetes-embedded-resource is set"),
    );
  if (level === "root" && type && type !== "object")
    findings.push(cause.invalid(`${path}.type`, type, "must be object at the root"));
  if (isEmbedded && !isFree && Object.keys(schema.properties ?? {}).length === 0) {
    const detail =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    findings.push(cause.required(`${path}.properties`, detail));
  }
  return findings;
}

const metadataAtRoot =
  "must not specify anything other than name and generateName, but metadata is implicitly specified";

/** A resource's own apiVersion, kind and metadata are given; a schema may only narrow the name. */
function checkMetadata(schema: Schema, path: string, level: Level): StatusCause[] {
  if (level !== "root" && schema["x-kubernetes-embedded-resource"] !== true) return [];
  const findings: StatusCause[] = [];
  for (const name of ["kind", "apiVersion"]) {
    const type = schema.properties?.[name]?.type;
    if (schema.properties?.[name] !== undefined && type !== "string")
      findings.push(cause.invalid(`${path}.properties[${name}].type`, type ?? "", "must be string"));
  }
  const metadata = schema.properties?.metadata;
  if (metadata === undefined) return findings;
  const where = `${path}.properties[metadata]`;
  if (metadata.type !== "object") findings.push(cause.invalid(`${where}.type`, metadata.type ?? "", "must be object"));
  if (level === "root" && specifiesMore(metadata)) findings.push(cause.forbidden(where, metadataAtRoot));
  return findings;
}

function specifiesMore({ type: _type, default: _default, properties = {}, ...rest }: Schema): boolean {
  const names = Object.keys(properties).filter((name) => name !== "name" && name !== "generateName");
  return names.length > 0 || Object.values(rest).some((value) => value !== undefined);
}

const integerOrString = [{ type: "integer" }, { type: "string" }];

/** The two forms in which value validation may name types: anyOf integer and string, bare or first in allOf. */
function intOrStringPattern(schema: Schema): "anyOf" | "allOf" | undefined {
  if (schema["x-kubernetes-int-or-string"] !== true) return undefined;
  if (deepEqual(schema.anyOf, integerOrString)) return "anyOf";
  return deepEqual(schema.allOf?.[0]?.anyOf, integerOrString) ? "allOf" : undefined;
}

function checkValueValidation(schema: Schema, path: string, exempt: "anyOf" | "allOf" | undefined): StatusCause[] {
  const findings: StatusCause[] = [];
  if (exempt !== "anyOf") findings.push(...checkAll(schema.anyOf, `${path}.anyOf`));
  for (const [index, part] of (schema.allOf ?? []).entries())
    findings.push(...checkNested(part, `${path}.allOf[${index}]`, exempt === "allOf" && index === 0));
  findings.push(...checkAll(schema.oneOf, `${path}.oneOf`));
  if (schema.not !== undefined) findings.push(...checkNested(schema.not, `${path}.not`));
  const problem = patternProblem(schema.pattern);
  if (problem !== undefined)
    findings.push(
      cause.invalid(`${path}.pattern`, schema.pattern, `must be a valid regular expression, but isn't: ${problem}`),
    );
  return findings;
}

function checkAll(parts: readonly Schema[] | undefined, path: string): StatusCause[] {
  return (parts ?? []).flatMap((part, index) => checkNested(part, `${path}[${index}]`));
}

function patternProblem(pattern: string | undefined): string | undefined {
  if (pattern === undefined) return undefined;
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const forbiddenNested: ReadonlyArray<readonly [keyof Schema, string]> = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

function checkNested(schema: Schema, path: string, isIntOrString = false): StatusCause[] {
  const findings = checkValueValidation(schema, path, isIntOrString ? "anyOf" : undefined);
  if (schema.items !== undefined) findings.push(...checkNested(schema.items, `${path}.items`));
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    findings.push(...checkNested(child, `${path}.properties[${name}]`));
  for (const [keyword, detail] of forbiddenNested) {
    const value = schema[keyword];
    if (value !== undefined && value !== false && value !== "")
      findings.push(cause.forbidden(`${path}.${keyword}`, detail));
  }
  if (schema.properties?.metadata !== undefined)
    findings.push(cause.forbidden(`${path}.properties[metadata]`, "must not be specified in a nested context"));
  return findings;
}

/** Every field that value validation at the root speaks of is specified outside of it. The server looks no deeper. */
function checkCompleteness(schema: Schema, path: string): StatusCause[] {
  return nestedParts(schema, path).flatMap(([part, where]) => checkSpecified(part, schema, { where, path }));
}

function nestedParts(schema: Schema, path: string): Array<readonly [Schema, string]> {
  const list = (keyword: "allOf" | "anyOf" | "oneOf") =>
    (schema[keyword] ?? []).map((part, index) => [part, `${path}.${keyword}[${index}]`] as const);
  const not = schema.not === undefined ? [] : [[schema.not, `${path}.not`] as const];
  return [...list("allOf"), ...list("anyOf"), ...list("oneOf"), ...not];
}

interface Places {
  readonly where: string;
  readonly path: string;
}

function checkSpecified(part: Schema, base: Schema, { where, path }: Places): StatusCause[] {
  const findings = nestedParts(part, where).flatMap(([inner, place]) =>
    checkSpecified(inner, base, { where: place, path }),
  );
  if (part.items !== undefined) {
    const detail = `because it is defined in ${where}.items`;
    if (base.items === undefined) findings.push(cause.required(`${path}.items`, detail));
    else findings.push(...checkSpecified(part.items, base.items, { where: `${where}.items`, path: `${path}.items` }));
  }
  for (const [name, child] of Object.entries(part.properties ?? {})) {
    const at = `${path}.properties[${name}]`;
    const place = `${where}.properties[${name}]`;
    const known = base.properties?.[name];
    if (known === undefined) findings.push(cause.required(at, `because it is defined in ${place}`));
    else findings.push(...checkSpecified(child, known, { where: place, path: at }));
  }
  return findings;
}
