/** What the real server fills into a pod template and a pod. Mutates the fresh object it is given. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";

export function defaultPod(pod: KubeObject): void {
  if (!isObject(pod.spec)) return;
  defaultPodSpec(pod.spec);
}

/** For the `template` of workload kinds as well. */
export function defaultPodSpec(spec: JsonObject): void {
  spec.restartPolicy ??= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ??= "ClusterFirst";
  spec.securityContext ??= {};
  spec.enableServiceLinks ??= true;
  spec.schedulerName ??= "default-scheduler";
  if (spec.serviceAccountName === undefined && spec.serviceAccount !== undefined)
    spec.serviceAccountName = spec.serviceAccount;
  if (spec.serviceAccountName !== undefined) spec.serviceAccount = spec.serviceAccountName;
  for (const name of ["initContainers", "containers"])
    for (const container of asArray(spec[name])) defaultContainer(asObject(container));
  for (const volume of asArray(spec.volumes)) defaultVolume(asObject(volume));
}

function defaultContainer(container: JsonObject): void {
  const image = asString(container.image);
  const tag = /:([^/@]+)$/.exec(image)?.[1];
  const pinned = image.includes("@") || (tag !== undefined && tag !== "latest");
  container.imagePullPolicy ??= pinned ? "IfNotPresent" : "Always";
  container.terminationMessagePath ??= "/dev/termination-log";
  container.terminationMessagePolicy ??= "File";
  container.resources ??= {};
  defaultRequests(asObject(container.resources));
  for (const port of asArray(container.ports)) asObject(port).protocol ??= "TCP";
  for (const variable of asArray(container.env)) defaultFieldRef(asObject(asObject(variable).valueFrom).fieldRef);
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"]) defaultProbe(container[name]);
  defaultHttpGet(asObject(asObject(container.lifecycle).preStop).httpGet);
}

/** A limit without a request is also the request. */
function defaultRequests(resources: JsonObject): void {
  if (!isObject(resources.limits)) return;
  resources.requests = { ...resources.limits, ...asObject(resources.requests) };
}

function defaultProbe(probe: unknown): void {
  if (!isObject(probe)) return;
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
  defaultHttpGet(probe.httpGet);
}

function defaultHttpGet(action: unknown): void {
  if (!isObject(action)) return;
  action.path ??= "/";
  action.scheme ??= "HTTP";
}

function defaultFieldRef(reference: unknown): void {
  if (isObject(reference)) reference.apiVersion ??= "v1";
}

const fileMode = 0o644;

function defaultVolume(volume: JsonObject): void {
  const sources = Object.keys(volume).filter((name) => name !== "name");
  if (sources.length === 0) volume.emptyDir = {};
  for (const name of ["configMap", "secret", "downwardAPI", "projected"]) {
    if (isObject(volume[name])) volume[name].defaultMode ??= fileMode;
  }
  for (const file of asArray(asObject(volume.downwardAPI).items)) defaultFieldRef(asObject(file).fieldRef);
}

const notReadySeconds = 300;

/** What admission plugins add to new pods: the default account, priority, tolerations of a node that goes away. */
export function admitPod(pod: KubeObject): void {
  const spec = specOf(pod);
  spec.serviceAccountName ??= "default";
  spec.serviceAccount = spec.serviceAccountName;
  spec.preemptionPolicy ??= "PreemptLowerPriority";
  const tolerations = [...asArray(spec.tolerations)].map(asObject);
  for (const key of ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]) {
    const covered = tolerations.some((one) => (one.key ?? key) === key && (one.effect ?? "NoExecute") === "NoExecute");
    if (!covered)
      tolerations.push({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: notReadySeconds });
  }
  spec.tolerations = tolerations;
  pod.status = { phase: "Pending", qosClass: qosClass(spec) };
}

export function qosClass(spec: JsonObject): "Guaranteed" | "Burstable" | "BestEffort" {
  const containers = [...asArray(spec.initContainers), ...asArray(spec.containers)].map(asObject);
  const computed = (side: unknown) =>
    Object.entries(asObject(side)).filter(([name]) => name === "cpu" || name === "memory");
  const resources = containers.map((container) => asObject(container.resources));
  const bare = resources.every((one) => computed(one.requests).length === 0 && computed(one.limits).length === 0);
  if (bare) return "BestEffort";
  const even = resources.every((one) => {
    const limits = asObject(one.limits);
    const requests = asObject(one.requests);
    return ["cpu", "memory"].every((name) => limits[name] !== undefined && limits[name] === requests[name]);
  });
  return even ? "Guaranteed" : "Burstable";
}
