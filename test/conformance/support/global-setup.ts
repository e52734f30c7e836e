/** Opens the cluster under test once for all conformance files (see `openTestCluster`) and tells them where it is. */
import type { TestProject } from "vitest/node";
import { loadKubeConnection } from "../../../src/kube/connection.ts";
import { openTestCluster } from "../../support/test-cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    clusterKind: "existing" | "binaries" | "embedded";
    /** Empty strings where the kubeconfig has none: what is provided must be plain data. */
    endpoint: { server: string; authorization: string; ca: string; cert: string; key: string };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await openTestCluster();
  const connection = await loadKubeConnection({ kubeconfigPath: cluster.kubeconfigPath });
  const { ca, cert, key } = await connection.tls();
  project.provide("clusterKind", cluster.kind);
  project.provide("endpoint", {
    server: connection.server,
    authorization: (await connection.authorization()) ?? "",
    ca: String(ca ?? ""),
    cert: String(cert ?? ""),
    key: String(key ?? ""),
  });
  return () => cluster.close();
}
