/** Turns one served version of a custom resource definition into a ResourceKind. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject, valueAt } from "../json-value.ts";
import { type KubeObject, type ObjectMeta, specOf } from "../object.ts";
import { customColumns } from "../printing/custom-columns.ts";
import { compileJsonPath } from "../printing/jsonpath.ts";
import { linkDefinition } from "../schema/builtin.ts";
import { evaluateRules, hasRules } from "../schema/cel.ts";
import { DecodeError, decodeBuiltin } from "../schema/decode-builtin.ts";
import { definitionName } from "../schema/definition-name.ts";
import { applyDefaults, pruneUnknown } from "../schema/prune.ts";
import type { Schema } from "../schema/schema.ts";
import { validateStructure } from "../schema/validate.ts";
import { badRequest, cause, failure, type StatusCause } from "../status.ts";
import { apiVersionOf, type DecodedObject, type ResourceKind, type ScalePaths } from "./kind.ts";

const metadataSchema = (): Schema => linkDefinition(definitionName("V1ObjectMeta"));

export function customKinds(definition: KubeObject): readonly ResourceKind[] {
  const versions = asArray(specOf(definition).versions).map(asObject);
  return versions.filter((version) => version.served === true).map((version) => customKind(definition, version));
}

function customKind(definition: KubeObject, version: JsonObject): ResourceKind {
  const spec = specOf(definition);
  const names = asObject(spec.names);
  const group = asString(spec.group);
  const plural = asString(names.plural);
  const kind = asString(names.kind);
  const schema = rootSchema(version);
  const subresources = asObject(version.subresources);
  const scale = isObject(subresources.scale) ? scalePaths(subresources.scale) : undefined;
  const apiVersion = apiVersionOf(group, asString(version.name));
  return {
    group,
    version: asString(version.name),
    apiVersion,
    kind,
    plural,
    singular: asString(names.singular) || kind.toLowerCase(),
    listKind: asString(names.listKind) || `${kind}List`,
    builtin: false,
    namespaced: spec.scope === "Namespaced",
    shortNames: asArray(names.shortNames).map(asString),
    categories: asArray(names.categories).map(asString),
    storage: `${plural}.${group}`,
    schema,
    hasStatus: isObject(subresources.status),
    hasGeneration: true,
    ...(scale === undefined ? {} : { scale }),
    columns: customColumns(asArray(version.additionalPrinterColumns)),
    selectableFields: selectableFields(version),
    strategy: customStrategy(schema, {
      hasStatus: isObject(subresources.status),
      isEnding: definition.metadata.deletionTimestamp !== undefined,
    }),
    subresources: {},
    decode: (raw, withDefaults) => decodeCustom(raw, { schema, apiVersion, kind, withDefaults }),
    fromStorage: (object) => ({ ...object, apiVersion }),
    toStorage: (object) => ({ ...object, apiVersion: storedApiVersion(definition) }),
  };
}

function storedApiVersion(definition: KubeObject): string {
  const spec = specOf(definition);
  const stored = asArray(spec.versions)
    .map(asObject)
    .find((version) => version.storage === true);
  return apiVersionOf(asString(spec.group), asString(stored?.name));
}

function rootSchema(version: JsonObject): Schema {
  const declared = (valueAt(version, ["schema", "openAPIV3Schema"]) ?? { type: "object" }) as Schema;
  const typeMeta: Schema = { type: "string" };
  const properties = { ...declared.properties, apiVersion: typeMeta, kind: typeMeta, metadata: metadataSchema() };
  return { ...declared, properties };
}

function scalePaths(scale: JsonObject): ScalePaths {
  const path = (field: string) =>
    asString(scale[field])
      .split(".")
      .filter((part) => part !== "");
  const selector = path("labelSelectorPath");
  const paths = { spec: path("specReplicasPath"), status: path("statusReplicasPath") };
  return selector.length === 0 ? paths : { ...paths, selector };
}

function selectableFields(version: JsonObject): ResourceKind["selectableFields"] {
  const entries = asArray(version.selectableFields).map((item) => {
    const path = asString(asObject(item).jsonPath);
    const read = compileJsonPath(path);
    return [path.replace(/^\./, ""), (object: KubeObject) => String(read(object)[0] ?? "")] as const;
  });
  return Object.fromEntries(entries);
}

interface DecodeTarget {
  readonly schema: Schema;
  readonly apiVersion: string;
  readonly kind: string;
  readonly withDefaults: boolean;
}

function decodeCustom(raw: JsonObject, target: DecodeTarget): DecodedObject {
  const { value, unknownFields } = pruneUnknown(raw, target.schema);
  const metadata = decodeMetadata(raw.metadata, target.kind);
  const content = target.withDefaults ? withoutMetadata(value, (rest) => applyDefaults(rest, target.schema)) : value;
  const object = {
    ...(content as JsonObject),
    apiVersion: target.apiVersion,
    kind: target.kind,
    metadata: metadata.object,
  };
  return { object, unknownFields: [...unknownFields, ...metadata.unknownFields] };
}

/** Metadata is decoded on its own, and takes no part in defaulting. */
function withoutMetadata(value: unknown, change: (rest: unknown) => unknown): unknown {
  const { metadata: _metadata, ...rest } = asObject(value);
  return change(rest);
}

function decodeMetadata(raw: unknown, kind: string): { object: ObjectMeta; unknownFields: readonly string[] } {
  try {
    const { value, unknownFields } = decodeBuiltin(raw ?? {}, metadataSchema());
    return { object: value as ObjectMeta, unknownFields: unknownFields.map((field) => `metadata.${field}`) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw badRequest(`${kind}: metadata cannot be decoded: ${error.message}`);
  }
}

interface CustomTraits {
  readonly hasStatus: boolean;
  /** The definition is being deleted: what exists can still be changed, nothing can be added. */
  readonly isEnding: boolean;
}

function customStrategy(schema: Schema, { hasStatus, isEnding }: CustomTraits): ResourceKind["strategy"] {
  return {
    prepareCreate: (object) => {
      if (isEnding) throw failure(405, "MethodNotAllowed", endingMessage);
      if (hasStatus) delete object.status;
      const defaulted = asObject(withoutMetadata(object, (rest) => applyDefaults(rest, schema)));
      Object.assign(object, defaulted);
    },
    validate: (object, old) => validateCustom(object, old, schema),
    requiresVersion: true,
  };
}

const endingMessage = "create not allowed while custom resource definition is terminating";

function validateCustom(object: KubeObject, old: KubeObject | undefined, schema: Schema): StatusCause[] {
  const findings = validateStructure(object, schema, "", old);
  if (!hasRules(schema)) return findings;
  // Rules take types, required fields, enums and bounds for granted, so they run only where these hold.
  if (findings.some(({ reason }) => blocksRules.has(reason ?? ""))) return [...findings, rulesSkipped];
  return [...findings, ...evaluateRules({ value: object, old, schema, path: "" })];
}

const blocksRules: ReadonlySet<string> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);
const rulesSkipped = cause.invalid(
  "<nil>",
  null,
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
);
