/** Owner references that are there twice are stored once, with a warning. Mutates the fresh object. */
import { deepEqual } from "../json-value.ts";
import type { KubeObject, OwnerReference } from "../object.ts";

export function dropDuplicateOwners(object: KubeObject, warnings: string[], isPatch: boolean): void {
  const owners = object.metadata.ownerReferences;
  if (!Array.isArray(owners) || owners.length < 2) return;
  const kept: OwnerReference[] = [];
  const dropped: string[] = [];
  for (const owner of owners) {
    if (kept.some((known) => deepEqual(known, owner))) dropped.push(owner.uid);
    else kept.push(owner);
  }
  if (dropped.length === 0) return;
  object.metadata.ownerReferences = kept;
  const where = isPatch
    ? ".metadata.ownerReferences contains duplicate entries after mutating admission happens"
    : ".metadata.ownerReferences contains duplicate entries";
  const advice = "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24";
  warnings.push(`${where}; ${advice}; please fix your requests; duplicate UID(s) observed: ${dropped.join(", ")}`);
}
