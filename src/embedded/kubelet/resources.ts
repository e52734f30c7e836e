/**
 * What a pod asks of a node, by the rule of the Kubernetes scheduler: the larger of (sum of containers and sidecars) and
 * (the largest init container beside the sidecars started before it), plus overhead. Pure.
 */
import type { Container, Pod, ResourceList } from "./core-types.ts";
import { parseMilli } from "./quantity.ts";

/** Thousandths by resource name. */
export type MilliResources = ReadonlyMap<string, bigint>;

export function parseResources(list: ResourceList | undefined): Map<string, bigint> {
  return new Map(Object.entries(list ?? {}).map(([name, quantity]) => [name, parseMilli(quantity)]));
}

/** Limits stand in for absent requests, as the API server defaults them. */
function computeContainerRequests(container: Container): MilliResources {
  return parseResources({ ...container.resources?.limits, ...container.resources?.requests });
}

export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/** Pods are never changed in place, and a scheduling round asks for the same ones again and again. */
const knownRequests = new WeakMap<Pod, MilliResources>();

export function computePodRequests(pod: Pod): MilliResources {
  const known = knownRequests.get(pod);
  if (known !== undefined) return known;
  const requests = sumPodRequests(pod);
  knownRequests.set(pod, requests);
  return requests;
}

function sumPodRequests(pod: Pod): MilliResources {
  const running = new Map<string, bigint>();
  const peak = new Map<string, bigint>();
  for (const container of pod.spec.initContainers ?? []) {
    const asked = computeContainerRequests(container);
    if (isSidecar(container)) addInto(running, asked);
    raiseTo(peak, isSidecar(container) ? running : sumOf(running, asked));
  }
  for (const container of pod.spec.containers) addInto(running, computeContainerRequests(container));
  raiseTo(peak, running);
  addInto(peak, parseResources(pod.spec.overhead));
  return peak;
}

export function addInto(total: Map<string, bigint>, more: MilliResources): void {
  for (const [name, milli] of more) total.set(name, (total.get(name) ?? 0n) + milli);
}

function sumOf(one: MilliResources, other: MilliResources): MilliResources {
  const total = new Map(one);
  addInto(total, other);
  return total;
}

function raiseTo(peak: Map<string, bigint>, level: MilliResources): void {
  for (const [name, milli] of level) if (milli > (peak.get(name) ?? 0n)) peak.set(name, milli);
}

/** Guaranteed, Burstable or BestEffort, from cpu and memory alone. */
export function computeQosClass(pod: Pod): string {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const names = ["cpu", "memory"] as const;
  const asksNothing = containers.every((container) =>
    names.every(
      (name) =>
        container.resources?.requests?.[name] === undefined && container.resources?.limits?.[name] === undefined,
    ),
  );
  if (asksNothing) return "BestEffort";
  const isFixed = containers.every((container) =>
    names.every((name) => {
      const limit = container.resources?.limits?.[name];
      const request = container.resources?.requests?.[name] ?? limit;
      return limit !== undefined && request !== undefined && parseMilli(limit) === parseMilli(request);
    }),
  );
  return isFixed ? "Guaranteed" : "Burstable";
}
