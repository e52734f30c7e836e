/**
 * The shape every Kubernetes object has, as raw JSON. Times stay strings and nothing is decoded into classes: a list and
 * a watch then give one and the same shape. Used by every file of this folder and by whoever declares a resource.
 */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  /** RFC 3339, whole seconds. */
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: unknown[];
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export type ConditionStatus = "True" | "False" | "Unknown";

/** metav1.Condition. `reason` is a PascalCase word, `message` a sentence. */
export interface Condition {
  type: string;
  status: ConditionStatus;
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

export interface ListMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

/** Points at one object of a known kind. `namespace` is left out for cluster-scoped kinds. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** An object as sent in an apply: every field optional but its name. */
export type DeepPartial<T> = T extends readonly (infer E)[]
  ? E[]
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T;

export type ApplyObject<T extends KubeObject> = Omit<DeepPartial<T>, "metadata"> & {
  metadata: Partial<Omit<ObjectMeta, "name" | "namespace">> & ObjectRef;
};

/** `namespace/name`, or `name` for a cluster-scoped object: the key of stores and queues. */
export function objectKey(object: { metadata: { name: string; namespace?: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

/** The inverse of `objectKey`. Names and namespaces are DNS labels, so the slash is unambiguous. */
export function parseObjectKey(key: string): ObjectRef {
  const slash = key.indexOf("/");
  if (slash < 0) return { name: key };
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** A controller owner reference to `owner`, which must have been read from the server (it needs a uid). */
export function ownerReferenceTo(owner: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "", controller: true, blockOwnerDeletion: true };
}

/** RFC 3339 with six digits: a Lease or an Event with three is refused by the API server. */
export function formatMicroTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000Z");
}
