/** A whole embedded control plane with one node, and what the clients' tests make in it: namespaces and clients. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { startControllerManager } from "../../../src/embedded/controllers/controller-manager.ts";
import type { ImageTable } from "../../../src/embedded/kubelet/image-table.ts";
import { createClient } from "../../../src/kube/client.ts";
import { namespaces } from "../../../src/kube/core-resources.ts";
import { type Cluster, openCluster } from "../kubelet/cluster.ts";
import { CommandLine } from "./command-line.ts";

/** Serves until it is asked to end; what `registry.example/web` stands for, in two releases. */
const web = (release: string) => ({
  entrypoint: ["/bin/sh", "-c", `trap 'exit 0' TERM; echo web ${release}; sleep 86400 & wait`],
});

const images: ImageTable = {
  sh: { entrypoint: ["/bin/sh"] },
  "registry.example/web:1": web("1"),
  "registry.example/web:2": web("2"),
};

export interface ClientCluster {
  readonly cluster: Cluster;
  /** What its nodes can run; for further nodes. */
  readonly images: ImageTable;
  /** A fresh namespace, so that tests may run side by side. */
  namespace(): Promise<string>;
  /** The client, with `namespace` as that of its context. */
  client(binary: string, namespace?: string): CommandLine;
  close(): Promise<void>;
}

export async function openClientCluster(): Promise<ClientCluster> {
  const cluster = await openCluster();
  const nodeTemplate = { capacity: { cpu: "8", memory: "16Gi", pods: "100" } };
  // Longer than between two looks at a crashing pod, shorter than a test.
  const crashBackoff = { initialMs: 5_000, maxMs: 20_000 };
  await cluster.startKubelet("node-a", { images, nodeTemplate, crashBackoff });
  const { transport } = cluster;
  const controllers = await startControllerManager({ transport, clock: systemClock, logger: silentLogger });
  const clients: CommandLine[] = [];
  let count = 0;
  return {
    cluster,
    images,
    namespace: async () => {
      count += 1;
      const metadata = { name: `space-${count}` };
      await createClient(transport, namespaces).create({ apiVersion: "v1", kind: "Namespace", metadata });
      return metadata.name;
    },
    client: (binary, namespace = "default") => {
      const kubeconfig = join(cluster.directory, `kubeconfig-${namespace}`);
      writeFileSync(kubeconfig, cluster.server.kubeconfig().replace("namespace: default", `namespace: ${namespace}`));
      const client = new CommandLine(binary, kubeconfig);
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.close();
      await controllers.stop();
      await cluster.close();
    },
  };
}

/** Several objects as one stream of YAML documents, as `-f -` takes it. */
export function documents(...objects: readonly object[]): string {
  return objects.map((object) => stringify(object)).join("---\n");
}
