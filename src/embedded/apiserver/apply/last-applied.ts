/**
 * The hand-over from client-side to server-side apply, for the manager `kubectl` alone: conflicts over fields that its
 * last-applied annotation still describes are no conflicts, and the annotation follows what is applied. Pure.
 */
import { isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { compareObjects } from "./compare-objects.ts";
import type { FieldSet } from "./field-set.ts";
import { fieldsOf } from "./object-fields.ts";
import { ItemKeyError } from "./type-shape.ts";
import { inVersion } from "./versions.ts";

const annotation = "kubectl.kubernetes.io/last-applied-configuration";
const upgradingManager = "kubectl";
const maxAnnotationsBytes = 256 * 1024;

/** The conflicts that remain. */
export function withoutLastApplied(
  conflicts: ReadonlyMap<string, FieldSet>,
  by: { readonly manager: string; readonly live: KubeObject; readonly kind: ResourceKind },
): ReadonlyMap<string, FieldSet> {
  if (by.manager !== upgradingManager || conflicts.size === 0) return conflicts;
  const allowed = lastAppliedFields(by.live, by.kind);
  if (allowed === undefined) return conflicts;
  const left = [...conflicts].map(([id, fields]) => [id, fields.difference(allowed)] as const);
  return new Map(left.filter(([, fields]) => !fields.isEmpty));
}

/** What was applied and is still as it was applied. */
function lastAppliedFields(live: KubeObject, kind: ResourceKind): FieldSet | undefined {
  const config = readAnnotation(live);
  if (config === undefined || config.apiVersion !== kind.apiVersion) return undefined;
  try {
    const { added, modified, removed } = compareObjects(config, inVersion(live, kind), kind.schema);
    return fieldsOf(config, kind.schema).difference(modified).difference(added).difference(removed);
  } catch (error) {
    if (error instanceof ItemKeyError) return undefined;
    throw error;
  }
}

function readAnnotation(live: KubeObject): JsonObject | undefined {
  const text = live.metadata.annotations?.[annotation];
  if (text === undefined || text === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Anybody may write the annotation; one that is no JSON allows nothing.
    return undefined;
  }
}

/** The object with an annotation that says what was applied now, where there is one at all. */
export function followLastApplied(object: KubeObject, config: JsonObject, manager: string): KubeObject {
  if (manager !== upgradingManager || !object.metadata.annotations?.[annotation]) return object;
  const annotations: Record<string, string> = { ...object.metadata.annotations, [annotation]: describe(config) };
  if (sizeOf(annotations) > maxAnnotationsBytes) delete annotations[annotation];
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function describe(config: JsonObject): string {
  const metadata = isObject(config.metadata) ? config.metadata : {};
  const { annotations, ...rest } = metadata;
  const { [annotation]: _own, ...others } = isObject(annotations) ? annotations : {};
  const kept = Object.keys(others).length > 0 ? { annotations: others } : {};
  return `${JSON.stringify({ ...config, metadata: { ...kept, ...rest } })}\n`;
}

function sizeOf(annotations: Readonly<Record<string, string>>): number {
  return Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
}
