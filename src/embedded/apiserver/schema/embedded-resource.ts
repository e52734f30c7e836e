/**
 * Objects within objects (`x-kubernetes-embedded-resource`): their metadata is read as metadata is, and they must say
 * what they are. Pure.
 */

import { isObject, type JsonObject } from "../json-value.ts";
import type { ObjectMeta } from "../object.ts";
import { checkPathSegment, checkServiceName } from "../registry/names.ts";
import {
  validateAnnotations,
  validateFinalizers,
  validateLabels,
  validateOwners,
} from "../registry/validate-metadata.ts";
import { cause, type StatusCause } from "../status.ts";
import { decodeBuiltin } from "./decode-builtin.ts";
import { childSchemaOf } from "./prune.ts";
import type { Schema } from "./schema.ts";

/** Reads the metadata of every embedded resource. Returns a fresh value where anything changed. Throws a DecodeError. */
export function decodeEmbedded(value: unknown, schema: Schema, metadataSchema: Schema): unknown {
  if (!hasEmbedded(schema)) return value;
  if (Array.isArray(value)) return value.map((item) => decodeEmbedded(item, schema.items ?? {}, metadataSchema));
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(value)) {
    const childSchema = childSchemaOf(schema, name);
    const isMetadata = name === "metadata" && isEmbedded(schema);
    result[name] = isMetadata
      ? decodeBuiltin(child, metadataSchema).value
      : childSchema === undefined
        ? child
        : decodeEmbedded(child, childSchema, metadataSchema);
  }
  return result;
}

export function checkEmbedded(value: unknown, schema: Schema, path = ""): StatusCause[] {
  if (!hasEmbedded(schema)) return [];
  if (Array.isArray(value))
    return value.flatMap((item, index) => checkEmbedded(item, schema.items ?? {}, `${path}[${index}]`));
  if (!isObject(value)) return [];
  const findings = isEmbedded(schema) ? checkResource(value, path) : [];
  for (const [name, child] of Object.entries(value)) {
    const childSchema = childSchemaOf(schema, name);
    if (childSchema !== undefined)
      findings.push(...checkEmbedded(child, childSchema, path === "" ? name : `${path}.${name}`));
  }
  return findings;
}

const isEmbedded = (schema: Schema) => schema["x-kubernetes-embedded-resource"] === true;

const embedded = new WeakMap<Schema, boolean>();

function hasEmbedded(schema: Schema): boolean {
  const known = embedded.get(schema);
  if (known !== undefined) return known;
  // Set first: schemas of built-in types may contain themselves.
  embedded.set(schema, false);
  const children = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const found = isEmbedded(schema) || children.some((child) => typeof child === "object" && hasEmbedded(child));
  embedded.set(schema, found);
  return found;
}

function checkResource(value: JsonObject, path: string): StatusCause[] {
  const findings = [...checkWord(value, "apiVersion", path), ...checkWord(value, "kind", path)];
  const { kind, apiVersion, metadata } = value;
  if (typeof apiVersion === "string" && apiVersion.split("/").length > 2)
    findings.push(cause.invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  if (typeof kind === "string" && kind !== "") {
    const problem = checkServiceName(kind.toLowerCase());
    if (problem !== undefined)
      findings.push(cause.invalid(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${problem}`));
  }
  if (isObject(metadata)) findings.push(...checkMetadata(metadata as ObjectMeta, `${path}.metadata`));
  return findings;
}

function checkWord(value: JsonObject, name: string, path: string): StatusCause[] {
  const word = value[name];
  if (word === undefined) return [cause.required(`${path}.${name}`)];
  if (typeof word !== "string") return [cause.invalid(`${path}.${name}`, word, "must be a string")];
  return word === "" ? [cause.invalid(`${path}.${name}`, "", "must not be empty")] : [];
}

function checkMetadata(metadata: ObjectMeta, path: string): StatusCause[] {
  const problem = metadata.name ? checkPathSegment(metadata.name) : undefined;
  return [
    ...(problem === undefined ? [] : [cause.invalid(`${path}.name`, metadata.name, problem)]),
    ...validateLabels(metadata.labels ?? {}, `${path}.labels`),
    ...validateAnnotations(metadata.annotations ?? {}, `${path}.annotations`),
    ...validateFinalizers(metadata.finalizers ?? [], `${path}.finalizers`),
    ...validateOwners(metadata.ownerReferences ?? [], `${path}.ownerReferences`),
  ];
}
