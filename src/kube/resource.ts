/**
 * A kind as the API server knows it, and its URL paths. A `ResourceType` is declared once per kind and ties the kind's
 * TypeScript type to its address, so that clients and informers need no casts. Pure.
 */
import { InferiumError } from "../base/errors.ts";
import type { KubeObject, ObjectRef } from "./object.ts";

export interface ResourceType<T extends KubeObject = KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: carries T, so that a ResourceType of one kind is not taken for another's. */
  readonly objectType?: T;
}

export interface ResourceDeclaration {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

export function defineResource<T extends KubeObject>(declaration: ResourceDeclaration): ResourceType<T> {
  return Object.freeze({ ...declaration });
}

/** `/api/v1/namespaces/ns/pods` or `/apis/group/version/plural`; without a namespace, all of them. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.apiVersion.includes("/") ? `/apis/${type.apiVersion}` : `/api/${type.apiVersion}`;
  const scope = type.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${scope}/${type.plural}`;
}

/** Path of one object, or of its subresource such as `status` or `log`. */
export function objectPath(type: ResourceType, ref: ObjectRef, subresource?: string): string {
  if (ref.name === "" || (type.namespaced && !ref.namespace)) {
    throw new InferiumError(
      "KubeBadReference",
      `Cannot address a ${type.kind}: got name "${ref.name}" and namespace "${ref.namespace ?? ""}"; give both.`,
    );
  }
  const path = `${collectionPath(type, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
