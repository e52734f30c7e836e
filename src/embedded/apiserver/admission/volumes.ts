/** Strategies of persistent volumes and of claims on them. No provisioner runs here: phases are what controllers write. */
import { asObject, isObject } from "../json-value.ts";
import { formatTime, specOf, statusOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { validateVolume, validateVolumeClaim } from "../validation/volume-claims.ts";

export const volumeStrategy: Strategy = {
  applyDefaults: (volume) => {
    const spec = specOf(volume);
    volume.spec = spec;
    spec.persistentVolumeReclaimPolicy ??= "Retain";
    spec.volumeMode ??= "Filesystem";
    if (isObject(spec.hostPath)) spec.hostPath.type ??= "";
    volume.status = { phase: "Pending", ...statusOf(volume) };
  },
  prepareCreate: (volume) => {
    volume.status = { phase: "Pending" };
  },
  prepareStatus: (volume, old, context) => {
    const [now, was] = [statusOf(volume), statusOf(old)];
    if (now.phase !== was.phase && now.lastPhaseTransitionTime === was.lastPhaseTransitionTime)
      volume.status = { ...now, lastPhaseTransitionTime: formatTime(context.nowMs) };
  },
  validate: validateVolume,
  returnsDeletedObject: true,
};

export const volumeClaimStrategy: Strategy = {
  applyDefaults: (claim) => {
    const spec = specOf(claim);
    claim.spec = spec;
    spec.volumeMode ??= "Filesystem";
    claim.status = { phase: "Pending", ...statusOf(claim) };
    // One says what the other says: the older field takes only claims and snapshots of the same namespace.
    if (spec.dataSource !== undefined && spec.dataSourceRef === undefined) spec.dataSourceRef = spec.dataSource;
    else if (isObject(spec.dataSourceRef) && spec.dataSource === undefined && !asObject(spec.dataSourceRef).namespace)
      spec.dataSource = spec.dataSourceRef;
  },
  prepareCreate: (claim) => {
    claim.status = { phase: "Pending" };
  },
  validate: validateVolumeClaim,
  returnsDeletedObject: true,
};
