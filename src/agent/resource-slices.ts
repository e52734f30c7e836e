/**
 * The ResourceSlices (dynamic resource allocation, resource.k8s.io/v1) in which a DRA driver publishes a node's GPUs. Where
 * the API is not served, or may not be read, there are none. Effects: one list, asked by the agent where a node has GPUs
 * that its capacity says nothing of.
 */
import { KubeApiError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject } from "../kube/object.ts";
import { defineResource } from "../kube/resource.ts";

export interface ResourceSlice extends KubeObject {
  spec?: { driver?: string; nodeName?: string; devices?: ResourceDevice[] };
}

export interface ResourceDevice {
  name?: string;
  attributes?: Record<string, { string?: string; version?: string; int?: number; bool?: boolean }>;
  capacity?: Record<string, { value?: string }>;
}

export const resourceSlices = defineResource<ResourceSlice>({
  apiVersion: "resource.k8s.io/v1",
  kind: "ResourceSlice",
  plural: "resourceslices",
  namespaced: false,
});

/** 404: the API is not served. 403: this agent may not read it. 400: a server that selects by no such field. */
const meansNone = new Set([400, 403, 404]);

export async function listSlicesOf(node: string, client: KubeClient<ResourceSlice>): Promise<ResourceSlice[]> {
  try {
    const { items } = await client.list({ fieldSelector: `spec.nodeName=${node}` });
    return items;
  } catch (error) {
    if (error instanceof KubeApiError && meansNone.has(error.status)) return [];
    throw error;
  }
}
