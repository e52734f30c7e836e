/**
 * Where the kubelet of a pod's node is, and which of its containers a request means; for the handlers that pass a request
 * on to it (log, exec, attach).
 */
import { hostInUrl } from "../../../base/listen-address.ts";
import { asArray, asObject, asString, valueAt } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { ApiContext } from "../operations/context.ts";
import { badRequest, failure } from "../status.ts";

export interface KubeletClientOptions {
  /** Bearer token that kubelets accept. */
  readonly token: string;
  /** Authority that signed the kubelets' certificates. */
  readonly caPem: string;
}

export function requireKubeletClient(options: KubeletClientOptions | undefined, what: string): KubeletClientOptions {
  if (options !== undefined) return options;
  const message = `${what} need \`kubeletClient\` credentials, which this server was started without`;
  throw failure(501, "NotImplemented", message);
}

/** @param endpoint first word of the kubelet's path, such as `containerLogs` */
export function buildKubeletUrl(context: ApiContext, pod: KubeObject, endpoint: string, container: string): URL {
  const nodeName = asString(specOf(pod).nodeName);
  if (nodeName === "") throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  const node = context.store.get("nodes", nodeName)?.object;
  if (node === undefined)
    throw failure(500, "InternalError", `node ${nodeName} of pod ${pod.metadata.name} is not found`);
  const port = Number(valueAt(node.status, ["daemonEndpoints", "kubeletEndpoint", "Port"]) ?? 0);
  const address = kubeletAddress(node);
  if (port === 0 || address === "") {
    throw failure(
      500,
      "InternalError",
      `node ${nodeName} gives no kubelet address (status.addresses, status.daemonEndpoints.kubeletEndpoint.Port)`,
    );
  }
  const host = hostInUrl(address);
  const parts = [pod.metadata.namespace ?? "", pod.metadata.name, container].map(encodeURIComponent);
  return new URL(`https://${host}:${port}/${endpoint}/${parts.join("/")}`);
}

const addressOrder = ["InternalIP", "Hostname", "InternalDNS", "ExternalIP", "ExternalDNS"];

function kubeletAddress(node: KubeObject): string {
  const addresses = asArray(statusOf(node).addresses).map(asObject);
  for (const type of addressOrder) {
    const found = addresses.find((one) => one.type === type);
    if (found !== undefined) return asString(found.address);
  }
  return "";
}

export function chooseContainer(pod: KubeObject, wanted: string): string {
  const spec = specOf(pod);
  const names = (list: unknown) => asArray(list).map((one) => asString(asObject(one).name));
  const main = names(spec.containers);
  const all = [...main, ...names(spec.initContainers), ...names(spec.ephemeralContainers)];
  if (wanted !== "") {
    if (all.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${pod.metadata.name}`);
  }
  if (main.length === 1) return main[0] ?? "";
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${all.join(" ")}]`,
  );
}
