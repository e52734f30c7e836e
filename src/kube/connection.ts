/**
 * Where the API server is and how to prove who we are. Credentials rotate, so nobody keeps them: the transport asks
 * again for each request (`authorization`) and for each new socket (`tls`); what is read from files is reused for a
 * minute and read again at once after a 401. Reads files and runs exec plugins; opens no socket.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { type KubeconfigSource, openInCluster, openKubeconfig } from "./kubeconfig.ts";

export interface TlsMaterial {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly serverName?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
}

export interface Credentials {
  readonly tls: TlsMaterial;
  /** Value of the Authorization header. */
  readonly authorization: string | undefined;
}

export interface KubeConnection {
  /** Base URL without a trailing slash, such as `https://10.96.0.1:443`; may carry a path prefix. */
  readonly server: string;
  /** Namespace of the context; `default` where it names none. */
  readonly namespace: string;
  /** Value of the `Impersonate-User` header, where the kubeconfig asks for one. */
  readonly impersonateUser: string | undefined;
  /** TLS material for the next socket. */
  tls(): Promise<TlsMaterial>;
  /** Value of the Authorization header. `fresh` after a 401: ignores what is cached. */
  authorization(options?: { readonly fresh?: boolean }): Promise<string | undefined>;
}

export interface LoadOptions {
  /** Left out: the in-cluster service account. The caller resolves KUBECONFIG; several files are merged, the first goes before. */
  readonly kubeconfigPath?: string | readonly string[] | undefined;
  /** Left out: the current context. */
  readonly context?: string | undefined;
  /** Prepended to `/var/run/secrets/...` of the service account, for a pod whose file system is not its own. */
  readonly inClusterRoot?: string | undefined;
  readonly clock?: Clock;
  /** How long credentials read from files are reused. */
  readonly maxAgeMs?: number;
}

/** @throws InferiumError KubeconfigInvalid when the file, its context, cluster or user cannot be used */
export async function loadKubeConnection(options: LoadOptions = {}): Promise<KubeConnection> {
  const path = options.kubeconfigPath;
  const source =
    path === undefined
      ? await openInCluster(options.inClusterRoot)
      : await openKubeconfig([path].flat(), options.context);
  const credentials = cacheCredentials(source, options.clock ?? systemClock, options.maxAgeMs ?? 60_000);
  await credentials(false);
  return {
    server: source.server,
    namespace: source.namespace,
    impersonateUser: source.impersonateUser,
    tls: async () => (await credentials(false)).tls,
    authorization: async (asked) => (await credentials(asked?.fresh ?? false)).authorization,
  };
}

export interface StaticConnectionOptions extends TlsMaterial {
  readonly server: string;
  readonly token?: string;
  readonly namespace?: string;
}

/** A connection whose credentials are known beforehand and never change. */
export function createStaticConnection(options: StaticConnectionOptions): KubeConnection {
  const authorization = options.token === undefined ? undefined : `Bearer ${options.token}`;
  return {
    server: options.server.replace(/\/+$/, ""),
    namespace: options.namespace ?? "default",
    impersonateUser: undefined,
    tls: async () => options,
    authorization: async () => authorization,
  };
}

/** One read at a time, reused for `maxAgeMs`; a failed read is not kept. */
function cacheCredentials(source: KubeconfigSource, clock: Clock, maxAgeMs: number) {
  let current: { readonly value: Promise<Credentials>; readonly readAt: number } | undefined;
  return (fresh: boolean): Promise<Credentials> => {
    if (current && !fresh && clock.monotonic() - current.readAt < maxAgeMs) return current.value;
    const value = source.readCredentials(fresh);
    const entry = { value, readAt: clock.monotonic() };
    current = entry;
    value.catch(() => {
      if (current === entry) current = undefined;
    });
    return value;
  };
}
