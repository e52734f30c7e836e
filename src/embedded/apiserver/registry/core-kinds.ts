/** Declarations of the core group (`/api/v1`). */

import { configMapStrategy, namespaceStrategy, nodeStrategy, secretStrategy } from "../admission/core-strategies.ts";
import { coreEventStrategy, eventStrategy } from "../admission/events.ts";
import { podStrategy } from "../admission/pod.ts";
import { serviceStrategy } from "../admission/service.ts";
import { limitRangeStrategy, podTemplateStrategy, resourceQuotaStrategy } from "../admission/small-strategies.ts";
import { replicationControllerStrategy } from "../admission/workloads.ts";
import { asObject, asString } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import {
  configMapColumns,
  endpointsColumns,
  eventColumns,
  limitRangeColumns,
  namespaceColumns,
  nodeColumns,
  resourceQuotaColumns,
  secretColumns,
  serviceAccountColumns,
  serviceColumns,
} from "../printing/builtin-columns.ts";
import { podColumns } from "../printing/pod-columns.ts";
import { podTemplateColumns, replicationControllerColumns } from "../printing/workload-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import { eventFromCore, eventToCore } from "./event-conversion.ts";
import type { ResourceKind } from "./kind.ts";

const involved = (field: string) => (event: KubeObject) => asString(asObject(event.involvedObject)[field]);
const eventFields: ResourceKind["selectableFields"] = {
  ...Object.fromEntries(
    ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map((field) => [
      `involvedObject.${field}`,
      involved(field),
    ]),
  ),
  ...Object.fromEntries(
    ["kind", "namespace", "name", "uid", "apiVersion"].map((field) => [`regarding.${field}`, involved(field)]),
  ),
  reason: (event) => asString(event.reason),
  type: (event) => asString(event.type),
  source: (event) => asString(asObject(event.source).component),
  reportingComponent: (event) => asString(event.reportingComponent),
  reportingController: (event) => asString(event.reportingComponent),
};

export const coreKinds = (): readonly ResourceKind[] => [
  declareBuiltin({
    kind: "Namespace",
    plural: "namespaces",
    namespaced: false,
    shortNames: ["ns"],
    hasStatus: true,
    columns: namespaceColumns,
    selectableFields: { "status.phase": (object) => asString(statusOf(object).phase) },
    strategy: namespaceStrategy,
    subresources: { finalize: { kind: "Namespace", verbs: ["update"] } },
  }),
  declareBuiltin({
    kind: "Node",
    plural: "nodes",
    namespaced: false,
    shortNames: ["no"],
    hasStatus: true,
    columns: nodeColumns,
    selectableFields: { "spec.unschedulable": (object) => String(specOf(object).unschedulable === true) },
    strategy: nodeStrategy,
  }),
  declareBuiltin({
    kind: "Pod",
    plural: "pods",
    shortNames: ["po"],
    categories: ["all"],
    hasStatus: true,
    hasGeneration: true,
    columns: podColumns,
    selectableFields: {
      "spec.nodeName": (pod) => asString(specOf(pod).nodeName),
      "spec.restartPolicy": (pod) => asString(specOf(pod).restartPolicy),
      "spec.schedulerName": (pod) => asString(specOf(pod).schedulerName),
      "spec.serviceAccountName": (pod) => asString(specOf(pod).serviceAccountName),
      "spec.hostNetwork": (pod) => String(specOf(pod).hostNetwork === true),
      "status.phase": (pod) => asString(statusOf(pod).phase),
      "status.podIP": (pod) => asString(statusOf(pod).podIP),
      "status.podIPs": (pod) => asString(statusOf(pod).podIP),
      "status.nominatedNodeName": (pod) => asString(statusOf(pod).nominatedNodeName),
    },
    strategy: podStrategy,
    subresources: {
      attach: { kind: "PodAttachOptions", verbs: ["create", "get"] },
      exec: { kind: "PodExecOptions", verbs: ["create", "get"] },
      log: { kind: "Pod", verbs: ["get"] },
      ephemeralcontainers: { kind: "Pod", verbs: ["get", "patch", "update"] },
      resize: { kind: "Pod", verbs: ["get", "patch", "update"] },
      binding: { kind: "Binding", verbs: ["create"] },
      eviction: { kind: "Eviction", group: "policy", version: "v1", verbs: ["create"] },
    },
  }),
  declareBuiltin({
    kind: "ConfigMap",
    plural: "configmaps",
    shortNames: ["cm"],
    columns: configMapColumns,
    strategy: configMapStrategy,
  }),
  declareBuiltin({
    kind: "Secret",
    plural: "secrets",
    columns: secretColumns,
    selectableFields: { type: (secret) => asString(secret.type) },
    strategy: secretStrategy,
  }),
  declareBuiltin({
    kind: "ServiceAccount",
    plural: "serviceaccounts",
    shortNames: ["sa"],
    columns: serviceAccountColumns,
    strategy: { returnsDeletedObject: true },
    subresources: {
      token: { kind: "TokenRequest", group: "authentication.k8s.io", version: "v1", verbs: ["create"] },
    },
  }),
  declareBuiltin({
    kind: "Service",
    plural: "services",
    shortNames: ["svc"],
    categories: ["all"],
    hasStatus: true,
    columns: serviceColumns,
    selectableFields: {
      "spec.clusterIP": (service) => asString(specOf(service).clusterIP),
      "spec.type": (service) => asString(specOf(service).type),
    },
    strategy: serviceStrategy,
  }),
  declareBuiltin({
    kind: "Endpoints",
    plural: "endpoints",
    shortNames: ["ep"],
    columns: endpointsColumns,
    deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  }),
  declareBuiltin({
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    columns: eventColumns,
    selectableFields: eventFields,
    strategy: coreEventStrategy,
  }),
  declareBuiltin({
    group: "events.k8s.io",
    kind: "Event",
    plural: "events",
    storage: "events",
    strategy: eventStrategy,
    shortNames: ["ev"],
    columns: eventColumns,
    selectableFields: eventFields,
    toStorage: eventToCore,
    fromStorage: eventFromCore,
  }),
  declareBuiltin({
    kind: "ReplicationController",
    plural: "replicationcontrollers",
    shortNames: ["rc"],
    categories: ["all"],
    hasStatus: true,
    hasGeneration: true,
    scale: { spec: ["spec", "replicas"], status: ["status", "replicas"], selector: ["spec", "selector"] },
    selectableFields: { "status.replicas": (object) => String(statusOf(object).replicas ?? 0) },
    columns: replicationControllerColumns,
    strategy: replicationControllerStrategy,
  }),
  declareBuiltin({
    kind: "LimitRange",
    plural: "limitranges",
    shortNames: ["limits"],
    columns: limitRangeColumns,
    strategy: limitRangeStrategy,
  }),
  declareBuiltin({
    kind: "ResourceQuota",
    plural: "resourcequotas",
    shortNames: ["quota"],
    hasStatus: true,
    columns: resourceQuotaColumns,
    strategy: resourceQuotaStrategy,
  }),
  declareBuiltin({
    kind: "PodTemplate",
    plural: "podtemplates",
    hasGeneration: true,
    columns: podTemplateColumns,
    strategy: podTemplateStrategy,
  }),
];
