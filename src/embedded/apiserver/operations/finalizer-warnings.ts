/** Advice on finalizers that a write of a custom object adds: those without a domain may meet another writer's. Pure. */
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";

const standard = ["kubernetes", "orphan", "foregroundDeletion"];

export function finalizerWarnings(kind: ResourceKind, next: KubeObject, old: KubeObject | undefined): string[] {
  if (kind.builtin) return [];
  const before = old?.metadata.finalizers ?? [];
  const added = [...new Set(next.metadata.finalizers ?? [])].filter((finalizer) => !before.includes(finalizer)).sort();
  return added.flatMap((finalizer) => {
    if (standard.includes(finalizer)) return [];
    const missing = finalizer.includes("/") ? undefined : finalizer.includes(".") ? " including a path (/)" : "";
    if (missing === undefined) return [];
    const advice = `prefer a domain-qualified finalizer name${missing} to avoid accidental conflicts with other finalizer writers`;
    return [`metadata.finalizers: ${JSON.stringify(finalizer)}: ${advice}`];
  });
}
