/**
 * The versions under which one kind of object is served: managers own fields in the version they wrote, so ownership is
 * worked out in each. Made by the server from its registry; pure lookups.
 */
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import type { KindRegistry } from "../registry/kind-registry.ts";

export interface Versions {
  /** Undefined for a version that is no longer served: what was owned under it is forgotten. */
  kindOf(apiVersion: string): ResourceKind | undefined;
}

export function versionsOf(kind: ResourceKind, kinds: KindRegistry): Versions {
  return {
    kindOf: (apiVersion) => {
      if (apiVersion === kind.apiVersion) return kind;
      return kinds.all().find((other) => other.storage === kind.storage && other.apiVersion === apiVersion);
    },
  };
}

/** An object as it is stored, in the form of one version. */
export function inVersion(stored: KubeObject, kind: ResourceKind): KubeObject {
  return kind.fromStorage === undefined ? stored : kind.fromStorage(stored);
}

export function toStored(object: KubeObject, kind: ResourceKind): KubeObject {
  return kind.toStorage === undefined ? object : kind.toStorage(object);
}
