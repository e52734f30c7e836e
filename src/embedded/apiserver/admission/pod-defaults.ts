/** What the real server fills into a pod and into the pod template of a workload. Mutates the fresh object it is given. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import { podQosClass } from "../validation/pod-update.ts";
import { defaultVolume } from "./volume-defaults.ts";

/** A pod gets more than a template: requests out of limits, service links, host ports. */
export function defaultPod(pod: KubeObject): void {
  if (!isObject(pod.spec)) return;
  const { spec } = pod;
  defaultPodSpec(spec);
  spec.enableServiceLinks ??= true;
  for (const container of eachContainer(spec, ["initContainers", "containers"])) {
    defaultRequests(container.resources);
    if (spec.hostNetwork === true)
      for (const port of asArray(container.ports)) asObject(port).hostPort ??= asObject(port).containerPort;
  }
}

export function defaultPodSpec(spec: JsonObject): void {
  spec.restartPolicy ??= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ??= "ClusterFirst";
  spec.securityContext ??= {};
  spec.schedulerName ??= "default-scheduler";
  copyAccountName(spec);
  for (const container of eachContainer(spec, ["initContainers", "containers", "ephemeralContainers"]))
    defaultContainer(container);
  for (const volume of asArray(spec.volumes)) defaultVolume(asObject(volume));
}

/** `serviceAccount` is the name's old field: both say the same, the newer one wins. */
function copyAccountName(spec: JsonObject): void {
  if (asString(spec.serviceAccountName) === "" && spec.serviceAccount !== undefined)
    spec.serviceAccountName = spec.serviceAccount;
  if (spec.serviceAccountName !== undefined) spec.serviceAccount = spec.serviceAccountName;
}

function eachContainer(spec: JsonObject, lists: readonly string[]): JsonObject[] {
  return lists.flatMap((list) => asArray(spec[list]).map(asObject));
}

function defaultContainer(container: JsonObject): void {
  container.imagePullPolicy ??= pullPolicyOf(asString(container.image));
  container.terminationMessagePath ??= "/dev/termination-log";
  container.terminationMessagePolicy ??= "File";
  container.resources ??= {};
  for (const port of asArray(container.ports)) asObject(port).protocol ??= "TCP";
  for (const variable of asArray(container.env)) defaultFieldRefs(asObject(variable).valueFrom);
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"]) defaultProbe(container[name]);
  const { postStart, preStop } = asObject(container.lifecycle);
  for (const hook of [postStart, preStop]) defaultHttpGet(asObject(hook).httpGet);
}

/** The tag `latest`, given or meant, is pulled always. */
export function pullPolicyOf(image: string): "Always" | "IfNotPresent" {
  const [name = "", digest] = image.split("@");
  const tag = /:([^/:]+)$/.exec(name)?.[1] ?? (digest === undefined ? "latest" : "");
  return tag === "latest" ? "Always" : "IfNotPresent";
}

function defaultFieldRefs(source: unknown): void {
  const { fieldRef, resourceFieldRef } = asObject(source);
  if (isObject(fieldRef)) fieldRef.apiVersion ??= "v1";
  if (isObject(resourceFieldRef)) resourceFieldRef.divisor ??= "0";
}

/** A limit without a request is also the request. */
function defaultRequests(resources: unknown): void {
  if (!isObject(resources) || !isObject(resources.limits)) return;
  resources.requests = { ...resources.limits, ...asObject(resources.requests) };
}

function defaultProbe(probe: unknown): void {
  if (!isObject(probe)) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHttpGet(probe.httpGet);
  if (isObject(probe.grpc)) probe.grpc.service ??= "";
}

function defaultHttpGet(action: unknown): void {
  if (!isObject(action)) return;
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

/** What a new pod is before anybody has looked at it. */
export function admitPod(pod: KubeObject): void {
  pod.status = { phase: "Pending", qosClass: podQosClass(specOf(pod)) };
}
