/**
 * The cluster that tests of the whole system run against. KUBECONFIG names one that exists; KUBEBUILDER_ASSETS names a
 * folder with `etcd` and `kube-apiserver`, which are started on loopback as envtest does; otherwise it is the embedded
 * API server. The first two are real API servers: they enforce schemas, admission and RBAC.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../src/base/log.ts";
import { startApiServer } from "../../src/embedded/apiserver/server.ts";
import { startBinaries } from "./api-server-binaries.ts";

export interface TestCluster {
  /** Of an administrator. */
  readonly kubeconfigPath: string;
  readonly kind: "existing" | "binaries" | "embedded";
  /** Stops what was started; a cluster that existed stays. */
  close(): Promise<void>;
}

export async function openTestCluster(env: NodeJS.ProcessEnv = process.env): Promise<TestCluster> {
  const { KUBECONFIG: existing, KUBEBUILDER_ASSETS: binaries } = env;
  if (existing) return { kubeconfigPath: existing, kind: "existing", close: async () => undefined };
  const dir = await mkdtemp(join(tmpdir(), "inferium-cluster-"));
  try {
    const started = binaries ? await startBinaries(binaries, dir) : await startApiServer({ logger: silentLogger });
    const kubeconfigPath = join(dir, "kubeconfig");
    await writeFile(kubeconfigPath, started.kubeconfig(), { mode: 0o600 });
    return {
      kubeconfigPath,
      kind: binaries ? "binaries" : "embedded",
      async close() {
        await started.close();
        await rm(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}
