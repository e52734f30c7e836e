/**
 * What the server must know of a resource. Everything else is generic: handlers, discovery, OpenAPI, printing, patches
 * and storage read this declaration, so adding a kind is adding one.
 */
import type { JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { Schema } from "../schema/schema.ts";
import type { StatusCause, Subject } from "../status.ts";
import type { Store } from "../storage/store.ts";
import type { Encoding } from "../storage/stored-object.ts";

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  /** 0 is shown always, above that only with `-o wide`. */
  readonly priority?: number;
  readonly value: (object: KubeObject, nowMs: number) => unknown;
}

export interface ScalePaths {
  readonly spec: readonly string[];
  readonly status: readonly string[];
  readonly selector?: readonly string[];
}

/** What strategies may look at besides the object itself. */
export interface StrategyContext {
  readonly store: Store;
  readonly nowMs: number;
}

/** Kind-specific rules. `prepare*` mutate the fresh candidate; validators return findings. */
export interface Strategy {
  readonly prepareCreate?: (object: KubeObject, context: StrategyContext) => void;
  readonly prepareUpdate?: (object: KubeObject, old: KubeObject, context: StrategyContext) => void;
  readonly prepareStatus?: (object: KubeObject, old: KubeObject, context: StrategyContext) => void;
  readonly applyDefaults?: (object: KubeObject) => void;
  /** `subresource` is the one written through, empty for the object itself. */
  readonly validate?: (object: KubeObject, old: KubeObject | undefined, subresource?: string) => StatusCause[];
  /** Subresources besides status that are views of the object: the old object with what a write to the view may change. */
  readonly subresourceParts?: Readonly<Record<string, (old: KubeObject, candidate: KubeObject) => KubeObject>>;
  /** Name rule; a DNS subdomain when absent. */
  readonly checkName?: (name: string) => string | undefined;
  /** Seconds a deletion leaves the object to end by itself; 0 deletes at once. */
  readonly graceSeconds?: (object: KubeObject, requested: number | undefined) => number;
  /** Namespaces stay, with this called, until their controller has removed what they hold. */
  readonly beginDeletion?: (object: KubeObject) => void;
  readonly returnsDeletedObject?: boolean;
  /** An update must name the version that it changes. */
  readonly requiresVersion?: boolean;
}

export interface ResourceKind extends Encoding {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Kinds that show the same objects share a storage name. */
  readonly storage: string;
  readonly schema: Schema;
  readonly hasStatus: boolean;
  /** `metadata.generation` counts changes outside metadata and status. */
  readonly hasGeneration: boolean;
  readonly scale?: ScalePaths;
  readonly columns: readonly Column[];
  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: KubeObject) => string>>;
  readonly strategy: Strategy;
  /** Subresources that are not status or scale, for discovery: name to the kind and verbs they take. */
  readonly subresources: Readonly<Record<string, SubresourceInfo>>;
  /**
   * A fresh object, of which an update may change the top and the metadata.
   * @param known shown by this kind before: a custom kind takes what `raw` shares with it as it is
   */
  readonly decode: (raw: JsonObject, withDefaults: boolean, known?: KubeObject) => DecodedObject;
  readonly toStorage?: (object: KubeObject) => KubeObject;
  /** Sent as a warning with every answer: the version is deprecated. */
  readonly deprecation?: string;
  /** Why no request on this kind can be answered, in the words of a 500. */
  readonly unavailable?: string;
}

export interface SubresourceInfo {
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

export interface DecodedObject {
  readonly object: KubeObject;
  readonly unknownFields: readonly string[];
}

export const subjectOf = (kind: ResourceKind): Subject => ({ resource: kind.plural, group: kind.group });
export const kindSubject = (kind: ResourceKind): Subject => ({ resource: kind.kind, group: kind.group });

export function apiVersionOf(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}

export const standardVerbs = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
] as const;
