/** Shared words of the pod security checks: what a check answers, and how containers are counted and quoted. Pure. */
import { asArray, asObject, asString, type JsonObject } from "../../json-value.ts";

export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export interface CheckedPod {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonObject;
}

export type PodCheck = (pod: CheckedPod) => Violation | undefined;

export function containersOf({ spec }: CheckedPod): JsonObject[] {
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((list) => asArray(spec[list]).map(asObject));
}

export const nameOf = (container: JsonObject): string => asString(container.name);
export const securityOf = (holder: JsonObject): JsonObject => asObject(holder.securityContext);

export const quote = (items: readonly string[]): string => items.map((item) => `"${item}"`).join(", ");
export const sortedQuote = (items: Iterable<string>): string => quote([...new Set(items)].sort());
export const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);

/** `containers "a", "b"`. */
export function naming(names: readonly string[], noun = "container"): string {
  return `${plural(names.length, noun)} ${quote(names)}`;
}

/** `pod and container "a"`: everything that sets what it must not. */
export function setters(pod: boolean, containers: readonly string[]): string {
  return [...(pod ? ["pod"] : []), ...(containers.length > 0 ? [naming(containers)] : [])].join(" and ");
}

export const isWindows = ({ spec }: CheckedPod): boolean => asObject(spec.os).name === "windows";
/** In a user namespace of its own, root in the container is nobody outside of it. */
export const hasOwnUsers = ({ spec }: CheckedPod): boolean => spec.hostUsers === false;
