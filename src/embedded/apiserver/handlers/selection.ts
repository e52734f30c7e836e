/** Which objects of a kind a list, watch or collection delete is about. A malformed selector is a 400. Pure. */
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { type FieldMatcher, parseFieldSelector } from "../selectors/field-selector.ts";
import { type LabelMatcher, parseLabelSelector } from "../selectors/label-selector.ts";

export interface Selection {
  readonly namespace: string | undefined;
  readonly matches: (object: KubeObject) => boolean;
  /** True when everything in the namespace is selected. */
  readonly isAll: boolean;
}

export function parseSelection(query: URLSearchParams, kind: ResourceKind, namespace: string | undefined): Selection {
  const labels: LabelMatcher | undefined = parseLabelSelector(query.get("labelSelector") ?? "");
  const fields: FieldMatcher | undefined = parseFieldSelector(query.get("fieldSelector") ?? "", kind);
  const inNamespace = (object: KubeObject) => namespace === undefined || object.metadata.namespace === namespace;
  const matches = (object: KubeObject) =>
    inNamespace(object) && (labels?.(object.metadata.labels ?? {}) ?? true) && (fields?.(object) ?? true);
  return { namespace, matches, isAll: labels === undefined && fields === undefined };
}
