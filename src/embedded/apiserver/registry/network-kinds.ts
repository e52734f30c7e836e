/** Declarations of networking.k8s.io and discovery.k8s.io. */
import {
  endpointSliceStrategy,
  ingressClassStrategy,
  ingressStrategy,
  ipAddressStrategy,
  networkPolicyStrategy,
  serviceCidrStrategy,
} from "../admission/networking.ts";
import {
  endpointSliceColumns,
  ingressClassColumns,
  ingressColumns,
  ipAddressColumns,
  networkPolicyColumns,
  serviceCidrColumns,
} from "../printing/network-columns.ts";
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
    strategy: endpointSliceStrategy,
  }),
  declareBuiltin({
    ...networking,
    kind: "NetworkPolicy",
    plural: "networkpolicies",
    shortNames: ["netpol"],
    hasGeneration: true,
    columns: networkPolicyColumns,
    strategy: networkPolicyStrategy,
  }),
  declareBuiltin({
    ...networking,
    kind: "Ingress",
    plural: "ingresses",
    shortNames: ["ing"],
    hasStatus: true,
    hasGeneration: true,
    columns: ingressColumns,
    strategy: ingressStrategy,
  }),
  declareBuiltin({
    ...networking,
    kind: "IngressClass",
    plural: "ingressclasses",
    namespaced: false,
    hasGeneration: true,
    columns: ingressClassColumns,
    strategy: ingressClassStrategy,
  }),
  declareBuiltin({
    ...networking,
    kind: "IPAddress",
    plural: "ipaddresses",
    namespaced: false,
    shortNames: ["ip"],
    columns: ipAddressColumns,
    strategy: ipAddressStrategy,
  }),
  declareBuiltin({
    ...networking,
    kind: "ServiceCIDR",
    plural: "servicecidrs",
    namespaced: false,
    hasStatus: true,
    columns: serviceCidrColumns,
    strategy: serviceCidrStrategy,
  }),
];
