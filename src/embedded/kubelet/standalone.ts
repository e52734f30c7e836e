/**
 * A process kubelet of its own: joins any API server that a kubeconfig names, runs until its signal aborts. Behind
 * `inferium kubelet`.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { createCertificateAuthority, issueServerCertificate } from "../../base/tls.ts";
import { type KubeConnection, loadKubeConnection } from "../../kube/connection.ts";
import { createTransport } from "../../kube/transport.ts";
import { readClientAccess } from "./client-access.ts";
import type { ImageTable } from "./image-table.ts";
import { createProcessKubelet } from "./kubelet.ts";
import { hostAddress, type NodeTemplate } from "./node-object.ts";
import type { ApiAddress } from "./pod-access.ts";

export interface StandaloneKubeletOptions {
  readonly kubeconfigPath: string;
  readonly context?: string;
  readonly nodeName: string;
  readonly rootDir: string;
  readonly images: ImageTable;
  readonly hostEnv: Readonly<Record<string, string>>;
  readonly nodeEnv?: Readonly<Record<string, string>>;
  readonly nodeTemplate?: NodeTemplate;
  /** Token for the log endpoint; a random one is made when left out (then only the cluster's API server reads it). */
  readonly serverToken?: string;
  readonly deleteNodeOnStop?: boolean;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Resolves when the signal has aborted and everything is stopped. @throws when the node cannot join */
export async function runStandaloneKubelet(options: StandaloneKubeletOptions): Promise<void> {
  const { kubeconfigPath, context, nodeName, signal } = options;
  const connection = await loadKubeConnection({ kubeconfigPath, context });
  const transport = createTransport(connection, { fieldManager: "inferium-kubelet", userAgent: "inferium-kubelet" });
  const kubelet = createProcessKubelet({
    ...options,
    transport,
    nodeTemplate: options.nodeTemplate ?? {},
    apiAddress: await readApiAddress(connection),
    serverToken: options.serverToken ?? randomBytes(24).toString("base64url"),
    tls: await issueTls(nodeName),
    clients: await readClientAccess(transport),
  });
  try {
    await kubelet.start();
    await untilAborted(signal);
  } finally {
    await kubelet.stop();
    await transport.close();
  }
}

async function issueTls(nodeName: string) {
  const authority = await createCertificateAuthority("inferium process kubelet");
  const names = {
    commonName: `system:node:${nodeName}`,
    dnsNames: [nodeName, "localhost"],
    ipAddresses: [hostAddress],
  };
  return issueServerCertificate(authority, names);
}

async function readApiAddress(connection: KubeConnection): Promise<ApiAddress> {
  const { ca } = await connection.tls();
  return { server: connection.server, ...(ca === undefined ? {} : { caPem: ca.toString() }) };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
