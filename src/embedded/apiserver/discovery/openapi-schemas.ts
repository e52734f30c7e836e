/** Component schemas of one group version for the OpenAPI documents: built-in definitions, or those of a definition. Pure. */

import { apiVersionOf, type ResourceKind } from "../registry/kind.ts";
import { builtinDefinitions, definitionOfKind } from "../schema/builtin.ts";
import { definitionName } from "../schema/definition-name.ts";
import type { Schema } from "../schema/schema.ts";
import { publishedName, publishReferences } from "./published-names.ts";
import { isReviewResource } from "./review-resources.ts";

const refPrefix = "#/components/schemas/";
const objectMeta = definitionName("V1ObjectMeta");

export function schemaName(kind: ResourceKind): string {
  if (kind.builtin) return definitionOfKind(kind.group, kind.version, kind.kind);
  return `${kind.group.split(".").reverse().join(".")}.${kind.version}.${kind.kind}`;
}

export function componentSchemas(kinds: readonly ResourceKind[]): Record<string, Schema> {
  const schemas: Record<string, Schema> = {};
  const pending = new Set<string>([objectMeta]);
  for (const kind of kinds) {
    const name = schemaName(kind);
    schemas[name] = rootSchema(kind, name);
    if (!isReviewResource(kind.group, kind.plural)) schemas[`${publishedName(name)}List`] = listSchema(kind, name);
    collectRefs(schemas[name], pending);
  }
  for (const name of pending) {
    const definition = builtinDefinitions()[name];
    if (definition === undefined || schemas[name] !== undefined) continue;
    schemas[name] = definition;
    collectRefs(definition, pending);
  }
  const named = Object.entries(schemas).map(
    ([name, schema]) => [publishedName(name), publishReferences(schema)] as const,
  );
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function rootSchema(kind: ResourceKind, name: string): Schema {
  const gvk = [{ group: kind.group, version: kind.version, kind: kind.kind }];
  if (kind.builtin) return { ...builtinDefinitions()[name], "x-kubernetes-group-version-kind": gvk };
  const properties = { ...kind.schema.properties, ...typeMeta, metadata: metadataRef };
  return { ...kind.schema, properties, "x-kubernetes-group-version-kind": gvk };
}

const typeMeta: Record<string, Schema> = {
  apiVersion: {
    type: "string",
    description:
      "The versioned schema of this representation of an object: group/version. The server refuses values it does not know.",
  },
  kind: {
    type: "string",
    description: "The resource that this object represents, in CamelCase. It cannot be changed.",
  },
};

const metadataRef: Schema = {
  description: "Standard object's metadata.",
  allOf: [{ $ref: `${refPrefix}${objectMeta}` }],
};

function listSchema(kind: ResourceKind, name: string): Schema {
  const items = { type: "array", items: { $ref: `${refPrefix}${name}` } };
  const metadata = {
    type: "object",
    properties: { resourceVersion: { type: "string" }, continue: { type: "string" } },
  };
  const gvk = [{ group: kind.group, version: kind.version, kind: kind.listKind }];
  return {
    description: `${kind.listKind} is a list of ${kind.kind}.`,
    type: "object",
    required: ["items"],
    properties: { ...typeMeta, metadata, items },
    "x-kubernetes-group-version-kind": gvk,
  };
}

function collectRefs(value: unknown, into: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, child] of Object.entries(value)) {
    if (name === "$ref" && typeof child === "string") into.add(child.slice(refPrefix.length));
    else collectRefs(child, into);
  }
}

export function openApiPathOf(group: string, version: string): string {
  return group === "" ? `api/${version}` : `apis/${apiVersionOf(group, version)}`;
}
