/** Declarations of volumes and their classes: the core kinds, storage.k8s.io and resource.k8s.io. */
import {
  csiDriverStrategy,
  resourceClaimStrategy,
  resourceClaimTemplateStrategy,
  storageClassStrategy,
} from "../admission/small-strategies.ts";
import { volumeClaimStrategy, volumeStrategy } from "../admission/volumes.ts";
import { asString } from "../json-value.ts";
import { specOf } from "../object.ts";
import {
  attributesClassColumns,
  csiDriverColumns,
  csiNodeColumns,
  resourceClaimColumns,
  resourceSliceColumns,
  storageCapacityColumns,
  storageClassColumns,
  volumeAttachmentColumns,
  volumeClaimColumns,
  volumeColumns,
} from "../printing/storage-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind } from "./kind.ts";

const storage = { group: "storage.k8s.io", strategy: { returnsDeletedObject: true } } as const;
const resource = { group: "resource.k8s.io", strategy: { returnsDeletedObject: true } } as const;

export const storageKinds = (): readonly ResourceKind[] => [
  declareBuiltin({
    kind: "PersistentVolume",
    plural: "persistentvolumes",
    namespaced: false,
    shortNames: ["pv"],
    hasStatus: true,
    columns: volumeColumns,
    strategy: volumeStrategy,
  }),
  declareBuiltin({
    kind: "PersistentVolumeClaim",
    plural: "persistentvolumeclaims",
    shortNames: ["pvc"],
    hasStatus: true,
    columns: volumeClaimColumns,
    strategy: volumeClaimStrategy,
  }),
  declareBuiltin({
    ...storage,
    kind: "StorageClass",
    plural: "storageclasses",
    namespaced: false,
    shortNames: ["sc"],
    columns: storageClassColumns,
    strategy: storageClassStrategy,
  }),
  declareBuiltin({
    ...storage,
    kind: "CSIDriver",
    plural: "csidrivers",
    namespaced: false,
    hasGeneration: true,
    columns: csiDriverColumns,
    strategy: csiDriverStrategy,
  }),
  declareBuiltin({ ...storage, columns: csiNodeColumns, kind: "CSINode", plural: "csinodes", namespaced: false }),
  declareBuiltin({
    ...storage,
    columns: storageCapacityColumns,
    kind: "CSIStorageCapacity",
    plural: "csistoragecapacities",
  }),
  declareBuiltin({
    ...storage,
    columns: volumeAttachmentColumns,
    kind: "VolumeAttachment",
    plural: "volumeattachments",
    namespaced: false,
    hasStatus: true,
  }),
  declareBuiltin({
    ...storage,
    columns: attributesClassColumns,
    kind: "VolumeAttributesClass",
    plural: "volumeattributesclasses",
    namespaced: false,
    shortNames: ["vac"],
  }),
  declareBuiltin({ ...resource, kind: "DeviceClass", plural: "deviceclasses", namespaced: false, hasGeneration: true }),
  declareBuiltin({
    ...resource,
    kind: "ResourceClaim",
    plural: "resourceclaims",
    hasStatus: true,
    columns: resourceClaimColumns,
    strategy: resourceClaimStrategy,
  }),
  declareBuiltin({
    ...resource,
    kind: "ResourceClaimTemplate",
    plural: "resourceclaimtemplates",
    strategy: resourceClaimTemplateStrategy,
  }),
  declareBuiltin({
    ...resource,
    columns: resourceSliceColumns,
    kind: "ResourceSlice",
    plural: "resourceslices",
    namespaced: false,
    hasGeneration: true,
    selectableFields: {
      "spec.nodeName": (slice) => asString(specOf(slice).nodeName),
      "spec.driver": (slice) => asString(specOf(slice).driver),
    },
  }),
];
