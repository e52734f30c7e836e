/** Turns a short declaration of a built-in kind into a ResourceKind, with the generic parts filled in. */
import { isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject, ObjectMeta } from "../object.ts";
import { ageColumn, nameColumn } from "../printing/common-columns.ts";
import { builtinSchema } from "../schema/builtin.ts";
import { DecodeError, decodeBuiltin } from "../schema/decode-builtin.ts";
import { badRequest } from "../status.ts";
import { apiVersionOf, type Column, type DecodedObject, type ResourceKind, type Strategy } from "./kind.ts";

export interface BuiltinDeclaration {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced?: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storage?: string;
  readonly hasStatus?: boolean;
  readonly hasGeneration?: boolean;
  readonly scale?: ResourceKind["scale"];
  readonly columns?: readonly Column[];
  readonly selectableFields?: ResourceKind["selectableFields"];
  readonly strategy?: Strategy;
  readonly subresources?: ResourceKind["subresources"];
  readonly deprecation?: string;
  readonly fromStorage?: (object: KubeObject) => KubeObject;
  readonly toStorage?: (object: KubeObject) => KubeObject;
}

export function declareBuiltin(declaration: BuiltinDeclaration): ResourceKind {
  const { group = "", version = "v1", kind, plural } = declaration;
  const schema = builtinSchema(group, version, kind);
  const apiVersion = apiVersionOf(group, version);
  return {
    group,
    version,
    apiVersion,
    kind,
    plural,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    builtin: true,
    namespaced: declaration.namespaced ?? true,
    shortNames: declaration.shortNames ?? [],
    categories: declaration.categories ?? [],
    storage: declaration.storage ?? (group === "" ? plural : `${plural}.${group}`),
    schema,
    hasStatus: declaration.hasStatus ?? false,
    hasGeneration: declaration.hasGeneration ?? false,
    columns: declaration.columns ?? [nameColumn, ageColumn],
    selectableFields: declaration.selectableFields ?? {},
    strategy: declaration.strategy ?? {},
    subresources: declaration.subresources ?? {},
    decode: (raw) => decodeObject(raw, { schema, apiVersion, kind, version }),
    ...(declaration.deprecation === undefined ? {} : { deprecation: declaration.deprecation }),
    ...(declaration.scale === undefined ? {} : { scale: declaration.scale }),
    ...(declaration.fromStorage === undefined ? {} : { fromStorage: declaration.fromStorage }),
    ...(declaration.toStorage === undefined ? {} : { toStorage: declaration.toStorage }),
  };
}

interface DecodeTarget {
  readonly schema: ResourceKind["schema"];
  readonly apiVersion: string;
  readonly kind: string;
  readonly version: string;
}

function decodeObject(raw: JsonObject, target: DecodeTarget): DecodedObject {
  try {
    const { value, unknownFields } = decodeBuiltin(raw, target.schema);
    const object = value as JsonObject;
    const metadata = (isObject(object.metadata) ? object.metadata : { name: "" }) as ObjectMeta;
    return { object: { ...object, apiVersion: target.apiVersion, kind: target.kind, metadata }, unknownFields };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const what = `${target.kind} in version "${target.version}" cannot be handled as a ${target.kind}`;
    throw badRequest(`${what}: ${error.message}`);
  }
}
