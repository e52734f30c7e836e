/** One Lease in memory behind the Transport interface, as strict as an API server about versions and MicroTime. */
import { KubeApiError } from "../../../src/kube/api-error.ts";
import type { Lease } from "../../../src/kube/control-types.ts";
import type { KubeRequest, KubeStreamRequest, Transport } from "../../../src/kube/transport.ts";

export interface LeaseServer extends Transport {
  lease: Lease | undefined;
  /** Set: every request fails with it. */
  failure: Error | undefined;
  readonly writes: Lease[];
  /** Otherwise watches are refused. */
  isWatchable: boolean;
}

const microTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

export function createLeaseServer(): LeaseServer {
  let version = 0;
  const server: LeaseServer = {
    fieldManager: "test",
    lease: undefined,
    failure: undefined,
    writes: [],
    isWatchable: false,
    stream: (request) => watch(request),
    close: async () => undefined,
    async request<T>(request: KubeRequest): Promise<T> {
      if (server.failure) throw server.failure;
      if (request.method === "GET" && !server.lease) throw refuse(request, 404, "NotFound");
      if (request.method !== "GET") write(request);
      return structuredClone(server.lease) as T;
    },
  };
  const watchers = new Set<() => void>();
  async function* watch(request: KubeStreamRequest): AsyncGenerator<string> {
    if (!server.isWatchable) throw refuse({ ...request, method: "GET" }, 403, "Forbidden");
    let told = "";
    while (!request.signal?.aborted) {
      const { lease } = server;
      if (lease && lease.metadata.resourceVersion !== told) {
        told = lease.metadata.resourceVersion ?? "";
        yield JSON.stringify({ type: "MODIFIED", object: lease });
        continue;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      watchers.add(resolve);
      request.signal?.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      watchers.delete(resolve);
    }
  }
  const write = (request: KubeRequest) => {
    const lease = structuredClone(request.body) as Lease;
    const { acquireTime = "", renewTime = "" } = lease.spec ?? {};
    if (!microTime.test(acquireTime) || !microTime.test(renewTime)) throw refuse(request, 400, "BadRequest");
    if (request.method === "POST" && server.lease) throw refuse(request, 409, "AlreadyExists");
    const known = server.lease?.metadata.resourceVersion;
    if (request.method === "PUT" && lease.metadata.resourceVersion !== known) throw refuse(request, 409, "Conflict");
    lease.metadata.resourceVersion = String(++version);
    server.lease = lease;
    server.writes.push(structuredClone(lease));
    for (const tell of watchers) tell();
  };
  return server;
}

function refuse(request: KubeRequest, status: number, reason: string): KubeApiError {
  return new KubeApiError({ request: `${request.method} ${request.path}`, status, body: { code: status, reason } });
}
