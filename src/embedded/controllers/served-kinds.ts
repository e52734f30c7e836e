/** Which kinds a server serves: one discovery request a group version. Effects: reads. */
import { isNotFound } from "../../kube/api-error.ts";
import type { ResourceType } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";

export type ServedKinds = (type: ResourceType) => boolean;

const groupVersions = ["v1", "apps/v1", "batch/v1", "policy/v1", "discovery.k8s.io/v1", "coordination.k8s.io/v1"];

interface ResourceList {
  readonly resources?: readonly { readonly name: string }[];
}

export async function readServedKinds(transport: Transport): Promise<ServedKinds> {
  const served = new Set<string>();
  await Promise.all(
    groupVersions.map(async (apiVersion) => {
      const path = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      for (const { name } of await readResources(transport, path)) served.add(`${apiVersion}/${name}`);
    }),
  );
  return ({ apiVersion, plural }) => served.has(`${apiVersion}/${plural}`);
}

async function readResources(transport: Transport, path: string) {
  try {
    return (await transport.request<ResourceList>({ method: "GET", path })).resources ?? [];
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
