/** The conditions of a namespace that is being emptied, in Kubernetes' words. Pure. */
import { asArray, asObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, statusOf } from "../object.ts";

export interface Remains {
  /** Objects left, by resource and group: `pods.`, `widgets.example.com`. */
  readonly resources: ReadonlyMap<string, number>;
  /** Objects that wait for each finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
}

const fine = [
  ["NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"],
  ["NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"],
  [
    "NamespaceDeletionContentFailure",
    "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
  ],
  ["NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"],
  ["NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"],
] as const;

/** All five, each with the time of its last change. */
export function namespaceConditions(namespace: KubeObject, remains: Remains, now: string): JsonObject[] {
  const shown = asArray(statusOf(namespace).conditions).map(asObject);
  return fine.map(([type, okReason, okMessage]) => {
    const problem = findProblem(type, remains);
    const { reason, message } = problem ?? { reason: okReason, message: okMessage };
    const status = problem === undefined ? "False" : "True";
    const before = shown.find((one) => one.type === type);
    const same = before?.status === status && before.reason === reason && before.message === message;
    return same ? before : { type, status, lastTransitionTime: now, reason, message };
  });
}

function findProblem(
  type: string,
  { resources, finalizers }: Remains,
): { reason: string; message: string } | undefined {
  if (type === "NamespaceContentRemaining" && resources.size > 0) {
    const parts = [...resources].map(([name, count]) => `${name} has ${count} resource instances`).sort();
    return { reason: "SomeResourcesRemain", message: `Some resources are remaining: ${parts.join(", ")}` };
  }
  if (type === "NamespaceFinalizersRemaining" && finalizers.size > 0) {
    const parts = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).sort();
    const message = `Some content in the namespace has finalizers remaining: ${parts.join(", ")}`;
    return { reason: "SomeFinalizersRemain", message };
  }
  return undefined;
}
