/** One version of a custom resource definition: schema, subresources, columns, selectable fields, deprecation. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { checkDefaults } from "../schema/check-defaults.ts";
import { compiledRulesOf } from "../schema/compiled-rules.ts";
import { checkFieldPath } from "../schema/field-path.ts";
import { checkOpenApi, rootScope } from "../schema/openapi-rules.ts";
import type { Schema } from "../schema/schema.ts";
import { checkStructural } from "../schema/structural.ts";
import { cause, type StatusCause } from "../status.ts";

export interface PlacedVersion {
  readonly version: JsonObject;
  readonly index: number;
  /** Where the server finds each part; undefined for one that another version's check covers. */
  readonly paths: Readonly<
    Record<"schema" | "subresources" | "additionalPrinterColumns" | "selectableFields", string | undefined>
  >;
}

export function checkVersionFields({ version, index, paths }: PlacedVersion): StatusCause[] {
  const declared = asObject(version.schema).openAPIV3Schema;
  const findings = checkDeprecation(version, `spec.versions[${index}].deprecationWarning`);
  if (!isObject(declared)) findings.push(cause.required(`spec.versions[${index}].schema.openAPIV3Schema`));
  const schema = (isObject(declared) ? declared : { type: "object" }) as Schema;
  const subresources = asObject(version.subresources);
  if (paths.schema !== undefined)
    findings.push(...checkSchema(schema, paths.schema, subresources.status !== undefined));
  if (paths.subresources !== undefined && isObject(subresources.scale))
    findings.push(...checkScale(subresources.scale, `${paths.subresources}.scale`));
  if (paths.additionalPrinterColumns !== undefined) {
    for (const [at, column] of asArray(version.additionalPrinterColumns).entries())
      findings.push(...checkColumn(asObject(column), `${paths.additionalPrinterColumns}[${at}]`));
  }
  if (paths.selectableFields !== undefined)
    findings.push(...checkSelectable(asArray(version.selectableFields), schema, paths.selectableFields));
  return findings;
}

const maxWarningLength = 256;

function checkDeprecation(version: JsonObject, path: string): StatusCause[] {
  const text = version.deprecationWarning;
  if (typeof text !== "string") return [];
  const fail = (detail: string) => [cause.invalid(path, text, detail)];
  if (version.deprecated !== true) return fail("can only be set for deprecated versions");
  if (text === "") return fail("must not be an empty string");
  if (Buffer.byteLength(text) > maxWarningLength) return fail(`must be <= ${maxWarningLength} characters long`);
  const odd = /[\p{C}\p{Zl}\p{Zp}]/u.exec(text);
  if (odd === null) return [];
  const at = Buffer.byteLength(text.slice(0, odd.index));
  return fail(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`);
}

/** Besides these, a root schema says nothing where the status is separate: its schema is cut out of it. */
const rootKeywords = [
  "description",
  "type",
  "format",
  "title",
  "maximum",
  "exclusiveMaximum",
  "minimum",
  "exclusiveMinimum",
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "uniqueItems",
  "multipleOf",
  "required",
  "items",
  "properties",
  "externalDocs",
  "example",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
];

function checkSchema(schema: Schema, place: string, hasStatus: boolean): StatusCause[] {
  const path = `${place}.openAPIV3Schema`;
  const findings: StatusCause[] = [];
  const odd = Object.keys(schema).find((keyword) => !rootKeywords.includes(keyword));
  if (hasStatus && odd !== undefined) {
    const detail = "fields are allowed at the root of the schema if the status subresource is enabled";
    findings.push(cause.invalid(path, odd, `only ${JSON.stringify(rootKeywords)} ${detail}`));
  }
  if (schema.nullable === true)
    findings.push(cause.forbidden(`${path}.nullable`, "nullable cannot be true at the root"));
  const structural = checkStructural(schema, path);
  const defaults = structural.length > 0 ? [] : checkDefaults(schema, path);
  const isSound = structural.length === 0 && defaults.length === 0;
  const scope = rootScope(isSound ? compiledRulesOf(schema) : undefined);
  return [...findings, ...structural, ...defaults, ...checkOpenApi(schema, path, scope)];
}

function checkScale(scale: JsonObject, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  for (const part of ["spec", "status"]) {
    const where = `${path}.${part}ReplicasPath`;
    const value = asString(scale[`${part}ReplicasPath`]);
    if (value === "") findings.push(cause.required(where));
    else findings.push(...checkSimplePath(value, where, [part], `.${part}`));
  }
  const selector = asString(scale.labelSelectorPath);
  if (selector !== "")
    findings.push(
      ...checkSimplePath(selector, `${path}.labelSelectorPath`, ["spec", "status"], "either .spec or .status"),
    );
  return findings;
}

function checkSimplePath(value: string, path: string, roots: readonly string[], under: string): StatusCause[] {
  if (!value.startsWith(".")) return [cause.invalid(path, value, "must be a simple json path starting with .")];
  if (roots.some((root) => value.startsWith(`.${root}.`))) return [];
  return [cause.invalid(path, value, `should be a json path under ${under}`)];
}

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

function checkColumn(column: JsonObject, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const [name, type, format, jsonPath] = ["name", "type", "format", "jsonPath"].map((field) => asString(column[field]));
  if (name === "") findings.push(cause.required(`${path}.name`));
  const oneOfTypes = `must be one of ${columnTypes.join(",")}`;
  if (type === "") findings.push(cause.required(`${path}.type`, oneOfTypes));
  else if (!columnTypes.includes(type ?? "")) findings.push(cause.invalid(`${path}.type`, type, oneOfTypes));
  if (format !== "" && !columnFormats.includes(format ?? ""))
    findings.push(cause.invalid(`${path}.format`, format, `must be one of ${columnFormats.join(",")}`));
  if (jsonPath === "") findings.push(cause.required(`${path}.JSONPath`));
  else if (jsonPath?.startsWith(".") !== true)
    findings.push(cause.invalid(`${path}.JSONPath`, jsonPath, "must be a simple json path starting with ."));
  return findings;
}

const maxSelectableFields = 8;

function checkSelectable(fields: readonly unknown[], schema: Schema, path: string): StatusCause[] {
  const seen = new Set<string>();
  const findings = fields.flatMap((field, index) =>
    checkSelectableField(asString(asObject(field).jsonPath), schema, { path: `${path}[${index}].jsonPath`, seen }),
  );
  return seen.size > maxSelectableFields
    ? [...findings, cause.tooMany(path, seen.size, maxSelectableFields)]
    : findings;
}

function checkSelectableField(
  jsonPath: string,
  schema: Schema,
  { path, seen }: { readonly path: string; readonly seen: Set<string> },
): StatusCause[] {
  if (jsonPath === "") return [cause.required(path)];
  const found = checkFieldPath(jsonPath, schema, false);
  if (found.problem !== undefined) return [cause.invalid(path, jsonPath, `is an invalid path: ${found.problem}`)];
  const findings: StatusCause[] = [];
  if (/^\.metadata(\.|$)/.test(found.path))
    findings.push(cause.invalid(path, jsonPath, "must not point to fields in metadata"));
  if (!["string", "boolean", "integer"].includes(found.schema.type ?? "")) {
    const detail =
      "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
    findings.push(cause.invalid(path, jsonPath, detail));
  }
  if (seen.has(found.path)) findings.push(cause.duplicate(path, jsonPath));
  seen.add(found.path);
  return findings;
}
