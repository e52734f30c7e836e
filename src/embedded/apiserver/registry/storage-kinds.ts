/** Declarations of volumes and their classes: the core kinds, storage.k8s.io and resource.k8s.io. */
import { volumeClaimStrategy, volumeStrategy } from "../admission/volumes.ts";
import { asString } from "../json-value.ts";
import { specOf } from "../object.ts";
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
    strategy: volumeStrategy,
  }),
  declareBuiltin({
    kind: "PersistentVolumeClaim",
    plural: "persistentvolumeclaims",
    shortNames: ["pvc"],
    hasStatus: true,
    strategy: volumeClaimStrategy,
  }),
  declareBuiltin({ ...storage, kind: "StorageClass", plural: "storageclasses", namespaced: false, shortNames: ["sc"] }),
  declareBuiltin({ ...storage, kind: "CSIDriver", plural: "csidrivers", namespaced: false, hasGeneration: true }),
  declareBuiltin({ ...storage, kind: "CSINode", plural: "csinodes", namespaced: false }),
  declareBuiltin({ ...storage, kind: "CSIStorageCapacity", plural: "csistoragecapacities" }),
  declareBuiltin({
    ...storage,
    kind: "VolumeAttachment",
    plural: "volumeattachments",
    namespaced: false,
    hasStatus: true,
  }),
  declareBuiltin({
    ...storage,
    kind: "VolumeAttributesClass",
    plural: "volumeattributesclasses",
    namespaced: false,
    shortNames: ["vac"],
  }),
  declareBuiltin({ ...resource, kind: "DeviceClass", plural: "deviceclasses", namespaced: false, hasGeneration: true }),
  declareBuiltin({ ...resource, kind: "ResourceClaim", plural: "resourceclaims", hasStatus: true }),
  declareBuiltin({ ...resource, kind: "ResourceClaimTemplate", plural: "resourceclaimtemplates" }),
  declareBuiltin({
    ...resource,
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
