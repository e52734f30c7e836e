/** Server-side printing: objects as `meta.k8s.io/v1` Tables, for clients that ask (kubectl get does). Pure. */
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { badRequest } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

export interface TableRequest {
  readonly kind: ResourceKind;
  readonly include: IncludeObject;
  readonly nowMs: number;
}

export function parseIncludeObject(value: string | null): IncludeObject {
  if (value === null || value === "" || value === "Metadata") return "Metadata";
  if (value === "None" || value === "Object") return value;
  const got = JSON.stringify(value);
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${got}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

export function buildTable(items: readonly StoredObject[], request: TableRequest, listMeta: object): object {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: listMeta,
    columnDefinitions: columnDefinitions(request.kind),
    rows: items.map((item) => buildRow(item.object, request)),
  };
}

export function columnDefinitions(kind: ResourceKind): object[] {
  return kind.columns.map((column) => ({
    name: column.name,
    type: column.type,
    format: column.format ?? "",
    description: column.description ?? "",
    priority: column.priority ?? 0,
  }));
}

function buildRow(object: KubeObject, request: TableRequest): object {
  const cells = request.kind.columns.map((column) => column.value(object, request.nowMs) ?? null);
  if (request.include === "None") return { cells };
  return { cells, object: request.include === "Object" ? shown(object, request.kind) : partialMetadata(object) };
}

function shown(object: KubeObject, kind: ResourceKind): KubeObject {
  return kind.fromStorage === undefined ? { ...object, apiVersion: kind.apiVersion } : kind.fromStorage(object);
}

export function partialMetadata(object: KubeObject): object {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}
