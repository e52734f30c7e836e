/** The events a kubelet records on a pod; an interface, so that the workers do not depend on how events are sent. */
import type { Pod } from "./core-types.ts";

export interface PodEvent {
  readonly type: "Normal" | "Warning";
  /** PascalCase word, as the kubelet of Kubernetes uses it. */
  readonly reason: string;
  readonly message: string;
}

export interface PodEventSink {
  record(pod: Pod, event: PodEvent): void;
}
