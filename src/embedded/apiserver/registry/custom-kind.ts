/** Turns one served version of a custom resource definition into a ResourceKind. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject, setField, valueAt } from "../json-value.ts";
import { type KubeObject, type ObjectMeta, specOf, statusOf } from "../object.ts";
import { customColumns } from "../printing/custom-columns.ts";
import { linkDefinition } from "../schema/builtin.ts";
import { DecodeError, decodeBuiltin } from "../schema/decode-builtin.ts";
import { definitionName } from "../schema/definition-name.ts";
import { decodeEmbedded } from "../schema/embedded-resource.ts";
import { applyDefaults, pruneUnknown } from "../schema/prune.ts";
import type { Schema } from "../schema/schema.ts";
import { badRequest, forbidden } from "../status.ts";
import { validateCustom } from "./custom-validation.ts";
import { type CustomVersion, versionsOf } from "./custom-version.ts";
import { apiVersionOf, type DecodedObject, type ResourceKind, type ScalePaths } from "./kind.ts";

const metadataSchema = (): Schema => linkDefinition(definitionName("V1ObjectMeta"));

export function customKinds(definition: KubeObject): readonly ResourceKind[] {
  const versions = versionsOf(definition);
  return versions.filter((version) => version.served).map((version) => customKind(definition, version));
}

/** The kind of the version in which objects are stored, served or not: what removes them walks it. */
export function storageKind(definition: KubeObject): ResourceKind | undefined {
  const version = versionsOf(definition).find(({ storage }) => storage);
  return version === undefined ? undefined : customKind(definition, version);
}

function customKind(definition: KubeObject, version: CustomVersion): ResourceKind {
  const spec = specOf(definition);
  // Names count as far as no other definition has them.
  const names = { ...asObject(spec.names), ...asObject(statusOf(definition).acceptedNames) };
  const group = asString(spec.group);
  const plural = asString(names.plural);
  const kind = asString(names.kind);
  const schema = rootSchema(version.schema);
  const scale = isObject(version.scale) ? scalePaths(version.scale) : undefined;
  const apiVersion = apiVersionOf(group, version.name);
  const shape: CustomShape = { definition, version, schema, apiVersion, kind, scale };
  return {
    group,
    version: version.name,
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
    hasStatus: version.hasStatus,
    hasGeneration: true,
    ...(scale === undefined ? {} : { scale }),
    columns: customColumns(version.columns),
    selectableFields: selectableFields(version),
    strategy: customStrategy(shape),
    subresources: {},
    decode: (raw, withDefaults, known) => decodeCustom(raw, shape, { withDefaults, known }),
    fromStorage: (object) => present(object, shape),
    toStorage: (object) => toStorage(object, shape),
    revision: definition.metadata.resourceVersion ?? "",
    ...(version.deprecation === undefined ? {} : { deprecation: version.deprecation }),
    ...(version.unavailable === undefined ? {} : { unavailable: version.unavailable }),
  };
}

interface CustomShape {
  readonly definition: KubeObject;
  readonly version: CustomVersion;
  readonly schema: Schema;
  readonly apiVersion: string;
  readonly kind: string;
  readonly scale: ScalePaths | undefined;
}

function rootSchema(declared: Schema): Schema {
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

function selectableFields(version: CustomVersion): ResourceKind["selectableFields"] {
  const entries = version.selectablePaths.map((jsonPath) => {
    const path = jsonPath.split(".").slice(1);
    return [path.join("."), (object: KubeObject) => String(valueAt(object, path) ?? "")] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * A stored object as this version shows it: with the defaults of the version in which it is stored, without what this
 * version does not know. What was written since the definition last changed has both already, where there is one version.
 */
function present(object: KubeObject, shape: CustomShape): KubeObject {
  const { version, apiVersion } = shape;
  if (isCurrent(object, shape)) return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
  const { metadata, ...content } = object;
  const defaulted = applyDefaults(content, version.storageVersion.schema);
  const pruned = pruneUnknown(defaulted, version.schema).value as JsonObject;
  return { ...pruned, apiVersion, kind: shape.kind, metadata };
}

/** Written under this very schema. */
function isCurrent({ metadata }: KubeObject, { definition, version }: CustomShape): boolean {
  const since = Number(definition.metadata.resourceVersion ?? 0);
  return version.isOnly && Number(metadata.resourceVersion ?? 0) > since;
}

/** Under the storage version, without what that version does not know. */
function toStorage(object: KubeObject, { version, definition }: CustomShape): KubeObject {
  const apiVersion = apiVersionOf(asString(specOf(definition).group), version.storageVersion.name);
  if (version.storage) return { ...object, apiVersion };
  const { metadata, ...content } = object;
  const pruned = pruneUnknown(content, version.storageVersion.schema).value as JsonObject;
  return { ...pruned, apiVersion, kind: object.kind, metadata };
}

interface Decoding {
  readonly withDefaults: boolean;
  /** As `present` shows it. */
  readonly known: KubeObject | undefined;
}

function decodeCustom(raw: JsonObject, shape: CustomShape, { withDefaults, known }: Decoding): DecodedObject {
  const { schema, isOnly } = shape.version;
  // Of several versions, what one shows may be without the defaults of another.
  const before = isOnly ? known : undefined;
  const { value, unknownFields } = pruneUnknown(raw, schema, { known: before });
  const metadata = decodeMetadata(raw.metadata, shape.kind, before?.metadata);
  const { metadata: _metadata, ...content } = readEmbedded(value, shape);
  const defaulted = withDefaults ? (applyDefaults(content, schema, before) as JsonObject) : content;
  const { apiVersion, kind } = shape;
  const object = { ...defaulted, apiVersion, kind, metadata: metadata.object };
  return { object, unknownFields: [...unknownFields, ...metadata.unknownFields] };
}

function readEmbedded(value: unknown, { version, kind }: CustomShape): JsonObject {
  try {
    return asObject(decodeEmbedded(value, version.schema, metadataSchema()));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw badRequest(`${kind}: the metadata of an embedded resource cannot be decoded: ${error.message}`);
  }
}

function decodeMetadata(
  raw: unknown,
  kind: string,
  known: ObjectMeta | undefined,
): { object: ObjectMeta; unknownFields: readonly string[] } {
  try {
    const { same, rest } = known === undefined || !isObject(raw) ? { same: {}, rest: raw } : splitFields(raw, known);
    const { value, unknownFields } = decodeBuiltin(rest ?? {}, metadataSchema());
    const object = { ...same, ...(value as JsonObject) } as ObjectMeta;
    return { object, unknownFields: unknownFields.map((field) => `metadata.${field}`) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw badRequest(`${kind}: metadata cannot be decoded: ${error.message}`);
  }
}

/** What an object shares with a known one, and the rest of it. */
function splitFields(raw: JsonObject, known: JsonObject): { readonly same: JsonObject; readonly rest: JsonObject } {
  const same: JsonObject = {};
  const rest: JsonObject = {};
  for (const [name, value] of Object.entries(raw)) {
    const isShared = Object.hasOwn(known, name) && known[name] === value;
    setField(isShared ? same : rest, name, value);
  }
  return { same, rest };
}

function customStrategy(shape: CustomShape): ResourceKind["strategy"] {
  const { definition, version, apiVersion, scale } = shape;
  const validation = { schema: version.schema, scale };
  return {
    prepareCreate: (object) => {
      if (definition.metadata.deletionTimestamp !== undefined) throw endingDefinition(shape, object.metadata.name);
      if (version.hasStatus) resetStatus(object, version.schema);
    },
    validate: (object, old) =>
      validateCustom(
        { ...object, apiVersion },
        old === undefined ? undefined : { object: present(old, shape), isJudged: isCurrent(old, shape) },
        validation,
      ),
    requiresVersion: true,
  };
}

/** What a client sends for a status is dropped; what is read back has the defaults that the schema gives to a missing one. */
function resetStatus(object: KubeObject, schema: Schema): void {
  delete object.status;
  const { status } = applyDefaults({}, schema) as JsonObject;
  if (status !== undefined) object.status = status;
}

function endingDefinition({ definition }: CustomShape, name: string): Error {
  const { group, names } = specOf(definition);
  const subject = { resource: asString(asObject(names).plural), group: asString(group) };
  return forbidden(subject, name, "create not allowed while custom resource definition is terminating");
}
