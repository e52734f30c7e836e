/** Declarations of networking.k8s.io and discovery.k8s.io. */
import { endpointSliceColumns } from "../printing/builtin-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind } from "./kind.ts";

const networking = { group: "networking.k8s.io" } as const;

export const networkKinds = (): readonly ResourceKind[] => [
  declareBuiltin({
    group: "discovery.k8s.io",
    kind: "EndpointSlice",
    plural: "endpointslices",
    hasGeneration: true,
    columns: endpointSliceColumns,
  }),
  declareBuiltin({
    ...networking,
    kind: "NetworkPolicy",
    plural: "networkpolicies",
    shortNames: ["netpol"],
    hasGeneration: true,
  }),
  declareBuiltin({
    ...networking,
    kind: "Ingress",
    plural: "ingresses",
    shortNames: ["ing"],
    hasStatus: true,
    hasGeneration: true,
  }),
  declareBuiltin({
    ...networking,
    kind: "IngressClass",
    plural: "ingressclasses",
    namespaced: false,
    hasGeneration: true,
  }),
  declareBuiltin({
    ...networking,
    kind: "IPAddress",
    plural: "ipaddresses",
    namespaced: false,
    shortNames: ["ip"],
  }),
  declareBuiltin({ ...networking, kind: "ServiceCIDR", plural: "servicecidrs", namespaced: false, hasStatus: true }),
];
