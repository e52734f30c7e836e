/** Table columns of volumes, claims, their classes, and of devices. Pure. */
import { asArray, asObject, asString, isObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { ageColumn, column, nameColumn } from "./common-columns.ts";

const short: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

/** In the order of the table above, whatever the order of the field. */
function modes(list: unknown): string {
  const given = asArray(list);
  return Object.keys(short)
    .filter((mode) => given.includes(mode))
    .map((mode) => short[mode])
    .join(",");
}

const oldClassAnnotation = "volume.beta.kubernetes.io/storage-class";

function phase(object: KubeObject): unknown {
  return object.metadata.deletionTimestamp === undefined ? (statusOf(object).phase ?? "") : "Terminating";
}

function className({ metadata, spec }: KubeObject): string {
  return metadata.annotations?.[oldClassAnnotation] ?? asString(asObject(spec).storageClassName);
}

const attributesClass = column("VolumeAttributesClass", (o) => specOf(o).volumeAttributesClassName ?? "<unset>");
const volumeMode = column("VolumeMode", (o) => specOf(o).volumeMode ?? "<unset>", { wide: true });

export const volumeColumns: readonly Column[] = [
  nameColumn,
  column("Capacity", (o) => asObject(specOf(o).capacity).storage ?? "0"),
  column("Access Modes", (o) => modes(specOf(o).accessModes)),
  column("Reclaim Policy", (o) => specOf(o).persistentVolumeReclaimPolicy ?? ""),
  column("Status", phase),
  column("Claim", (o) => {
    const claim = specOf(o).claimRef;
    return isObject(claim) ? `${asString(claim.namespace)}/${asString(claim.name)}` : "";
  }),
  column("StorageClass", className),
  attributesClass,
  column("Reason", (o) => statusOf(o).reason ?? ""),
  ageColumn,
  volumeMode,
];

export const volumeClaimColumns: readonly Column[] = [
  nameColumn,
  column("Status", phase),
  column("Volume", (o) => specOf(o).volumeName ?? ""),
  column("Capacity", (o) => (isBound(o) ? (asObject(statusOf(o).capacity).storage ?? "0") : "")),
  column("Access Modes", (o) => (isBound(o) ? modes(statusOf(o).accessModes) : "")),
  column("StorageClass", className),
  attributesClass,
  ageColumn,
  volumeMode,
];

const isBound = (claim: KubeObject) => asString(specOf(claim).volumeName) !== "";

const defaultClasses = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

export const storageClassColumns: readonly Column[] = [
  {
    ...nameColumn,
    value: ({ metadata }) =>
      `${metadata.name}${defaultClasses.some((key) => metadata.annotations?.[key] === "true") ? " (default)" : ""}`,
  },
  column("Provisioner", (o) => o.provisioner ?? ""),
  column("ReclaimPolicy", (o) => o.reclaimPolicy ?? "Delete"),
  column("VolumeBindingMode", (o) => o.volumeBindingMode ?? "Immediate"),
  column("AllowVolumeExpansion", (o) => o.allowVolumeExpansion === true),
  ageColumn,
];

export const attributesClassColumns: readonly Column[] = [
  nameColumn,
  column("DriverName", (o) => o.driverName ?? ""),
  ageColumn,
];

const flag = (field: string) => (o: KubeObject) => specOf(o)[field] === true;

export const csiDriverColumns: readonly Column[] = [
  nameColumn,
  column("AttachRequired", (o) => specOf(o).attachRequired !== false, { type: "boolean" }),
  column("PodInfoOnMount", flag("podInfoOnMount"), { type: "boolean" }),
  column("StorageCapacity", flag("storageCapacity"), { type: "boolean" }),
  column("TokenRequests", (o) => {
    const requests = specOf(o).tokenRequests;
    return requests === undefined
      ? "<unset>"
      : asArray(requests)
          .map((one) => asString(asObject(one).audience))
          .join(",");
  }),
  column("RequiresRepublish", flag("requiresRepublish"), { type: "boolean" }),
  column("Modes", (o) => asArray(specOf(o).volumeLifecycleModes).join(",") || "<none>"),
  ageColumn,
];

export const csiNodeColumns: readonly Column[] = [
  nameColumn,
  column("Drivers", (o) => asArray(specOf(o).drivers).length, { type: "integer" }),
  ageColumn,
];

export const storageCapacityColumns: readonly Column[] = [
  nameColumn,
  column("StorageClassName", (o) => o.storageClassName ?? ""),
  column("Capacity", (o) => o.capacity ?? "<unset>"),
];

export const volumeAttachmentColumns: readonly Column[] = [
  nameColumn,
  column("Attacher", (o) => specOf(o).attacher ?? "", { format: "name" }),
  column("PV", (o) => asObject(specOf(o).source).persistentVolumeName ?? ""),
  column("Node", (o) => specOf(o).nodeName ?? ""),
  column("Attached", (o) => statusOf(o).attached === true, { type: "boolean" }),
  ageColumn,
];

export const resourceClaimColumns: readonly Column[] = [
  nameColumn,
  column("State", (o) => {
    const { allocation, reservedFor } = statusOf(o);
    const deleted = o.metadata.deletionTimestamp === undefined ? [] : ["deleted"];
    if (allocation === undefined) return [...deleted, ...(deleted.length === 0 ? ["pending"] : [])].join(",");
    return [...deleted, "allocated", ...(asArray(reservedFor).length > 0 ? ["reserved"] : [])].join(",");
  }),
  ageColumn,
];

export const resourceSliceColumns: readonly Column[] = [
  nameColumn,
  column("Node", (o) => specOf(o).nodeName ?? ""),
  column("Driver", (o) => specOf(o).driver ?? ""),
  column("Pool", (o) => asObject(specOf(o).pool).name ?? ""),
  ageColumn,
];
