/** Workloads and their endpoints, with slim types like core-resources.ts: only the fields that are read or written here. */
import type { KubeObject } from "./object.ts";
import type { PodSpec } from "./pod-types.ts";
import { defineResource } from "./resource.ts";

export interface Deployment extends KubeObject {
  spec?: {
    replicas?: number;
    selector: { matchLabels: Record<string, string> };
    template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
    strategy?: { type?: string; rollingUpdate?: { maxSurge?: number; maxUnavailable?: number } };
    revisionHistoryLimit?: number;
  };
  status?: { readyReplicas?: number };
}

export interface EndpointSlice extends KubeObject {
  addressType?: string;
  endpoints?: {
    addresses: string[];
    conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
  }[];
  ports?: { name?: string; port?: number }[];
}

export const deployments = defineResource<Deployment>({
  apiVersion: "apps/v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
});
export const endpointSlices = defineResource<EndpointSlice>({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
});
