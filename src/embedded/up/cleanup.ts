/**
 * Removes what a run left on a cluster that outlives it. Deletes objects one collection at a time rather than namespaces:
 * a bare API server has no controller that would empty a namespace. Called before and after a run on somebody's cluster.
 */
import { inferenceTaskResource, validationResource, workerNodeResource } from "../../api/v1alpha1/types.ts";
import { isNotFound } from "../../kube/api-error.ts";
import { collectionPath, type ResourceType } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import { demoNamespace } from "../demo/workload.ts";
import { runLabel, systemNamespace } from "./pods.ts";

const ofRun = Object.entries(runLabel)
  .map(([name, value]) => `${name}=${value}`)
  .join(",");

const core = (kind: string, plural: string): ResourceType => ({ apiVersion: "v1", kind, plural, namespaced: true });
const lease: ResourceType = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};

interface Collection {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly labelSelector?: string;
}

const collections: readonly Collection[] = [
  { type: core("Pod", "pods"), namespace: systemNamespace, labelSelector: ofRun },
  { type: inferenceTaskResource, namespace: demoNamespace },
  { type: validationResource, namespace: demoNamespace },
  { type: core("Secret", "secrets"), namespace: demoNamespace, labelSelector: ofRun },
  { type: workerNodeResource },
  // The operator's own records speak of a chain that is gone with the run.
  { type: core("ConfigMap", "configmaps"), namespace: systemNamespace, labelSelector: "inferium.io/component" },
  { type: core("ConfigMap", "configmaps"), namespace: systemNamespace, labelSelector: ofRun },
  { type: core("Secret", "secrets"), namespace: systemNamespace, labelSelector: ofRun },
  { type: lease, namespace: systemNamespace },
];

export async function removeRun(transport: Transport): Promise<void> {
  for (const { type, namespace, labelSelector } of collections) {
    try {
      await transport.request({ method: "DELETE", path: collectionPath(type, namespace), query: { labelSelector } });
    } catch (error) {
      // Before the first run neither the kinds nor the namespaces exist.
      if (!isNotFound(error)) throw error;
    }
  }
}
