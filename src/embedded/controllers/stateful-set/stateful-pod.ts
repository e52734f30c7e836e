/** The identity of a stateful set's pods: name, labels, host name and claims by ordinal. Pure. */
import { ownerReferenceTo } from "../../../kube/object.ts";
import type { Pod, Volume } from "../../kubelet/core-types.ts";
import { buildOwnedPod } from "../pod-control.ts";
import { revisionHashLabel, templateOf } from "../revision-history.ts";
import type { ControllerRevision, PersistentVolumeClaim, StatefulSet } from "../workload-types.ts";

/** The ordinal in a pod's name; `undefined` for a pod that is not of the set by its name. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const { name } = set.metadata;
  const rest = pod.metadata.name.startsWith(`${name}-`) ? pod.metadata.name.slice(name.length + 1) : "";
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined;
}

export function firstOrdinal(set: StatefulSet): number {
  return set.spec.ordinals?.start ?? 0;
}

export function revisionNameOf(pod: Pod): string {
  return pod.metadata.labels?.[revisionHashLabel] ?? "";
}

/** Names and order never change, so a volume claim is found again by the pod that comes back. */
export function buildStatefulPod(set: StatefulSet, ordinal: number, revision: ControllerRevision): Pod {
  const name = `${set.metadata.name}-${ordinal}`;
  const template = templateOf(revision);
  const pod = buildOwnedPod(set, template);
  const labels = {
    ...pod.metadata.labels,
    "statefulset.kubernetes.io/pod-name": name,
    "apps.kubernetes.io/pod-index": String(ordinal),
    [revisionHashLabel]: revision.metadata.name,
  };
  const { namespace = "", annotations, finalizers, ownerReferences = [] } = pod.metadata;
  return {
    ...pod,
    metadata: {
      name,
      namespace,
      labels,
      ownerReferences,
      // The server completes a name that it gave; ours is complete.
      ...{ generateName: `${set.metadata.name}-` },
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec: {
      ...pod.spec,
      hostname: name,
      ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}),
      ...withClaims(set, ordinal, pod.spec.volumes),
    },
  };
}

function withClaims(set: StatefulSet, ordinal: number, volumes: readonly Volume[] | undefined) {
  const claims = claimNames(set, ordinal);
  if (claims.size === 0) return {};
  const own = (volumes ?? []).filter((volume) => !claims.has(volume.name));
  const claimed = [...claims].map(([name, claimName]) => ({ name, persistentVolumeClaim: { claimName } }));
  return { volumes: [...own, ...claimed] };
}

/** Claim names by volume name. */
export function claimNames(set: StatefulSet, ordinal: number): ReadonlyMap<string, string> {
  const templates = set.spec.volumeClaimTemplates ?? [];
  return new Map(
    templates.map(({ metadata }) => [metadata?.name ?? "", `${metadata?.name}-${set.metadata.name}-${ordinal}`]),
  );
}

export function buildClaims(set: StatefulSet, ordinal: number): readonly PersistentVolumeClaim[] {
  const names = claimNames(set, ordinal);
  const isDeletedWithSet = set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === "Delete";
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata = {}, spec }) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: names.get(metadata.name ?? "") ?? "",
      namespace: set.metadata.namespace ?? "",
      labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
      ...(metadata.annotations === undefined ? {} : { annotations: { ...metadata.annotations } }),
      ...(isDeletedWithSet ? { ownerReferences: [ownerReferenceTo(set)] } : {}),
    },
    ...(spec === undefined ? {} : { spec }),
  }));
}
