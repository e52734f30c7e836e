/** One version of a custom resource definition, read once out of its spec. Pure. */
import { compareKubeVersions } from "../discovery/version-priority.ts";
import { asArray, asObject, asString, isObject, type JsonObject, valueAt } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import type { Schema } from "../schema/schema.ts";

export interface CustomVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  /** As declared; metadata, apiVersion and kind with what the definition says of them. */
  readonly schema: Schema;
  /** The version in which every object of the definition is stored. */
  readonly storageVersion: { readonly name: string; readonly schema: Schema };
  readonly isOnly: boolean;
  readonly hasStatus: boolean;
  readonly scale: unknown;
  readonly columns: readonly unknown[];
  readonly selectablePaths: readonly string[];
  /** What every request on a deprecated version is warned of. */
  readonly deprecation: string | undefined;
  /** Why no request on this version can be answered. */
  readonly unavailable: string | undefined;
}

export function versionsOf(definition: KubeObject): readonly CustomVersion[] {
  const spec = specOf(definition);
  const declared = asArray(spec.versions).map(asObject);
  const stored = declared.find((version) => version.storage === true) ?? declared[0] ?? {};
  const storageVersion = { name: asString(stored.name), schema: schemaOf(stored) };
  return declared.map((version) => {
    const name = asString(version.name);
    const subresources = asObject(version.subresources);
    return {
      name,
      served: version.served === true,
      storage: version.storage === true,
      schema: version === stored ? storageVersion.schema : schemaOf(version),
      storageVersion,
      isOnly: declared.length === 1,
      hasStatus: isObject(subresources.status),
      scale: subresources.scale,
      columns: asArray(version.additionalPrinterColumns),
      selectablePaths: asArray(version.selectableFields).map((field) => asString(asObject(field).jsonPath)),
      deprecation: version.deprecated === true ? deprecationOf(spec, version) : undefined,
      unavailable: name === storageVersion.name ? undefined : conversionProblem(spec),
    };
  });
}

function schemaOf(version: JsonObject): Schema {
  return (valueAt(version, ["schema", "openAPIV3Schema"]) ?? { type: "object" }) as Schema;
}

function deprecationOf(spec: JsonObject, version: JsonObject): string {
  if (typeof version.deprecationWarning === "string") return version.deprecationWarning;
  const group = asString(spec.group);
  const kind = asString(asObject(spec.names).kind);
  const name = asString(version.name);
  const [better] = asArray(spec.versions)
    .map(asObject)
    .filter((other) => other.served === true && other.deprecated !== true)
    .map((other) => asString(other.name))
    .filter((other) => compareKubeVersions(other, name) < 0)
    .sort(compareKubeVersions);
  const text = `${group}/${name} ${kind} is deprecated`;
  return better === undefined ? text : `${text}; use ${group}/${better} ${kind}`;
}

/** Webhooks are not called: what is stored in one version can then be answered in that version only. */
function conversionProblem(spec: JsonObject): string | undefined {
  if (asObject(spec.conversion).strategy !== "Webhook") return undefined;
  return `conversion webhook for ${asString(spec.group)}, Kind=${asString(asObject(spec.names).kind)} failed: this embedded API server calls no conversion webhooks; use the storage version, or conversion strategy None`;
}
