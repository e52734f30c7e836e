/**
 * An informer without a controller: an always current index of pods by node, which keeps 100,000 pods in a few tens of
 * megabytes, because its transform keeps of each pod only what is asked for.
 */
import { pods } from "../../src/kube/core-resources.ts";
import { createInformer, type Informer } from "../../src/kube/informer.ts";
import type { Pod } from "../../src/kube/pod-types.ts";
import type { Transport } from "../../src/kube/transport.ts";

export interface PodRecord {
  readonly node: string | undefined;
  readonly phase: string | undefined;
}

export function createPodIndex(transport: Transport): Informer<PodRecord> {
  return createInformer(transport, pods, {
    transform: (pod: Pod): PodRecord => ({ node: pod.spec?.nodeName, phase: pod.status?.phase }),
    indexers: { node: ({ node }) => (node === undefined ? [] : [node]) },
  });
}

/** Pods of a node that run now. */
export function countRunning(informer: Informer<PodRecord>, node: string): number {
  return informer.store.byIndex("node", node).filter(({ phase }) => phase === "Running").length;
}
