/**
 * Controller revisions: the templates that a daemon set or stateful set had, as objects, so that `kubectl rollout undo`
 * finds them and pods can be told apart by the hash of theirs. Effects: writes of ControllerRevisions.
 */
import { isAlreadyExists, isNotFound } from "../../kube/api-error.ts";
import { type KubeObject, ownerReferenceTo } from "../../kube/object.ts";
import type { LabelSelector } from "../kubelet/core-types.ts";
import { computeTemplateHash, sameJson } from "./canonical.ts";
import { claimObjects } from "./claim-objects.ts";
import { type ControllerContext, clientOf } from "./controller-context.ts";
import { compareAge } from "./times.ts";
import { controllerRevisions } from "./workload-resources.ts";
import type { ControllerRevision, PodTemplate } from "./workload-types.ts";

export interface RevisionOwner extends KubeObject {
  readonly spec: { readonly selector: LabelSelector; readonly template: PodTemplate };
  readonly status?: { readonly collisionCount?: number };
}

export interface RevisionHistory {
  /** Of the template as it is now. */
  readonly current: ControllerRevision;
  /** The others, oldest first. */
  readonly old: readonly ControllerRevision[];
}

/** On pods: which revision they are made from. On the revisions of a daemon set as well. */
export const revisionHashLabel = "controller-revision-hash";

export function compareRevisions(one: ControllerRevision, other: ControllerRevision): number {
  return one.revision - other.revision || compareAge(one, other);
}

/** What a revision holds: a strategic merge patch that puts its template back. */
export function revisionData(template: PodTemplate): object {
  return { spec: { template: { ...template, $patch: "replace" } } };
}

export function templateOf(revision: ControllerRevision): PodTemplate {
  const { spec } = revision.data as { spec: { template: PodTemplate & { $patch?: string } } };
  const { $patch: _patch, ...template } = spec.template;
  return template;
}

export function hashOf(revision: ControllerRevision): string {
  return revision.metadata.labels?.[revisionHashLabel] ?? "";
}

/**
 * Finds or makes the revision of the owner's template; one that comes back gets the newest number.
 * @param hashLabel under which the revision carries the hash of its template
 */
export async function ensureRevision<T extends RevisionOwner>(
  context: ControllerContext,
  owner: T,
  readOwner: () => Promise<T>,
  hashLabel: string,
): Promise<RevisionHistory> {
  const client = clientOf(context, controllerRevisions);
  const candidates = context.informers
    .of(controllerRevisions)
    .store.byIndex("namespace", owner.metadata.namespace ?? "");
  const { selector } = owner.spec;
  const claimed = [...(await claimObjects({ owner, selector, candidates, client, readOwner }))].sort(compareRevisions);
  const data = revisionData(owner.spec.template);
  const found = claimed.findLast((revision) => sameJson(revision.data, data));
  const old = claimed.filter((revision) => revision !== found);
  const newest = Math.max(0, ...old.map(({ revision }) => revision)) + 1;
  if (found === undefined) return { current: await create(context, owner, newest, hashLabel), old };
  if (found.revision >= newest) return { current: found, old };
  return { current: await client.update({ ...found, revision: newest }), old };
}

async function create(
  context: ControllerContext,
  owner: RevisionOwner,
  revision: number,
  hashLabel: string,
): Promise<ControllerRevision> {
  const client = clientOf(context, controllerRevisions);
  const data = revisionData(owner.spec.template);
  for (let collisions = owner.status?.collisionCount ?? 0; ; collisions += 1) {
    const hash = computeTemplateHash(data, collisions);
    const wanted: ControllerRevision = {
      apiVersion: controllerRevisions.apiVersion,
      kind: controllerRevisions.kind,
      metadata: {
        name: `${owner.metadata.name}-${hash}`,
        namespace: owner.metadata.namespace ?? "",
        labels: { ...owner.spec.template.metadata?.labels, [hashLabel]: hash },
        // Where `kubectl rollout history` reads the cause of a change.
        annotations: { ...owner.metadata.annotations },
        ownerReferences: [ownerReferenceTo(owner)],
      },
      data,
      revision,
    };
    try {
      return await client.create(wanted);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const existing = await client.get(wanted.metadata);
      if (sameJson(existing.data, data)) return existing;
    }
  }
}

/** Drops the oldest revisions that nothing runs, down to the limit. */
export async function dropHistory(
  context: ControllerContext,
  history: RevisionHistory,
  limit: number | undefined,
  isUsed: (revision: ControllerRevision) => boolean,
): Promise<void> {
  const unused = history.old.filter((revision) => !isUsed(revision));
  for (const revision of unused.slice(0, Math.max(0, unused.length - (limit ?? 10)))) {
    try {
      await clientOf(context, controllerRevisions).delete(revision.metadata);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
