/**
 * Which objects belong to an owner: those that it controls and selects. An orphan that it selects is adopted, one that
 * it controls and no longer selects is released. Effects: patches of owner references.
 */
import { isNotFound, KubeApiError } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import { type KubeObject, ownerReferenceTo } from "../../kube/object.ts";
import type { LabelSelector } from "../kubelet/core-types.ts";
import { matchesLabelSelector } from "../scheduler/label-match.ts";
import { controllerOf } from "./owners.ts";

export interface Claim<T extends KubeObject> {
  readonly owner: KubeObject;
  readonly selector: LabelSelector;
  /** Of the owner's namespace. */
  readonly candidates: readonly T[];
  readonly client: KubeClient<T>;
  /** Reads the owner from the server: a cache may not know yet that it is being deleted. */
  readonly readOwner: () => Promise<KubeObject>;
  /** Objects that must not be adopted, such as ended pods. */
  readonly isAdoptable?: (object: T) => boolean;
}

export async function claimObjects<T extends KubeObject>(claim: Claim<T>): Promise<readonly T[]> {
  const { owner, selector, candidates } = claim;
  const claimed: T[] = [];
  for (const object of candidates) {
    const controller = controllerOf(object);
    const selected = matchesLabelSelector(selector, object.metadata.labels ?? {});
    if (controller !== undefined && controller.uid !== owner.metadata.uid) continue;
    if (controller !== undefined && selected) claimed.push(object);
    else if (controller !== undefined) await release(claim, object);
    else if (selected && (await adopt(claim, object))) claimed.push(object);
  }
  return claimed;
}

async function adopt<T extends KubeObject>(claim: Claim<T>, object: T): Promise<boolean> {
  const { owner, client } = claim;
  if (owner.metadata.deletionTimestamp !== undefined || object.metadata.deletionTimestamp !== undefined) return false;
  if (claim.isAdoptable?.(object) === false) return false;
  const fresh = await claim.readOwner();
  if (fresh.metadata.uid !== owner.metadata.uid || fresh.metadata.deletionTimestamp !== undefined) return false;
  return patchOwners(client, object, ownerReferenceTo(owner));
}

async function release<T extends KubeObject>(claim: Claim<T>, object: T): Promise<void> {
  if (claim.owner.metadata.deletionTimestamp !== undefined) return;
  await patchOwners(claim.client, object, { $patch: "delete", uid: claim.owner.metadata.uid });
}

/** @returns false when the object is gone or another took its name */
async function patchOwners<T extends KubeObject>(client: KubeClient<T>, object: T, entry: object): Promise<boolean> {
  const body = { metadata: { uid: object.metadata.uid, ownerReferences: [entry] } };
  try {
    await client.patch(object.metadata, { kind: "strategic", body });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    if (error instanceof KubeApiError && (error.status === 409 || error.status === 422)) return false;
    throw error;
  }
}
