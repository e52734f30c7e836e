/**
 * Eviction: a pod that counts towards a disruption budget goes only as far as the budget allows -> the budget is charged
 * -> the pod is marked as disrupted -> deleted. Budgets are kept up to date by their controller. Effects: up to three
 * writes, none in a dry run.
 */
import { matchesLabelSelector } from "../../scheduler/label-match.ts";
import { asArray, asObject, asString, type JsonObject } from "../json-value.ts";
import { formatTime, type KubeObject, specOf, statusOf } from "../object.ts";
import { conflict, failure, forbidden, type StatusError } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { type ApiContext, internalWrite, type Target } from "./context.ts";
import { deleteObject } from "./delete.ts";
import type { DeleteOptions } from "./delete-options.ts";
import { readObject } from "./read.ts";
import { updateObject } from "./update.ts";

export function evictPod(context: ApiContext, target: Target, options: DeleteOptions): void {
  const pod = readObject(context, target);
  checkPreconditions(pod.object, options);
  if (!ignoresBudgets(pod.object)) chargeBudget(context, pod.object, options);
  const marked = options.dryRun ? pod : markDisrupted(context, pod);
  const { resourceVersion } = options.preconditions;
  const version = marked.object.metadata.resourceVersion;
  // The mark is a change of ours, which the caller's precondition knows nothing of.
  const preconditions =
    resourceVersion === undefined || version === undefined
      ? options.preconditions
      : { ...options.preconditions, resourceVersion: version };
  deleteObject(context, target, { ...options, preconditions });
}

function checkPreconditions({ metadata }: KubeObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions;
  const subject = { resource: "Pod", group: "" };
  if (uid !== undefined && uid !== "" && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(subject, metadata.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== "" && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(subject, metadata.name, why);
  }
}

/** A pod that does not run (yet, or any more) is no loss. */
function ignoresBudgets(pod: KubeObject): boolean {
  const phase = asString(statusOf(pod).phase);
  return pod.metadata.deletionTimestamp !== undefined || ["Succeeded", "Failed", "Pending"].includes(phase);
}

function chargeBudget(context: ApiContext, pod: KubeObject, options: DeleteOptions): void {
  const { namespace = "", labels = {} } = pod.metadata;
  const budgets = context.store.list("poddisruptionbudgets.policy", { namespace }).items.filter((item) => {
    const selector = specOf(item.object).selector as Parameters<typeof matchesLabelSelector>[0];
    return matchesLabelSelector(selector, labels);
  });
  const [budget, ...others] = budgets;
  if (others.length > 0)
    throw failure(
      500,
      "InternalError",
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  if (budget === undefined || isFreeToGo(pod, budget.object)) return;
  checkBudget(budget.object);
  if (!options.dryRun) decrement(context, budget, pod);
}

/** An unhealthy pod does not count as available, so its going disrupts nothing. */
function isFreeToGo(pod: KubeObject, budget: KubeObject): boolean {
  const ready = asArray(statusOf(pod).conditions)
    .map(asObject)
    .find((condition) => condition.type === "Ready");
  if (ready?.status === "True") return false;
  if (specOf(budget).unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy, desiredHealthy } = numbersOf(budget);
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function numbersOf(budget: KubeObject) {
  const status = statusOf(budget);
  const number = (field: string) => Number(status[field] ?? 0);
  return {
    currentHealthy: number("currentHealthy"),
    desiredHealthy: number("desiredHealthy"),
    disruptionsAllowed: number("disruptionsAllowed"),
    observedGeneration: number("observedGeneration"),
  };
}

const maxDisruptedPods = 2_000;

function checkBudget(budget: KubeObject): void {
  const { name, generation = 0 } = budget.metadata;
  const { disruptionsAllowed, observedGeneration } = numbersOf(budget);
  const subject = { resource: "poddisruptionbudget", group: "policy" };
  if (observedGeneration < generation)
    throw refused(`The disruption budget ${name} is still being processed by the server.`, 10);
  if (disruptionsAllowed < 0) throw forbidden(subject, name, "pdb disruptions allowed is negative");
  if (Object.keys(asObject(statusOf(budget).disruptedPods)).length > maxDisruptedPods) {
    const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw forbidden(subject, name, why);
  }
  if (disruptionsAllowed === 0) throw refused(whyNot(budget), 0);
}

function refused(why: string, retryAfterSeconds: number): StatusError {
  const causes = [{ reason: "DisruptionBudget", message: why }];
  const details = retryAfterSeconds === 0 ? { causes } : { causes, retryAfterSeconds };
  const message = "Cannot evict pod as it would violate the pod's disruption budget.";
  return failure(429, "TooManyRequests", message, details);
}

function whyNot(budget: KubeObject): string {
  const { name } = budget.metadata;
  const { currentHealthy, desiredHealthy } = numbersOf(budget);
  const { status, reason, message } = disruptionAllowed(budget) ?? {};
  const says = status === "False" && asString(message) !== "";
  if (says && reason === "SyncFailed")
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${asString(message)}`;
  if (currentHealthy <= desiredHealthy)
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  const detail = says ? ` (${asString(reason)}): ${asString(message)}` : "";
  return `The disruption budget ${name} does not allow evicting pods currently${detail}`;
}

function disruptionAllowed(budget: KubeObject): JsonObject | undefined {
  return asArray(statusOf(budget).conditions)
    .map(asObject)
    .find((condition) => condition.type === "DisruptionAllowed");
}

/** The budget's controller sees the pod in `disruptedPods` and does not count it as available any more. */
function decrement(context: ApiContext, budget: StoredObject, pod: KubeObject): void {
  const kind = context.kinds.find("policy", "v1", "poddisruptionbudgets");
  if (kind === undefined) return;
  const { namespace, name } = budget.object.metadata;
  const time = formatTime(context.clock.now());
  const before = statusOf(budget.object);
  const disruptionsAllowed = Number(before.disruptionsAllowed) - 1;
  const disruptedPods = { ...asObject(before.disruptedPods), [pod.metadata.name]: time };
  const status: JsonObject = { ...before, disruptionsAllowed, disruptedPods };
  if (disruptionsAllowed === 0) status.conditions = exhausted(budget.object, time);
  const target = { kind, namespace, name, subresource: "status" };
  const candidate = { ...budget.object, metadata: { ...budget.object.metadata }, status };
  updateObject(context, target, { old: budget, candidate }, internalWrite("kube-apiserver"));
}

function exhausted(budget: KubeObject, time: string): JsonObject[] {
  const others = asArray(statusOf(budget).conditions).map(asObject);
  const before = disruptionAllowed(budget);
  const lastTransitionTime = before?.status === "False" ? before.lastTransitionTime : time;
  const condition = {
    type: "DisruptionAllowed",
    status: "False",
    reason: "InsufficientPods",
    message: "",
    lastTransitionTime,
  };
  const withGeneration = { ...condition, observedGeneration: numbersOf(budget).observedGeneration };
  return [...others.filter((one) => one.type !== "DisruptionAllowed"), withGeneration];
}

function markDisrupted(context: ApiContext, pod: StoredObject): StoredObject {
  const conditions = asArray(statusOf(pod.object).conditions).map(asObject);
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    lastTransitionTime: formatTime(context.clock.now()),
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
  };
  const others = conditions.filter((one) => one.type !== "DisruptionTarget");
  const status = { ...statusOf(pod.object), conditions: [...others, condition] };
  return context.store.update("pods", pod.key, { ...pod.object, status });
}
