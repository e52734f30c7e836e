/** The strategy of stateful sets. */
import { asArray, asObject, deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { checkDnsLabel } from "../registry/names.ts";
import { eachItem, type Findings } from "../validation/findings.ts";
import { checkAtMostWhole, checkIntOrPercent, isZero } from "../validation/int-or-percent.ts";
import { checkVolumeClaimSpec } from "../validation/volume-claims.ts";
import { workloadStrategy } from "./workload-strategy.ts";

const statefulSetMutable = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];

export const statefulSetStrategy = workloadStrategy({
  word: "statefulset",
  owner: "StatefulSet",
  firstStatus: { replicas: 0, availableReplicas: 0 },
  checkName: checkDnsLabel,
  defaults: defaultStatefulSet,
  check: (spec, found) => {
    const policies = ["OrderedReady", "Parallel"];
    if (!policies.includes(String(spec.podManagementPolicy)))
      found.invalid("spec.podManagementPolicy", spec.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'");
    checkStatefulUpdateStrategy(asObject(spec.updateStrategy), found);
    const retention = asObject(spec.persistentVolumeClaimRetentionPolicy);
    for (const field of ["whenDeleted", "whenScaled"])
      found.optionalOneOf(`spec.persistentVolumeClaimRetentionPolicy.${field}`, retention[field], ["Retain", "Delete"]);
    eachItem(spec.volumeClaimTemplates, "spec.volumeClaimTemplates", (claim, at) =>
      checkVolumeClaimSpec(asObject(claim.spec), `${at}.spec`, found),
    );
    found.notNegative("spec.ordinals.start", asObject(spec.ordinals).start);
    if (spec.serviceName !== undefined && spec.serviceName !== "")
      found.holds("spec.serviceName", String(spec.serviceName), checkDnsLabel);
  },
  checkUpdate: (spec, old, found) => {
    const fixed = (one: JsonObject) =>
      Object.fromEntries(Object.entries(one).filter(([field]) => !statefulSetMutable.includes(field)));
    if (deepEqual(fixed(spec), fixed(old))) return;
    const list =
      "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'";
    found.forbidden("spec", `updates to statefulset spec for fields other than ${list} are forbidden`);
  },
  templateOf: withClaimVolumes,
});

function defaultStatefulSet(spec: JsonObject): void {
  spec.podManagementPolicy ??= "OrderedReady";
  spec.updateStrategy ??= {};
  const strategy = asObject(spec.updateStrategy);
  if (strategy.type === undefined) {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === "RollingUpdate" && isObject(strategy.rollingUpdate)) strategy.rollingUpdate.partition ??= 0;
  const retention = asObject(spec.persistentVolumeClaimRetentionPolicy);
  spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: "Retain", whenScaled: "Retain", ...retention };
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  for (const claim of asArray(spec.volumeClaimTemplates).map(asObject)) {
    claim.apiVersion ??= "v1";
    claim.kind ??= "PersistentVolumeClaim";
    claim.spec = { volumeMode: "Filesystem", ...asObject(claim.spec) };
    claim.status = { phase: "Pending", ...asObject(claim.status) };
  }
}

function checkStatefulUpdateStrategy(strategy: JsonObject, found: Findings): void {
  const path = "spec.updateStrategy";
  if (strategy.type === "OnDelete") {
    if (isObject(strategy.rollingUpdate))
      found.invalid(`${path}.rollingUpdate`, strategy.rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'");
    return;
  }
  if (strategy.type !== "RollingUpdate") {
    found.invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'");
    return;
  }
  const { partition, maxUnavailable } = asObject(strategy.rollingUpdate);
  found.notNegative(`${path}.rollingUpdate.partition`, partition);
  if (maxUnavailable === undefined) return;
  checkIntOrPercent(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, found);
  if (isZero(maxUnavailable)) found.invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, "cannot be 0");
  checkAtMostWhole(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, found);
}

/** Claims become volumes of the pods, so mounts may name them. */
function withClaimVolumes(spec: JsonObject): JsonObject {
  const template = asObject(spec.template);
  const podSpec = asObject(template.spec);
  const names = asArray(spec.volumeClaimTemplates).map((claim) => asObject(asObject(claim).metadata).name);
  const claimed = names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  const others = asArray(podSpec.volumes).filter((volume) => !names.includes(asObject(volume).name));
  return { ...template, spec: { ...podSpec, volumes: [...claimed, ...others] } };
}
