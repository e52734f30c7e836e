/**
 * A provider that joins the hub: a second release in member mode, in a namespace of its own, which knows of the hub the pool's
 * address and its authority. Its cluster is the hub's here, so its agent tells the hub what hardware there is.
 */
import { isConditionTrue } from "../../src/api/v1alpha1/conditions.ts";
import { createClient } from "../../src/kube/client.ts";
import { configMaps, namespaces } from "../../src/kube/core-resources.ts";
import type { Transport } from "../../src/kube/transport.ts";
import { workerNodes } from "../../src/operator/kinds.ts";
import type { CommandLine, Outcome } from "../integration/clients/command-line.ts";
import { type ChartCluster, system } from "./chart-cluster.ts";
import { chart } from "./helm.ts";

export const provider = {
  release: "provider",
  namespace: "provider",
  member: "provider-a",
  node: "gpu-low-p4",
} as const;

export async function installMember(open: ChartCluster, helm: CommandLine, kubectl: CommandLine): Promise<Outcome> {
  const { release, namespace, member: name, node } = provider;
  const { transport } = open.cluster;
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await createClient(transport, namespaces).apply({ metadata: { name: namespace, labels } });
  const { data } = await createClient(transport, configMaps).get({ namespace: system, name: "inferium-pool-ca" });
  await createClient(transport, configMaps).apply({ metadata: { name: "hub-ca", namespace }, data: data ?? {} });
  const { address, privateKey } = open.chain.remote;
  await kubectl.ok(`create secret generic ${name}-key -n ${namespace} --from-literal=key=${privateKey}`);
  const { image, pool, chain, agent, worker } = open.values as Readonly<Record<string, { readonly url?: string }>>;
  const values = {
    ...{ image, agent, worker },
    mode: "member",
    crds: { install: false },
    pool: { url: pool?.url, tls: { existingCaConfigMap: "hub-ca" } },
    chain: { treasury: (chain as { readonly treasury?: string }).treasury },
    members: [{ name, node, address, existingSecret: `${name}-key` }],
  };
  const args = ["install", release, chart, "-n", namespace, "--values", "-", "--wait", "--timeout", "90s"];
  return helm.run(args, { input: JSON.stringify(values) });
}

/** Names of the members that take work. */
export async function listReady(transport: Transport): Promise<string[]> {
  const { items } = await createClient(transport, workerNodes).list();
  return items
    .filter(({ status }) => isConditionTrue(status?.conditions, "Ready"))
    .map(({ metadata }) => metadata.name)
    .sort();
}
