/** Downward API values of a pod: what `fieldRef` and `resourceFieldRef` resolve to. Pure. */
import { InferiumError } from "../../base/errors.ts";
import type { Pod, ResourceFieldSelector, ResourceList } from "./core-types.ts";
import { ceilDivide, parseMilli } from "./quantity.ts";

/** What the pod object itself does not say yet when its first container starts. */
export interface NodeFacts {
  readonly nodeName: string;
  readonly hostIP: string;
  readonly podIP: string;
  readonly allocatable: ResourceList;
}

const subscript = /^metadata\.(labels|annotations)\['([^']+)'\]$/;

export function computeField(fieldPath: string, pod: Pod, facts: NodeFacts): string {
  const match = subscript.exec(fieldPath);
  if (match !== null) return pod.metadata[match[1] as "labels" | "annotations"]?.[match[2] ?? ""] ?? "";
  const value = computePlainField(fieldPath, pod, facts);
  if (value !== undefined) return value;
  throw new InferiumError(
    "CreateContainerConfigError",
    `fieldRef '${fieldPath}' is not known to this kubelet: expected metadata.name, metadata.namespace, metadata.uid, ` +
      "metadata.labels, metadata.annotations, spec.nodeName, spec.serviceAccountName, status.hostIP or status.podIP.",
  );
}

function computePlainField(fieldPath: string, pod: Pod, facts: NodeFacts): string | undefined {
  switch (fieldPath) {
    case "metadata.name":
      return pod.metadata.name;
    case "metadata.namespace":
      return pod.metadata.namespace ?? "default";
    case "metadata.uid":
      return pod.metadata.uid ?? "";
    case "metadata.labels":
      return formatMap(pod.metadata.labels);
    case "metadata.annotations":
      return formatMap(pod.metadata.annotations);
    case "spec.nodeName":
      return facts.nodeName;
    case "spec.serviceAccountName":
      return pod.spec.serviceAccountName ?? "default";
    case "status.hostIP":
    case "status.hostIPs":
      return facts.hostIP;
    case "status.podIP":
    case "status.podIPs":
      return facts.podIP;
    default:
      return undefined;
  }
}

/** One `key="value"` a line, sorted, values quoted: the format of downward API files. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  const lines = Object.entries(map ?? {}).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return lines.sort().join("\n");
}

/** Units of `divisor` (default 1), rounded up. An absent limit is the node's whole allocatable amount. */
export function computeResourceField(
  selector: ResourceFieldSelector,
  containerName: string | undefined,
  pod: Pod,
  facts: NodeFacts,
): string {
  const name = selector.containerName ?? containerName;
  const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one) => one.name === name);
  const [kind, resource] = splitOnce(selector.resource);
  if (container === undefined || (kind !== "limits" && kind !== "requests")) {
    throw new InferiumError(
      "CreateContainerConfigError",
      `resourceFieldRef '${selector.resource}' of container '${name}' cannot be resolved: expected limits.NAME or ` +
        "requests.NAME of a container of this pod.",
    );
  }
  const fallback = kind === "limits" ? facts.allocatable[resource] : container.resources?.limits?.[resource];
  const quantity = container.resources?.[kind]?.[resource] ?? fallback ?? "0";
  const divisor = parseMilli(selector.divisor ?? "1");
  return String(ceilDivide(parseMilli(quantity), divisor === 0n ? 1000n : divisor));
}

function splitOnce(text: string): [string, string] {
  const dot = text.indexOf(".");
  return [text.slice(0, dot), text.slice(dot + 1)];
}
