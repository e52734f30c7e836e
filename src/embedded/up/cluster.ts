/**
 * The API server of a run: the embedded one, or the one that a kubeconfig names. Everything after this file sees only a
 * transport and cannot tell the difference.
 */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { createCertificateAuthority, issueServerCertificate, type ServerCertificate } from "../../base/tls.ts";
import { type KubeConnection, loadKubeConnection } from "../../kube/connection.ts";
import { createTransport, type Transport } from "../../kube/transport.ts";
import { type ApiServer, startApiServer } from "../apiserver/server.ts";
import { checkPortFree } from "./ports.ts";
import type { Workspace } from "./workspace.ts";

export interface Cluster {
  readonly connection: KubeConnection;
  readonly transport: Transport;
  /** Of an administrator; what the summary tells people to use. */
  readonly kubeconfigPath: string;
  /** Absent where the API server is somebody else's. */
  readonly embedded: ApiServer | undefined;
  /** What process kubelets serve logs with, and the token that the embedded API server reads them with. */
  readonly kubeletTls: ServerCertificate;
  readonly kubeletToken: string;
  close(): Promise<void>;
}

export interface ClusterOptions {
  readonly workspace: Workspace;
  readonly port: number;
  readonly kubeconfig?: string | undefined;
  readonly logger: Logger;
}

export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const authority = await createCertificateAuthority("inferium process kubelets");
  const kubeletTls = await issueServerCertificate(authority, {
    commonName: "process-kubelet",
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
    days: 30,
  });
  const kubeletToken = randomBytes(32).toString("hex");
  const shared = { kubeletTls, kubeletToken };
  if (options.kubeconfig !== undefined) {
    const { connection, transport } = await connect(options.kubeconfig);
    await checkReachable(transport, options.kubeconfig);
    return {
      ...shared,
      connection,
      transport,
      kubeconfigPath: options.kubeconfig,
      embedded: undefined,
      close: () => transport.close(),
    };
  }
  if (options.port !== 0) await checkPortFree(options.port, "Kubernetes API", "--port");
  const embedded = await startApiServer({
    port: options.port,
    logger: options.logger.child({ part: "apiserver" }),
    kubeletClient: { token: kubeletToken, caPem: authority.certPem },
  });
  const { kubeconfigPath } = options.workspace;
  await writeFile(kubeconfigPath, embedded.kubeconfig(), { mode: 0o600 });
  const { connection, transport } = await connect(kubeconfigPath);
  return {
    ...shared,
    connection,
    transport,
    kubeconfigPath,
    embedded,
    async close() {
      await transport.close();
      await embedded.close();
    },
  };
}

async function connect(kubeconfigPath: string): Promise<Pick<Cluster, "connection" | "transport">> {
  const connection = await loadKubeConnection({ kubeconfigPath });
  return { connection, transport: createTransport(connection, { fieldManager: "inferium-up" }) };
}

async function checkReachable(transport: Transport, kubeconfig: string): Promise<void> {
  try {
    await transport.request({ method: "GET", path: "/version", timeoutMs: 10_000 });
  } catch (cause) {
    const message = `The cluster of ${kubeconfig} does not answer (${describeError(cause)}). Check the file, its current context and that the cluster runs.`;
    throw new InferiumError("ClusterUnreachable", message, { disposition: "fatal", cause });
  }
}
