/**
 * Who may read logs on a real cluster. Its API server comes to a kubelet with a client certificate; as any kubelet does,
 * this one asks the cluster whether the certificate's holder may. Effects: reads one ConfigMap, one review per request.
 */
import { KubeApiError } from "../../kube/api-error.ts";
import { createClient } from "../../kube/client.ts";
import { configMaps } from "../../kube/core-resources.ts";
import type { Transport } from "../../kube/transport.ts";

export interface ClientAccess {
  /** Authorities of client certificates, as PEM. */
  readonly caPem: string;
  mayRead(user: string, groups: readonly string[]): Promise<boolean>;
}

/** Where an API server publishes what others need to know its clients. */
const published = { namespace: "kube-system", name: "extension-apiserver-authentication" };

/** `undefined` where the cluster has no authority for client certificates, or does not tell: then no logs are served. */
export async function readClientAccess(transport: Transport): Promise<ClientAccess | undefined> {
  const caPem = await readClientCa(transport);
  return caPem === undefined ? undefined : { caPem, mayRead: (user, groups) => review(transport, user, groups) };
}

async function readClientCa(transport: Transport): Promise<string | undefined> {
  try {
    const { data } = await createClient(transport, configMaps).get(published);
    return data?.["client-ca-file"] || undefined;
  } catch (error) {
    if (error instanceof KubeApiError && (error.status === 403 || error.status === 404)) return undefined;
    throw error;
  }
}

async function review(transport: Transport, user: string, groups: readonly string[]): Promise<boolean> {
  const answer = await transport.request<{ readonly status?: { readonly allowed?: boolean } }>({
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user,
        groups: [...groups, "system:authenticated"],
        resourceAttributes: { verb: "get", resource: "nodes", subresource: "proxy" },
      },
    },
  });
  return answer.status?.allowed === true;
}
