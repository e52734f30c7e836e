/** The order that pays for the demonstration's tasks, as a requester signs it, in the namespace of these. Effects: creates both. */
import { createClient } from "../../kube/client.ts";
import { namespaces, secrets } from "../../kube/core-resources.ts";
import { demoNamespace, orderSecret, signOrder } from "../demo/workload.ts";
import { buildSecret } from "./identities.ts";
import { runLabel } from "./pods.ts";
import { poolName } from "./role-pods.ts";
import type { System } from "./start-system.ts";

export async function createOrder(system: System): Promise<void> {
  const { cluster, chain } = system;
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: demoNamespace, labels: runLabel } };
  await createClient(cluster.transport, namespaces).apply(namespace);
  const order = await signOrder(chain.accounts.requester, {
    pool: poolName,
    domain: chain.client.domain,
    expiresAt: Math.floor(Date.now() / 1000) + 30 * 86_400,
    nonce: 1n,
  });
  const secret = buildSecret(orderSecret, { "order.json": JSON.stringify(order) }, demoNamespace);
  await createClient(cluster.transport, secrets).apply(secret);
}
