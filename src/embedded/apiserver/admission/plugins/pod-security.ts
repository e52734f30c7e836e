/**
 * PodSecurity: pods keep to the Pod Security Standard that their namespace's labels ask for. Pods that violate what is
 * enforced are refused; other violations, and those of workloads' templates, are warnings.
 */
import { asObject, isObject, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import { kindSubject, subjectOf } from "../../registry/kind.ts";
import { forbidden, invalid } from "../../status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import type { CheckedPod } from "../pod-security/findings.ts";
import { describePolicy, type Level, type LevelVersion, policyOf, violationsOf } from "../pod-security/policy.ts";
import { isSignificantPodUpdate } from "../pod-security/significant-update.ts";

export const podSecurity: AdmissionPlugin = {
  name: "PodSecurity",
  validate: (request, context) => {
    const { kind, object, operation, subresource } = request;
    if (object === undefined || (operation !== "CREATE" && operation !== "UPDATE")) return;
    if (kind.storage === "namespaces" && subresource === "") checkNamespace(request, context, object);
    else if (kind.storage === "pods") checkPod(request, context, object);
    else if (subresource === "" && kind.namespaced) warnOfTemplate(request, context, object);
  },
};

const pastSubresources: ReadonlySet<string> = new Set(["binding", "eviction", "status"]);

function checkPod(request: AdmissionRequest, context: ApiContext, pod: KubeObject): void {
  if (pastSubresources.has(request.subresource)) return;
  if (request.old !== undefined && !isSignificantPodUpdate(pod, request.old)) return;
  const { enforce, warn } = policyIn(context, request.namespace);
  const checked = { annotations: pod.metadata.annotations ?? {}, spec: specOf(pod) };
  const violations = violationsOf(checked, enforce);
  if (violations !== undefined) {
    const why = `violates PodSecurity ${JSON.stringify(describePolicy(enforce))}: ${violations}`;
    throw forbidden(subjectOf(request.kind), request.name, why);
  }
  warnOf(request, checked, warn);
}

/** Only what makes pods is looked at; its pods are refused later, when nobody who could read a warning is there. */
function warnOfTemplate(request: AdmissionRequest, context: ApiContext, object: KubeObject): void {
  const template = templateOf(request.kind.storage, object);
  if (template === undefined) return;
  const annotations = asObject(asObject(template.metadata).annotations) as Record<string, string>;
  warnOf(request, { annotations, spec: asObject(template.spec) }, policyIn(context, request.namespace).warn);
}

const templated: ReadonlySet<string> = new Set([
  "replicationcontrollers",
  "replicasets.apps",
  "deployments.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "jobs.batch",
]);

function templateOf(storage: string, object: KubeObject): JsonObject | undefined {
  if (storage === "podtemplates") return isObject(object.template) ? object.template : undefined;
  const spec =
    storage === "cronjobs.batch"
      ? asObject(asObject(specOf(object).jobTemplate).spec)
      : templated.has(storage)
        ? specOf(object)
        : {};
  return isObject(spec.template) ? spec.template : undefined;
}

function warnOf(request: AdmissionRequest, pod: CheckedPod, policy: LevelVersion): void {
  const violations = violationsOf(pod, policy);
  if (violations === undefined) return;
  request.warnings.push(`would violate PodSecurity ${JSON.stringify(describePolicy(policy))}: ${violations}`);
}

function policyIn({ store }: ApiContext, namespace: string) {
  return policyOf(store.get("namespaces", namespace)?.object.metadata.labels ?? {}).policy;
}

const strictness: readonly Level[] = ["privileged", "baseline", "restricted"];

function checkNamespace(request: AdmissionRequest, context: ApiContext, namespace: KubeObject): void {
  const { policy, problems } = policyOf(namespace.metadata.labels ?? {});
  const before = policyOf(request.old?.metadata.labels ?? {});
  const isNew = JSON.stringify(problems) !== JSON.stringify(before.problems);
  if (problems.length > 0 && isNew) throw invalid(kindSubject(request.kind), request.name, problems);
  if (request.old === undefined) return;
  const was = before.policy.enforce;
  const { enforce } = policy;
  const stricter = strictness.indexOf(enforce.level) > strictness.indexOf(was.level);
  if (enforce.level !== "privileged" && (stricter || enforce.version !== was.version))
    warnOfExistingPods(request, context, enforce);
}

/** Pods that run stay; who makes the rule stricter learns which would not be admitted again. */
function warnOfExistingPods(request: AdmissionRequest, { store }: ApiContext, enforce: LevelVersion): void {
  const pods = store.list("pods", { namespace: request.name }).items.map((item) => item.object);
  const byViolation = new Map<string, string[]>();
  for (const pod of pods) {
    const violations = violationsOf({ annotations: pod.metadata.annotations ?? {}, spec: specOf(pod) }, enforce);
    if (violations === undefined) continue;
    const reasons = violations.replace(/ \([^)]*\)/g, "");
    byViolation.set(reasons, [...(byViolation.get(reasons) ?? []), pod.metadata.name]);
  }
  if (byViolation.size === 0) return;
  const what = `existing pods in namespace ${JSON.stringify(request.name)} violate the new PodSecurity enforce level ${JSON.stringify(describePolicy(enforce))}`;
  request.warnings.push(what);
  for (const [reasons, [first = "", ...others]] of byViolation) {
    const more = others.length === 0 ? "" : ` (and ${others.length} other pod${others.length === 1 ? "" : "s"})`;
    request.warnings.push(`${first}${more}: ${reasons}`);
  }
}
