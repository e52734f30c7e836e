/** Resources that answer a creation and store nothing: what discovery and OpenAPI say of them. */
import { declareBuiltin } from "../registry/builtin-kind.ts";
import type { ResourceKind } from "../registry/kind.ts";

export interface ReviewResource {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const review = (group: string, kind: string): ReviewResource => ({
  group,
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: kind.startsWith("Local"),
});

export const reviewResources: readonly ReviewResource[] = [
  review("authentication.k8s.io", "SelfSubjectReview"),
  review("authentication.k8s.io", "TokenReview"),
  review("authorization.k8s.io", "LocalSubjectAccessReview"),
  review("authorization.k8s.io", "SelfSubjectAccessReview"),
  review("authorization.k8s.io", "SelfSubjectRulesReview"),
  review("authorization.k8s.io", "SubjectAccessReview"),
];

export function isReviewResource(group: string, plural: string): boolean {
  return reviewResources.some((one) => one.group === group && one.plural === plural);
}

let declared: readonly ResourceKind[] | undefined;

/** As kinds, for their schemas alone: no registry has them. */
export function reviewKinds(): readonly ResourceKind[] {
  declared ??= reviewResources.map(declareBuiltin);
  return declared;
}
