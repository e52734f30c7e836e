/**
 * The WorkerNode and the Node in the API, as the agent deals with them. Effects: creates the WorkerNode where it is absent,
 * writes its own part of the status and its own labels by server-side apply, and nothing else: a spec that someone edits
 * stays as it is.
 */

import type { WorkerNodeSpec, WorkerNodeStatus } from "../api/v1alpha1/generated/workernodes.ts";
import { fieldManagers } from "../api/v1alpha1/labels.ts";
import { workerNodeResource } from "../api/v1alpha1/types.ts";
import { InferiumError } from "../base/errors.ts";
import { isAlreadyExists, isNotFound } from "../kube/api-error.ts";
import { createClient, type KubeClient } from "../kube/client.ts";
import { type Node, nodes } from "../kube/core-resources.ts";
import type { KubeObject } from "../kube/object.ts";
import { defineResource } from "../kube/resource.ts";
import type { Transport } from "../kube/transport.ts";
import type { AgentStatus } from "./build-status.ts";
import type { AgentConfig } from "./config.ts";
import { type ResourceSlice, resourceSlices } from "./resource-slices.ts";

export interface KubeWorkerNode extends KubeObject {
  spec: WorkerNodeSpec;
  status?: WorkerNodeStatus;
}

export interface AgentClients {
  readonly nodes: KubeClient<Node>;
  readonly workerNodes: KubeClient<KubeWorkerNode>;
  readonly slices: KubeClient<ResourceSlice>;
}

export function createAgentClients(transport: Transport): AgentClients {
  const options = { fieldManager: fieldManagers.agent };
  return {
    nodes: createClient(transport, nodes, options),
    workerNodes: createClient(transport, defineResource<KubeWorkerNode>(workerNodeResource), options),
    slices: createClient(transport, resourceSlices, options),
  };
}

export type Identity = Pick<
  AgentConfig,
  "nodeName" | "workerNodeName" | "address" | "role" | "mode" | "owner" | "slots"
>;

/** The WorkerNode, created with this spec where there is none. @throws InferiumError WorkerNodeTaken */
export async function ensureWorkerNode(clients: AgentClients, identity: Identity): Promise<KubeWorkerNode> {
  const workerNode = await getOrCreate(clients, identity);
  checkIdentity(workerNode, identity);
  return workerNode;
}

async function getOrCreate({ workerNodes }: AgentClients, identity: Identity): Promise<KubeWorkerNode> {
  const ref = { name: identity.workerNodeName };
  try {
    return await workerNodes.get(ref);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    return await workerNodes.create(buildWorkerNode(identity));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return await workerNodes.get(ref);
  }
}

export function buildWorkerNode(identity: Identity): KubeWorkerNode {
  const { nodeName, workerNodeName, address, role, mode, owner, slots } = identity;
  return {
    apiVersion: workerNodeResource.apiVersion,
    kind: workerNodeResource.kind,
    metadata: { name: workerNodeName },
    spec: {
      ...{ nodeName, remote: false, address, role, mode, slots, cordoned: false },
      ...(owner === undefined ? {} : { owner }),
    },
  };
}

/** Another node, or another key, under the same name: its status is not this agent's to write. */
function checkIdentity({ spec }: KubeWorkerNode, identity: Identity): void {
  const sameAddress = spec.address.toLowerCase() === identity.address.toLowerCase();
  if (sameAddress && spec.nodeName === identity.nodeName && spec.role === identity.role) return;
  const got = `${spec.role} ${spec.address} on node ${spec.nodeName ?? "(remote)"}`;
  const wanted = `${identity.role} ${identity.address} on node ${identity.nodeName}`;
  const message = `WorkerNode ${identity.workerNodeName} is ${got}; this agent is ${wanted}. Delete it, or set INFERIUM_WORKERNODE_NAME.`;
  throw new InferiumError("WorkerNodeTaken", message, { disposition: "retry" });
}

export async function publishStatus(clients: AgentClients, workerNode: KubeWorkerNode, status: AgentStatus) {
  const { name } = workerNode.metadata;
  await clients.workerNodes.applyStatus({ metadata: { name }, status });
}

/** Applied with the node's uid, so that a node that was deleted meanwhile is not created anew by its labels. */
export async function publishLabels({ nodes: client }: AgentClients, node: Node, labels: Record<string, string>) {
  const { name, uid } = node.metadata;
  await client.apply({ metadata: { name, ...(uid === undefined ? {} : { uid }), labels } });
}

/** Whether the node carries exactly these labels out of those that the agent may set. */
export function hasLabels(node: Node, labels: Record<string, string>, owned: readonly string[]): boolean {
  const current = node.metadata.labels ?? {};
  return owned.every((name) => current[name] === labels[name]);
}
