/**
 * What can be owned through an endpoint: never identity, status only through its own subresource, and through status
 * nothing of the specification. Pure.
 */
import { metadataResetByStatus } from "../operations/update-rules.ts";
import type { ResourceKind } from "../registry/kind.ts";
import type { Comparison } from "./compare-objects.ts";
import { type FieldSet, pathSet, unionAll } from "./field-set.ts";

const identityNames = [
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
];
const identity = unionAll([
  pathSet(["apiVersion"]),
  pathSet(["kind"]),
  pathSet(["metadata"]),
  ...identityNames.map((name) => pathSet(["metadata", name])),
]);

export const withoutIdentity = (fields: FieldSet): FieldSet => fields.difference(identity);

const status = pathSet(["status"]);
const spec = pathSet(["spec"]);

/** Fields that the endpoint resets to what is stored, whatever a client sends. */
function resetFields(kind: ResourceKind, subresource: string): FieldSet | undefined {
  if (!kind.hasStatus) return undefined;
  if (subresource !== "status") return status;
  return unionAll([spec, ...metadataResetByStatus(kind).map(pathSet)]);
}

export function withoutReset(fields: FieldSet, kind: ResourceKind, subresource: string): FieldSet {
  const reset = resetFields(kind, subresource);
  return reset === undefined ? fields : fields.withoutSubtrees(reset);
}

export function comparisonWithoutReset(found: Comparison, kind: ResourceKind, subresource: string): Comparison {
  const reset = resetFields(kind, subresource);
  if (reset === undefined) return found;
  return {
    added: found.added.withoutSubtrees(reset),
    modified: found.modified.withoutSubtrees(reset),
    removed: found.removed.withoutSubtrees(reset),
  };
}
