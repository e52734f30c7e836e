/** Which objects of a kind a list, watch or collection delete is about. A malformed selector is a 400. Pure. */
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { exactMatch, type FieldMatcher, parseFieldSelector } from "../selectors/field-selector.ts";
import { type LabelMatcher, parseLabelSelector } from "../selectors/label-selector.ts";
import { badRequest } from "../status.ts";

export interface Selection {
  readonly namespace: string | undefined;
  /** Where the selectors leave room for one name only: that object can be looked up. */
  readonly name: string | undefined;
  readonly matches: (object: KubeObject) => boolean;
  /** True when everything in the namespace is selected. */
  readonly isAll: boolean;
}

/**
 * @param requested namespace in the path
 * @param pathName in the path of a watch that is about one object
 */
export function parseSelection(
  query: URLSearchParams,
  kind: ResourceKind,
  requested: string | undefined,
  pathName?: string,
): Selection {
  const labels: LabelMatcher | undefined = parseLabelSelector(query.get("labelSelector") ?? "");
  const fieldText = query.get("fieldSelector") ?? "";
  const fields: FieldMatcher | undefined = parseFieldSelector(fieldText, kind);
  const selected = exactMatch(fieldText, "metadata.name");
  if (pathName !== undefined && fields !== undefined && selected !== pathName)
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  const name = pathName ?? selected;
  const namespace = requested ?? (kind.namespaced ? exactMatch(fieldText, "metadata.namespace") : undefined);
  const isAll = labels === undefined && fields === undefined && pathName === undefined;
  const inScope = (object: KubeObject) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name);
  const matches = (object: KubeObject) =>
    inScope(object) && (labels?.(object.metadata.labels ?? {}) ?? true) && (fields?.(object) ?? true);
  return { namespace, name, matches, isAll };
}
