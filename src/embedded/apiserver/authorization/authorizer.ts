/**
 * What an authorizer is asked and what it answers. The request path, access reviews, impersonation, escalation checks and
 * admission policies all ask through this interface. Pure types.
 */
import type { UserInfo } from "./user-info.ts";

export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly version?: string;
  readonly resource: string;
  readonly subresource: string;
  /** Empty for collections. */
  readonly name: string;
  /** Empty at the cluster scope. */
  readonly namespace: string;
}

export interface PathAttributes {
  readonly verb: string;
  readonly path: string;
}

export type AccessAttributes = ResourceAttributes | PathAttributes;

export interface Decision {
  readonly allowed: boolean;
  /** Why, for people; often empty where nothing allows it. */
  readonly reason: string;
}

/** One rule of a role. A rule names resources or paths, never both. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface RoleReference {
  readonly kind: string;
  readonly name: string;
}

export interface Authorizer {
  authorize(user: UserInfo, attributes: AccessAttributes): Decision;
  /** Every rule that holds for the user: cluster-wide, and in the namespace unless it is empty. */
  rulesFor(user: UserInfo, namespace: string): readonly PolicyRule[];
  /** Rules of one role, of a `Role` in the namespace. Undefined where there is no such role. */
  roleRules(reference: RoleReference, namespace: string): readonly PolicyRule[] | undefined;
}

export function isPathAccess(attributes: AccessAttributes): attributes is PathAttributes {
  return "path" in attributes;
}
