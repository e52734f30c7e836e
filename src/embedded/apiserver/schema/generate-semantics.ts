/**
 * Writes `list-semantics.json`: how lists and maps of the built-in kinds merge (patch strategies and merge keys, list
 * types and map keys), which types are atomic, which fields hold quantities, and which hold structs that are always
 * there (`default: {}`, as in Kubernetes' OpenAPI). The client models do not carry it, so models and Go API types (markers
 * and struct tags) are walked side by side.
 * Run: `node src/embedded/apiserver/schema/generate-semantics.ts SOURCES`, where SOURCES/k8s.io/... holds the modules
 * api, apimachinery, apiextensions-apiserver and kube-aggregator. Effects: one file.
 */
import { writeFileSync } from "node:fs";
import { type GoField, type GoPackage, GoSources, goFields } from "../wire/go-sources.ts";
import { wireRoots } from "../wire/wire-roots.ts";
import { builtinKindModels } from "./builtin-kinds.ts";
import { type Attribute, readAttributes } from "./client-models.ts";
import type { Schema } from "./schema.ts";

const definitionRoots: Readonly<Record<string, string>> = {
  "apiextensions.k8s.io/v1/CustomResourceDefinition":
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.CustomResourceDefinition",
};

interface Semantics {
  readonly fields: Record<string, Schema>;
  readonly types: Record<string, Schema>;
  readonly quantities: string[];
}

function generateSemantics(root: string): Semantics {
  const sources = new GoSources(root);
  const pending = new Map<string, string>();
  for (const [id, model] of Object.entries(builtinKindModels)) pending.set(model, rootOf(id));
  const found: Semantics = { fields: {}, types: {}, quantities: [] };
  for (const [model, goId] of pending) {
    const { home, struct } = sources.struct(goId);
    if (struct === undefined) throw new Error(`${goId} (${model}) is no struct in these sources`);
    if (struct.markers.includes("structType=atomic")) found.types[model] = { "x-kubernetes-map-type": "atomic" };
    const fields = jsonFields(goId, sources);
    for (const attribute of readAttributes(model)) {
      const field = fields.get(attribute.baseName);
      if (field !== undefined) readField({ model, attribute, ...field, sources, pending }, found);
      else if (!["apiVersion", "kind"].includes(attribute.baseName))
        process.stderr.write(`${model}.${attribute.baseName} is not a field of ${goId} in ${home.path}\n`);
    }
  }
  return { fields: sorted(found.fields), types: sorted(found.types), quantities: found.quantities.sort() };
}

function rootOf(id: string): string {
  const name = definitionRoots[id] ?? wireRoots[id.startsWith("/") ? id.slice(1) : id];
  if (name === undefined) throw new Error(`no Go type is known for ${id}; add it to wire-roots.ts`);
  return name;
}

interface FieldHome {
  readonly field: GoField;
  readonly home: GoPackage;
}

/** By JSON name, the fields of inlined structs among them. */
function jsonFields(goId: string, sources: GoSources): Map<string, FieldHome> {
  const { home, struct } = sources.struct(goId);
  const result = new Map<string, FieldHome>();
  for (const field of struct === undefined ? [] : goFields(struct)) {
    const [name = "", ...options] = field.json.split(",");
    if (name !== "") result.set(name, { field, home });
    else if (options.includes("inline")) {
      const inner = sources.resolve(field.goType, home).type;
      if (inner.includes("/")) for (const [key, value] of jsonFields(inner, sources)) result.set(key, value);
    }
  }
  return result;
}

interface FieldPair extends FieldHome {
  readonly model: string;
  readonly attribute: Attribute;
  readonly sources: GoSources;
  readonly pending: Map<string, string>;
}

function readField(pair: FieldPair, found: Semantics): void {
  const id = `${pair.model}.${pair.attribute.baseName}`;
  const { type, flags } = pair.sources.resolve(pair.field.goType, pair.home);
  const isValueStruct = flags === "" && type.includes("/") && !pair.field.tag.includes("omitzero");
  const semantics = { ...fieldSemantics(pair.field), ...(isValueStruct && { default: {} }) };
  if (Object.keys(semantics).length > 0) found.fields[id] = semantics;
  if (type === "Quantity") found.quantities.push(id);
  const [model] = /\b(?:[A-Z][a-z]+)??V\d\w*\b/.exec(pair.attribute.type) ?? [];
  if (model !== undefined && type.includes("/") && !pair.pending.has(model)) pair.pending.set(model, type);
}

function fieldSemantics({ markers, tag }: GoField): Schema {
  const marker = (name: string) => markers.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
  const keys = markers.filter((one) => one.startsWith("listMapKey=")).map((one) => one.slice("listMapKey=".length));
  const listType = marker("listType") as "atomic" | "set" | "map" | undefined;
  const mapType = marker("mapType") ?? (marker("structType") === "atomic" ? "atomic" : undefined);
  const strategy = /patchStrategy:"([^"]*)"/.exec(tag)?.[1];
  const mergeKey = /patchMergeKey:"([^"]*)"/.exec(tag)?.[1];
  return {
    ...(listType !== undefined && { "x-kubernetes-list-type": listType }),
    ...(keys.length > 0 && { "x-kubernetes-list-map-keys": keys }),
    ...(mapType === "atomic" && { "x-kubernetes-map-type": "atomic" as const }),
    ...(mergeKey !== undefined && { "x-kubernetes-patch-merge-key": mergeKey }),
    ...(strategy !== undefined && { "x-kubernetes-patch-strategy": strategy }),
  };
}

function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function format({ fields, types, quantities }: Semantics): string {
  const lines = (map: object) =>
    Object.entries(map)
      .map(([id, schema]) => `${JSON.stringify(id)}:${JSON.stringify(schema)}`)
      .join(",\n");
  const listed = quantities.map((id) => JSON.stringify(id)).join(",\n");
  return `{\n"fields":{\n${lines(fields)}\n},\n"types":{\n${lines(types)}\n},\n"quantities":[\n${listed}\n]\n}\n`;
}

const [root] = process.argv.slice(2);
if (root === undefined) throw new Error("usage: generate-semantics.ts SOURCES");
writeFileSync(new URL("./list-semantics.json", import.meta.url), format(generateSemantics(root)));
