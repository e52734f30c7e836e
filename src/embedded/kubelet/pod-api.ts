/**
 * The calls a kubelet makes for its pods, and nothing else: an interface, so that pod workers are tested without a
 * server. Effects: requests to the API server, each bounded by the transport's time-out.
 */
import { InferiumError } from "../../base/errors.ts";
import { isConflict, isNotFound, KubeApiError } from "../../kube/api-error.ts";
import { createClient } from "../../kube/client.ts";
import { configMaps, secrets, serviceAccounts } from "../../kube/core-resources.ts";
import { defineResource, objectPath } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import type { Pod } from "./core-types.ts";
import type { KeyedData, SourceFetcher } from "./sources.ts";
import type { PodStatus } from "./status-types.ts";
import type { TokenProjection } from "./volume-files.ts";

export const podResource = defineResource<Pod>({ apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true });

export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface PodApi extends SourceFetcher {
  /** False when the pod is gone, or another pod has its name. */
  writeStatus(pod: Pod, status: PodStatus): Promise<boolean>;
  /** Removes the object at once: its processes have ended. */
  finishDeletion(pod: Pod): Promise<void>;
  /** `undefined` when there is no such account. */
  readServiceAccount(namespace: string, name: string): Promise<{ readonly automount: boolean } | undefined>;
  issueToken(pod: Pod, projection: Omit<TokenProjection, "path">): Promise<IssuedToken>;
}

/** Every pod with a token mounts it; a controller of the cluster puts it into each namespace. */
const rootCaConfigMap = "kube-root-ca.crt";

/** @param rootCaPem stands in for that ConfigMap on a server without controllers */
export function createPodApi(transport: Transport, rootCaPem?: string): PodApi {
  const pods = createClient(transport, podResource);
  const configMapClient = createClient(transport, configMaps);
  const secretClient = createClient(transport, secrets);
  const accounts = createClient(transport, serviceAccounts);
  return {
    configMap: async (namespace, name) => {
      const found = await whenFound(() => configMapClient.get({ namespace, name }));
      if (found) return decodeData({ ...encodeText(found.data), ...found.binaryData });
      if (name !== rootCaConfigMap || rootCaPem === undefined) return undefined;
      return new Map([["ca.crt", Buffer.from(rootCaPem)]]);
    },
    secret: (namespace, name) => whenFound(async () => decodeData((await secretClient.get({ namespace, name })).data)),
    readServiceAccount: (namespace, name) =>
      whenFound(async () => ({
        automount: (await accounts.get({ namespace, name })).automountServiceAccountToken !== false,
      })),
    issueToken: (pod, projection) => requestToken(transport, pod, projection),
    writeStatus: async (pod, status) => {
      // The uid is a precondition: a pod that was made anew under this name must not get the old one's status.
      const body = { metadata: { uid: pod.metadata.uid }, status };
      try {
        await pods.patch(pod.metadata, { kind: "merge", subresource: "status", body });
        return true;
      } catch (error) {
        if (isNotFound(error) || isConflict(error) || isUidMismatch(error)) return false;
        throw error;
      }
    },
    finishDeletion: async (pod) => {
      const preconditions = pod.metadata.uid === undefined ? {} : { uid: pod.metadata.uid };
      try {
        await pods.delete(pod.metadata, { gracePeriodSeconds: 0, preconditions });
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    },
  };
}

/** Servers answer a changed uid in a patch with a conflict or as an invalid change of an immutable field. */
function isUidMismatch(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 422 && /uid/i.test(error.message);
}

async function whenFound<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function encodeText(data: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const pairs = Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text).toString("base64")] as const);
  return Object.fromEntries(pairs);
}

function decodeData(data: Readonly<Record<string, string>> | undefined): KeyedData {
  return new Map(Object.entries(data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, "base64")]));
}

interface TokenRequest {
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string };
}

async function requestToken(
  transport: Transport,
  pod: Pod,
  projection: Omit<TokenProjection, "path">,
): Promise<IssuedToken> {
  const { name, uid, namespace } = pod.metadata;
  const account = { namespace, name: pod.spec.serviceAccountName || "default" };
  const answer = await transport.request<TokenRequest>({
    method: "POST",
    path: objectPath(serviceAccounts, account, "token"),
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        audiences: projection.audience === undefined ? [] : [projection.audience],
        expirationSeconds: projection.expirationSeconds ?? 3600,
        // The token dies with the pod.
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    },
  });
  const { token, expirationTimestamp } = answer.status ?? {};
  if (token === undefined || expirationTimestamp === undefined) {
    throw new InferiumError("BadTokenAnswer", `The API server issued no token for service account ${account.name}.`, {
      disposition: "retry",
    });
  }
  return { token, expiresAt: Date.parse(expirationTimestamp) };
}
