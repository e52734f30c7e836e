/**
 * Removes what a run left on a cluster that outlives it, and only that: the cluster may hold other pools and members.
 * Deletes objects rather than namespaces, since a bare API server has no controller that would empty a namespace. Called
 * before and after a run on somebody's cluster, when no kubelet of a run is alive.
 */
import { labels } from "../../api/v1alpha1/labels.ts";
import {
  inferenceTaskResource,
  leaderboardResource,
  modelResource,
  validationResource,
  workerNodeResource,
} from "../../api/v1alpha1/types.ts";
import { isNotFound } from "../../kube/api-error.ts";
import { configMaps, leases, nodes, pods, secrets } from "../../kube/core-resources.ts";
import { jobs } from "../../kube/job-types.ts";
import { collectionPath, objectPath, type ResourceType } from "../../kube/resource.ts";
import type { Query, Transport } from "../../kube/transport.ts";
import { demoNamespace } from "../demo/workload.ts";
import { runLabel, systemNamespace } from "./pods.ts";
import { poolName, taskNamespace } from "./role-pods.ts";

const ofRun = Object.entries(runLabel)
  .map(([name, value]) => `${name}=${value}`)
  .join(",");

interface Collection {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly labelSelector?: string;
}

/** In the order of removal: nobody may write again what is already gone. */
const collections: readonly Collection[] = [
  { type: pods, namespace: systemNamespace, labelSelector: ofRun },
  { type: jobs, namespace: taskNamespace },
  { type: pods, namespace: taskNamespace },
  { type: nodes, labelSelector: ofRun },
  // The namespace is the run's own, and so is all that is in it.
  { type: leaderboardResource, namespace: demoNamespace },
  { type: configMaps, namespace: demoNamespace, labelSelector: ofRun },
  { type: inferenceTaskResource, namespace: demoNamespace },
  { type: validationResource, namespace: demoNamespace },
  { type: modelResource, namespace: demoNamespace },
  { type: secrets, namespace: demoNamespace, labelSelector: ofRun },
  // The operator's own records speak of a chain that is gone with the run.
  { type: configMaps, namespace: systemNamespace, labelSelector: `${labels.component},${labels.pool}=${poolName}` },
  { type: configMaps, namespace: systemNamespace, labelSelector: ofRun },
  { type: secrets, namespace: systemNamespace, labelSelector: ofRun },
];

/** @param nodeNames of the run's process kubelets; members of the pool go by the same names */
export async function removeRun(transport: Transport, nodeNames: readonly string[]): Promise<void> {
  for (const { type, namespace, labelSelector } of collections) {
    // A pod that is being deleted waits for its kubelet, and there is none any more.
    await remove(transport, collectionPath(type, namespace), { labelSelector, gracePeriodSeconds: 0 });
  }
  const objects = [
    { type: leases, namespace: systemNamespace, name: `inferium-operator-${poolName}` },
    ...nodeNames.flatMap((name) => [
      { type: workerNodeResource, name },
      { type: leases, namespace: "kube-node-lease", name },
    ]),
  ];
  await Promise.all(objects.map(({ type, ...ref }) => remove(transport, objectPath(type, ref), {})));
}

async function remove(transport: Transport, path: string, query: Query): Promise<void> {
  try {
    await transport.request({ method: "DELETE", path, query });
  } catch (error) {
    // Before the first run neither the kinds nor the namespaces exist.
    if (!isNotFound(error)) throw error;
  }
}
