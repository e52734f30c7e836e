/**
 * How kinds differ in updates and deletions: which a PUT creates, which must name the version they change, and what a
 * deletion does with dependents by default. Read from the strategies of Kubernetes 1.36.
 */

import { type ResourceKind, subjectOf } from "../registry/kind.ts";
import { qualified } from "../status.ts";

const createdByUpdate: ReadonlySet<string> = new Set([
  "clusterrolebindings.rbac.authorization.k8s.io",
  "clusterroles.rbac.authorization.k8s.io",
  "endpoints",
  "events",
  "events.events.k8s.io",
  "leasecandidates.coordination.k8s.io",
  "leases.coordination.k8s.io",
  "limitranges",
  "rolebindings.rbac.authorization.k8s.io",
  "roles.rbac.authorization.k8s.io",
  "runtimeclasses.node.k8s.io",
  "services",
]);

export const allowsCreateOnUpdate = (kind: ResourceKind): boolean => createdByUpdate.has(qualified(subjectOf(kind)));

const versionedUpdates: ReadonlySet<string> = new Set([
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "csistoragecapacities.storage.k8s.io",
  "leases.coordination.k8s.io",
  "poddisruptionbudgets.policy",
  "runtimeclasses.node.k8s.io",
  "volumeattachments.storage.k8s.io",
]);

export function requiresVersion(kind: ResourceKind): boolean {
  if (!kind.builtin || kind.strategy.requiresVersion === true) return true;
  return kind.group === "admissionregistration.k8s.io" || versionedUpdates.has(qualified(subjectOf(kind)));
}

/** Events have no dependents, so no policy adds a finalizer to them. */
export const takesPropagation = (kind: ResourceKind): boolean => kind.storage !== "events";

const metadataResetKinds: ReadonlySet<string> = new Set([
  "customresourcedefinitions.apiextensions.k8s.io",
  "flowschemas.flowcontrol.apiserver.k8s.io",
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
  "resourceclaims.resource.k8s.io",
  "servicecidrs.networking.k8s.io",
  "validatingadmissionpolicies.admissionregistration.k8s.io",
  "volumeattachments.storage.k8s.io",
]);

/** What a write of the status leaves of the metadata as it is stored, as paths. */
export function metadataResetByStatus(kind: ResourceKind): readonly (readonly string[])[] {
  const name = qualified(subjectOf(kind));
  if (!kind.builtin || metadataResetKinds.has(name)) return [["metadata"]];
  if (name === "deployments.apps") return [["metadata", "labels"]];
  return name === "pods"
    ? [
        ["metadata", "deletionTimestamp"],
        ["metadata", "ownerReferences"],
      ]
    : [];
}
