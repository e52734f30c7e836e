/** Which pods stand behind a service, under which ports. Pure. */
import type { Pod } from "../../kubelet/core-types.ts";
import type { EndpointPort, Service, ServicePort } from "../network-types.ts";
import { isFinished, isReady, isTerminating } from "../pod-state.ts";

export function isSelectedBy(service: Service, pod: Pod): boolean {
  const selector = Object.entries(service.spec?.selector ?? {});
  const labels = pod.metadata.labels ?? {};
  return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
}

/** Ended pods and pods without an address are nowhere to be reached. */
export function findServicePods(service: Service, pods: readonly Pod[]): readonly Pod[] {
  return pods
    .filter((pod) => isSelectedBy(service, pod) && !isFinished(pod) && Boolean(pod.status?.podIP))
    .sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
}

export interface Reachability {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export function reachabilityOf(service: Service, pod: Pod): Reachability {
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  return { ready, serving, terminating };
}

/** Ports of the pod for those of the service; one that names a port the pod does not have is left out. */
export function resolvePorts(service: Service, pod: Pod): readonly EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = resolvePort(port, pod);
    if (number === undefined) return [];
    return [
      {
        name: port.name ?? "",
        port: number,
        protocol: port.protocol ?? "TCP",
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      },
    ];
  });
}

function resolvePort(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === "number") return target === 0 ? port.port : target;
  const protocol = port.protocol ?? "TCP";
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
  const ports = [...pod.spec.containers, ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.find((one) => one.name === target && (one.protocol ?? "TCP") === protocol)?.containerPort;
}
