/** Events have two faces over the same objects: core/v1 (as stored) and events.k8s.io/v1. Renames only. Pure. */
import type { KubeObject } from "../object.ts";

const names: ReadonlyArray<readonly [core: string, events: string]> = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
  ["reportingComponent", "reportingController"],
];

export function eventToCore(event: KubeObject): KubeObject {
  return rename(event, "v1", new Map(names.map(([core, events]) => [events, core])));
}

export function eventFromCore(event: KubeObject): KubeObject {
  return rename(event, "events.k8s.io/v1", new Map(names));
}

function rename(event: KubeObject, apiVersion: string, map: ReadonlyMap<string, string>): KubeObject {
  const entries = Object.entries(event).map(([name, value]) => [map.get(name) ?? name, value]);
  return { ...(Object.fromEntries(entries) as KubeObject), apiVersion };
}
