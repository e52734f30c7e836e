/** Slim types of the built-in kinds that a controller uses to run itself: leases, events, definitions. */
import type { KubeObject } from "./object.ts";

export interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  /** MicroTime: six digits after the point, or the server refuses it. */
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

export interface ObjectReference {
  apiVersion?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  fieldPath?: string;
}

/** events.k8s.io/v1 Event; named so as not to hide the DOM's. */
export interface KubeEvent extends KubeObject {
  /** MicroTime. */
  eventTime: string;
  type: "Normal" | "Warning";
  /** PascalCase word: why. */
  reason: string;
  /** PascalCase word: what was done. */
  action: string;
  /** At most 1,024 bytes. */
  note?: string;
  regarding?: ObjectReference;
  related?: ObjectReference;
  reportingController: string;
  reportingInstance: string;
  series?: { count: number; lastObservedTime: string };
}

export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string;
    scope: "Namespaced" | "Cluster";
    names: { plural: string; singular?: string; kind: string; listKind?: string; shortNames?: string[] };
    versions: { name: string; served: boolean; storage: boolean; [field: string]: unknown }[];
  };
  status?: { conditions?: { type: string; status: string; reason?: string; message?: string }[] };
}
