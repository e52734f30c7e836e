/** Ports of the node that pods take for themselves. Pure. */
import type { ContainerPort, Pod } from "../kubelet/core-types.ts";

const anyAddress = "0.0.0.0";

export function hasFreePorts(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return true;
  const taken = others.flatMap(hostPortsOf);
  return !wanted.some((port) => taken.some((other) => collide(port, other)));
}

function hostPortsOf(pod: Pod): readonly ContainerPort[] {
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
  return [...pod.spec.containers, ...sidecars]
    .flatMap((container) => container.ports ?? [])
    .map((port) => (pod.spec.hostNetwork === true ? { ...port, hostPort: port.hostPort ?? port.containerPort } : port))
    .filter((port) => (port.hostPort ?? 0) > 0);
}

function collide(one: ContainerPort, other: ContainerPort): boolean {
  if (one.hostPort !== other.hostPort || (one.protocol ?? "TCP") !== (other.protocol ?? "TCP")) return false;
  const [address, otherAddress] = [one.hostIP || anyAddress, other.hostIP || anyAddress];
  return address === otherAddress || address === anyAddress || otherAddress === anyAddress;
}
