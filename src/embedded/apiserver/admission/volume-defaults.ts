/** What the real server fills into a volume. Mutates the fresh volume it is given. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { pullPolicyOf } from "./pod-defaults.ts";

const fileMode = 0o644;

export function defaultVolume(volume: JsonObject): void {
  if (!Object.keys(volume).some((name) => isObject(volume[name]))) volume.emptyDir = {};
  for (const name of ["configMap", "secret", "downwardAPI", "projected"]) {
    if (isObject(volume[name])) volume[name].defaultMode ??= fileMode;
  }
  defaultFiles(volume.downwardAPI);
  for (const source of asArray(asObject(volume.projected).sources).map(asObject)) {
    defaultFiles(source.downwardAPI);
    if (isObject(source.serviceAccountToken)) source.serviceAccountToken.expirationSeconds ??= 3600;
  }
  if (isObject(volume.hostPath)) volume.hostPath.type ??= "";
  if (isObject(volume.image)) volume.image.pullPolicy ??= pullPolicyOf(asString(volume.image.reference));
  if (isObject(volume.iscsi)) volume.iscsi.iscsiInterface ??= "default";
  const claim = asObject(asObject(volume.ephemeral).volumeClaimTemplate).spec;
  if (isObject(claim)) claim.volumeMode ??= "Filesystem";
}

function defaultFiles(source: unknown): void {
  for (const file of asArray(asObject(source).items).map(asObject)) {
    if (isObject(file.fieldRef)) file.fieldRef.apiVersion ??= "v1";
    if (isObject(file.resourceFieldRef)) file.resourceFieldRef.divisor ??= "0";
  }
}
