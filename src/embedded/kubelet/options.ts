/** What a process kubelet is told by whoever starts it. */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Informer } from "../../kube/informer.ts";
import type { Transport } from "../../kube/transport.ts";
import type { ClientAccess } from "./client-access.ts";
import type { Pod } from "./core-types.ts";
import type { CrashBackoffOptions } from "./crash-backoff.ts";
import type { ImageTable } from "./image-table.ts";
import type { KubeletServer } from "./kubelet-server.ts";
import type { NodeTemplate } from "./node-object.ts";
import type { ApiAddress } from "./pod-access.ts";

export interface ProcessKubeletOptions {
  readonly transport: Transport;
  readonly nodeName: string;
  readonly nodeTemplate: NodeTemplate;
  /** Of this kubelet alone: pod directories, logs, the ledger of processes. Made when absent. */
  readonly rootDir: string;
  /** What each image name runs. */
  readonly images: ImageTable;
  /** All that processes may see of the host's environment: PATH, HOME, nothing secret. */
  readonly hostEnv: Readonly<Record<string, string>>;
  /** Extra variables of every container on this node, such as a PATH with simulated tools in front. */
  readonly nodeEnv?: Readonly<Record<string, string>>;
  /** Address of this node's pods, one of 127.0.0.0/8, so that pods of several nodes may use one port. Default 127.0.0.1. */
  readonly podAddress?: string;
  /** How pods reach the API server; left out, they get no KUBECONFIG. */
  readonly apiAddress?: ApiAddress;
  /** Bearer token accepted on the HTTPS endpoint. Used only without `server`. */
  readonly serverToken?: string;
  readonly tls?: { readonly certPem: string; readonly keyPem: string };
  /** Who else may read logs there. Used only without `server`. */
  readonly clients?: ClientAccess | undefined;
  /** One endpoint for many kubelets of a process, instead of one each. The caller closes it. */
  readonly server?: KubeletServer;
  /** Of all pods, shared by many kubelets, so that they cost one watch. The caller starts and stops it. */
  readonly podInformer?: Informer<Pod>;
  /** Otherwise the node stays, marked as not ready. */
  readonly deleteNodeOnStop?: boolean;
  /** Bound on the grace of pods when the kubelet stops. */
  readonly stopGraceMs?: number;
  readonly crashBackoff?: CrashBackoffOptions;
  readonly kubeletVersion?: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

export const defaultKubeletVersion = "v1.36.0+inferium";
export const defaultStopGraceMs = 10_000;
