/** The checks of the Pod Security Standard "restricted", as of Kubernetes 1.36: best practice of hardening. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../../json-value.ts";
import { seccompProfile as forbiddenSeccomp, procMountStrict } from "./baseline.ts";
import {
  containersOf,
  hasOwnUsers,
  isWindows,
  nameOf,
  naming,
  type PodCheck,
  plural,
  securityOf,
  setters,
  sortedQuote,
} from "./findings.ts";

const allowPrivilegeEscalation: PodCheck = (pod) => {
  if (isWindows(pod)) return undefined;
  const bad = containersOf(pod).filter((container) => securityOf(container).allowPrivilegeEscalation !== false);
  if (bad.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${naming(bad.map(nameOf))} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const capabilities: PodCheck = (pod) => {
  if (isWindows(pod)) return undefined;
  const of = (container: JsonObject, side: string) =>
    asArray(asObject(securityOf(container).capabilities)[side]).map(asString);
  const forbidden = (container: JsonObject) => of(container, "add").filter((name) => name !== "NET_BIND_SERVICE");
  const keeping = containersOf(pod).filter((container) => !of(container, "drop").includes("ALL"));
  const adding = containersOf(pod).filter((container) => forbidden(container).length > 0);
  const details = [
    ...(keeping.length > 0
      ? [`${naming(keeping.map(nameOf))} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [
          `${naming(adding.map(nameOf))} must not include ${sortedQuote(adding.flatMap(forbidden))} in securityContext.capabilities.add`,
        ]
      : []),
  ];
  return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
};

const allowedVolumes =
  "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret".split(" ");

const restrictedVolumes: PodCheck = ({ spec }) => {
  const volumes = asArray(spec.volumes).map(asObject);
  const bad = volumes.filter((volume) => !allowedVolumes.some((type) => isObject(volume[type])));
  if (bad.length === 0) return undefined;
  const types = new Set(bad.map((volume) => Object.keys(volume).find((field) => isObject(volume[field])) ?? "unknown"));
  const uses = plural(bad.length, "uses", "use");
  const what = plural(types.size, "restricted volume type");
  return {
    reason: "restricted volume types",
    detail: `${naming(bad.map(nameOf), "volume")} ${uses} ${what} ${sortedQuote(types)}`,
  };
};

const runAsNonRoot: PodCheck = (pod) => {
  if (hasOwnUsers(pod)) return undefined;
  const reason = "runAsNonRoot != true";
  const of = (holder: JsonObject) => securityOf(holder).runAsNonRoot;
  const bad = containersOf(pod).filter((container) => of(container) === false);
  const podIsBad = of(pod.spec) === false;
  if (podIsBad || bad.length > 0) {
    const who = setters(podIsBad, bad.map(nameOf));
    return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  }
  const silent = of(pod.spec) === true ? [] : containersOf(pod).filter((container) => of(container) === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${naming(silent.map(nameOf))} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: PodCheck = (pod) => {
  if (hasOwnUsers(pod)) return undefined;
  const isRoot = (holder: JsonObject) => securityOf(holder).runAsUser === 0;
  const bad = containersOf(pod).filter(isRoot);
  if (!isRoot(pod.spec) && bad.length === 0) return undefined;
  return { reason: "runAsUser=0", detail: `${setters(isRoot(pod.spec), bad.map(nameOf))} must not set runAsUser=0` };
};

const seccompProfile: PodCheck = (pod) => {
  if (isWindows(pod)) return undefined;
  const forbidden = forbiddenSeccomp(pod);
  if (forbidden !== undefined) return forbidden;
  const isSet = (holder: JsonObject) => isObject(securityOf(holder).seccompProfile);
  const silent = isSet(pod.spec) ? [] : containersOf(pod).filter((container) => !isSet(container));
  if (silent.length === 0) return undefined;
  const what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return { reason: "seccompProfile", detail: `pod or ${naming(silent.map(nameOf))} ${what}` };
};

export const restrictedChecks: Readonly<Record<string, PodCheck>> = {
  allowPrivilegeEscalation,
  capabilities_restricted: capabilities,
  procMount_restricted: procMountStrict,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompProfile_restricted: seccompProfile,
};

/** Checks of the baseline that a restricted one takes the place of. */
export const overridden: ReadonlySet<string> = new Set([
  "capabilities_baseline",
  "hostPathVolumes",
  "procMount",
  "seccompProfile_baseline",
]);
