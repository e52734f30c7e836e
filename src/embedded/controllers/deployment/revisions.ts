/** Which replica set is a deployment's newest, and the revision numbers that `kubectl rollout` reads. Pure. */
import type { LabelSelector } from "../../kubelet/core-types.ts";
import { canonicalJson } from "../canonical.ts";
import { compareAge } from "../times.ts";
import type { Deployment, PodTemplate, ReplicaSet } from "../workload-types.ts";
import { boundsOf, maxReplicasAnnotation, replicasOf } from "./replica-counts.ts";

export const hashLabel = "pod-template-hash";
export const revisionAnnotation = "deployment.kubernetes.io/revision";
const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
const maxHistoryLength = 2_000;

const notCopied = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
]);

type Annotations = Record<string, string>;

/** The oldest set of the deployment's template: two can be equal after a hash collision. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = comparable(deployment.spec.template);
  return [...sets].sort(compareAge).find((set) => comparable(set.spec.template) === wanted);
}

export function isSameTemplate(one: PodTemplate, other: PodTemplate): boolean {
  return comparable(one) === comparable(other);
}

function comparable(template: PodTemplate): string {
  const { [hashLabel]: _hash, ...labels } = template.metadata?.labels ?? {};
  return canonicalJson({ ...template, metadata: { ...template.metadata, labels } });
}

export function revisionOf(set: ReplicaSet | Deployment): number {
  const revision = Number(set.metadata.annotations?.[revisionAnnotation] ?? 0);
  return Number.isInteger(revision) ? revision : 0;
}

export function nextRevision(old: readonly ReplicaSet[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1;
}

/** What the deployment says of itself goes to its newest set, with the revision and the sizes it was made for. */
export function computeSetAnnotations(
  deployment: Deployment,
  existing: Annotations | undefined,
  revision: number,
): Annotations {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !notCopied.has(name));
  const annotations: Annotations = { ...existing, ...Object.fromEntries(copied) };
  const before = existing?.[revisionAnnotation];
  if (before !== undefined && Number(before) >= revision) return annotations;
  annotations[revisionAnnotation] = String(revision);
  if (before === undefined) return annotations;
  // Rolled back to: the numbers that this set had before stay known.
  const history = [...(existing?.[revisionHistoryAnnotation]?.split(",") ?? []), before];
  while (history.join(",").length > maxHistoryLength) history.shift();
  annotations[revisionHistoryAnnotation] = history.join(",");
  return annotations;
}

/** What the sizes of all sets were computed for: a change of it is a change of scale and not of template. */
export function sizeAnnotations(deployment: Deployment): Annotations {
  const desired = replicasOf(deployment);
  return {
    [desiredReplicasAnnotation]: String(desired),
    [maxReplicasAnnotation]: String(desired + boundsOf(deployment).maxSurge),
  };
}

export function withHash(selector: LabelSelector, hash: string): LabelSelector {
  return { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } };
}

/** Old sets beyond the history limit that nothing runs in, oldest first. */
export function findExpiredSets(deployment: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined) return [];
  const living = old.filter((set) => set.metadata.deletionTimestamp === undefined);
  return living
    .sort((one, other) => revisionOf(one) - revisionOf(other) || compareAge(one, other))
    .slice(0, Math.max(0, living.length - limit))
    .filter(
      (set) =>
        (set.status?.replicas ?? 0) === 0 &&
        replicasOf(set) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    );
}
