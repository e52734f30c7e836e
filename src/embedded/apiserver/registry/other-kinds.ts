/** Declarations of all built-in groups but the core: those with a file of their own, and the small ones here. */
import { apiServiceStrategy } from "../admission/api-services.ts";
import { leaseStrategy, priorityClassStrategy } from "../admission/core-strategies.ts";
import { runtimeClassStrategy, signingRequestStrategy } from "../admission/small-strategies.ts";
import { asString } from "../json-value.ts";
import { specOf } from "../object.ts";
import { flowSchemaColumns, priorityLevelColumns } from "../printing/admission-columns.ts";
import {
  apiServiceColumns,
  leaseColumns,
  priorityClassColumns,
  runtimeClassColumns,
  signingRequestColumns,
} from "../printing/builtin-columns.ts";
import { admissionKinds } from "./admission-kinds.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind } from "./kind.ts";
import { networkKinds } from "./network-kinds.ts";
import { rbacKinds } from "./rbac-kinds.ts";
import { storageKinds } from "./storage-kinds.ts";
import { workloadKinds } from "./workload-kinds.ts";

const flowControl = {
  group: "flowcontrol.apiserver.k8s.io",
  namespaced: false,
  hasStatus: true,
  hasGeneration: true,
} as const;

export const otherKinds = (): readonly ResourceKind[] => [
  ...workloadKinds(),
  ...networkKinds(),
  ...storageKinds(),
  ...rbacKinds(),
  ...admissionKinds(),
  declareBuiltin({
    group: "coordination.k8s.io",
    kind: "Lease",
    plural: "leases",
    columns: leaseColumns,
    strategy: leaseStrategy,
  }),
  declareBuiltin({
    group: "scheduling.k8s.io",
    kind: "PriorityClass",
    plural: "priorityclasses",
    namespaced: false,
    shortNames: ["pc"],
    hasGeneration: true,
    columns: priorityClassColumns,
    strategy: priorityClassStrategy,
  }),
  declareBuiltin({
    group: "node.k8s.io",
    kind: "RuntimeClass",
    plural: "runtimeclasses",
    namespaced: false,
    columns: runtimeClassColumns,
    strategy: runtimeClassStrategy,
  }),
  declareBuiltin({
    group: "certificates.k8s.io",
    kind: "CertificateSigningRequest",
    plural: "certificatesigningrequests",
    namespaced: false,
    shortNames: ["csr"],
    hasStatus: true,
    columns: signingRequestColumns,
    strategy: signingRequestStrategy,
    subresources: { approval: { kind: "CertificateSigningRequest", verbs: ["get", "patch", "update"] } },
    selectableFields: { "spec.signerName": (request) => asString(specOf(request).signerName) },
  }),
  declareBuiltin({
    group: "apiregistration.k8s.io",
    kind: "APIService",
    plural: "apiservices",
    columns: apiServiceColumns,
    namespaced: false,
    categories: ["api-extensions"],
    hasStatus: true,
    strategy: apiServiceStrategy,
  }),
  declareBuiltin({ ...flowControl, kind: "FlowSchema", columns: flowSchemaColumns, plural: "flowschemas" }),
  declareBuiltin({
    ...flowControl,
    kind: "PriorityLevelConfiguration",
    columns: priorityLevelColumns,
    plural: "prioritylevelconfigurations",
  }),
];
