/** Starts a control plane, writes to it with the client of src/kube and with a plain kubeconfig, and stops it. */
import { startControlPlane } from "../../src/embedded/control-plane.ts";
import { createClient } from "../../src/kube/client.ts";
import { configMaps } from "../../src/kube/core-resources.ts";

export async function readBack(): Promise<string | undefined> {
  const cluster = await startControlPlane();
  try {
    const client = createClient(cluster.transport, configMaps);
    await client.apply({ metadata: { name: "settings", namespace: "default" }, data: { colour: "blue" } });
    const found = await client.get({ name: "settings", namespace: "default" });
    return found.data?.colour;
  } finally {
    await cluster.close();
  }
}
