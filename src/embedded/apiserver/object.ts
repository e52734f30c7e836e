/** The shape every stored object shares. Kind-specific fields are read through `json-value.ts`. */
import { isObject, type JsonObject } from "./json-value.ts";

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: JsonObject;
  readonly subresource?: string;
}

export interface ObjectMeta {
  [field: string]: unknown;
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
}

export interface KubeObject {
  [field: string]: unknown;
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export function specOf(object: JsonObject): JsonObject {
  return isObject(object.spec) ? object.spec : {};
}

export function statusOf(object: JsonObject): JsonObject {
  return isObject(object.status) ? object.status : {};
}

/** Kubernetes times have whole seconds. */
export function formatTime(epochMs: number): string {
  const seconds = Math.floor(epochMs / 1000);
  // Every write asks for the time several times over, so the last answer is nearly always the next one.
  if (seconds !== lastSeconds) {
    lastTime = `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
    lastSeconds = seconds;
  }
  return lastTime;
}

let lastSeconds = Number.NaN;
let lastTime = "";
