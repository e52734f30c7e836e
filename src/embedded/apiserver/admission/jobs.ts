/** Strategies of jobs and cron jobs: generated selectors, indexed completion, schedules, templates that stay. */
import { asArray, asObject, asString, cloneJson, deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { checkDnsLabel } from "../registry/names.ts";
import { cause, type StatusCause } from "../status.ts";
import { checkSchedule, checkTimeZone } from "../validation/cron-schedules.ts";
import { eachItem, Findings } from "../validation/findings.ts";
import { checkLabelSelector, selectorMatches } from "../validation/label-selectors.ts";
import { checkPodTemplate, templateLabels } from "../validation/pod-template.ts";
import { defaultTemplate } from "./workload-strategy.ts";

const maxInt32 = 2_147_483_647;
const uidLabel = "batch.kubernetes.io/controller-uid";
const nameLabel = "batch.kubernetes.io/job-name";
const oldUidLabel = "controller-uid";
const oldNameLabel = "job-name";

export const jobStrategy: Strategy = {
  applyDefaults: (job) => {
    const spec = specOf(job);
    job.spec = spec;
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : maxInt32;
    defaultLabels(job);
    spec.completionMode ??= "NonIndexed";
    spec.suspend ??= false;
    spec.podReplacementPolicy ??= isObject(spec.podFailurePolicy) ? "Failed" : "TerminatingOrFailed";
    spec.manualSelector ??= false;
    for (const rule of asArray(asObject(spec.podFailurePolicy).rules).map(asObject))
      for (const pattern of asArray(rule.onPodConditions).map(asObject)) pattern.status ??= "True";
    defaultTemplate(spec.template);
  },
  prepareCreate: (job) => {
    job.status = {};
    if (specOf(job).manualSelector !== true) generateSelector(job);
    defaultLabels(job);
  },
  validate: (job, old, subresource) => (subresource === "status" ? [] : validateJob(job, old)),
};

function defaultLabels(job: KubeObject): void {
  const labels = templateLabels(specOf(job).template);
  if (Object.keys(job.metadata.labels ?? {}).length === 0 && Object.keys(labels).length > 0)
    job.metadata.labels = { ...labels };
}

/** Pods of a job are found by the uid of the job, which its template carries as a label. */
function generateSelector(job: KubeObject): void {
  const spec = specOf(job);
  // A job without a name is refused for that, and for nothing else.
  const { uid = "" } = job.metadata;
  const name = asString(job.metadata.name);
  const template = asObject(spec.template);
  const generated = { [oldUidLabel]: uid, [uidLabel]: uid, [oldNameLabel]: name, [nameLabel]: name };
  const labels = { ...generated, ...templateLabels(template) };
  spec.template = { ...template, metadata: { ...asObject(template.metadata), labels } };
  const selector = asObject(spec.selector);
  spec.selector = { ...selector, matchLabels: { [uidLabel]: uid, ...asObject(selector.matchLabels) } };
}

function validateJob(job: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const spec = specOf(job);
  const found = new Findings();
  if (old === undefined && spec.manualSelector !== true) checkGenerated(job, found);
  checkJobSpec(spec, "spec", found);
  if (!isObject(spec.selector)) found.required("spec.selector");
  else checkLabelSelector(spec.selector, "spec.selector", found);
  const labels = templateLabels(spec.template);
  if (isObject(spec.selector) && !selectorMatches(spec.selector, labels))
    found.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
  if (old !== undefined) checkJobKept(spec, specOf(old), found);
  else if (spec.completionMode === "Indexed" && Number(spec.completions ?? 0) > 0) {
    const hostname = `${job.metadata.name}-${Number(spec.completions) - 1}`;
    const why = `will not able to create pod with invalid DNS label: ${hostname}`;
    if (checkDnsLabel(hostname) !== undefined) found.invalid("metadata.name", job.metadata.name, why);
  }
  return found.list;
}

function checkGenerated(job: KubeObject, found: Findings): void {
  // A job without a name is refused for that, and for nothing else.
  const { uid = "" } = job.metadata;
  const name = asString(job.metadata.name);
  const expected = { [oldUidLabel]: uid, [oldNameLabel]: name, [uidLabel]: uid, [nameLabel]: name };
  const labels = templateLabels(specOf(job).template);
  for (const [key, value] of Object.entries(expected)) {
    if (labels[key] !== value) found.invalid(`spec.template.metadata.labels[${key}]`, labels, `must be '${value}'`);
  }
  if (!selectorMatches(specOf(job).selector, expected))
    found.invalid("spec.selector", specOf(job).selector, "`selector` not auto-generated");
}

const maxIndexedParallelism = 100_000;

function checkJobSpec(spec: JsonObject, path: string, found: Findings): void {
  for (const field of [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
  ])
    found.notNegative(`${path}.${field}`, spec[field]);
  found.notNegative(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex);
  found.notNegative(`${path}.maxFailedIndexes`, spec.maxFailedIndexes);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    found.required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified");
  found.optionalOneOf(`${path}.completionMode`, spec.completionMode, ["NonIndexed", "Indexed"]);
  if (spec.completionMode === "Indexed") checkIndexed(spec, path, found);
  else checkNotIndexed(spec, path, found);
  if (isObject(spec.podFailurePolicy)) checkFailurePolicy(spec, `${path}.podFailurePolicy`, found);
  const policies = isObject(spec.podFailurePolicy) ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  found.optionalOneOf(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, policies);
  checkPodTemplate(asObject(spec.template), `${path}.template`, found);
  checkJobRestartPolicy(spec, path, found);
}

function checkIndexed(spec: JsonObject, path: string, found: Findings): void {
  if (spec.completions === undefined) found.required(`${path}.completions`, "when completion mode is Indexed");
  if (Number(spec.parallelism ?? 0) > maxIndexedParallelism) {
    const why = `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`;
    found.invalid(`${path}.parallelism`, spec.parallelism, why);
  }
  if (spec.completions !== undefined && Number(spec.maxFailedIndexes ?? 0) > Number(spec.completions))
    found.invalid(`${path}.maxFailedIndexes`, spec.maxFailedIndexes, "must be less than or equal to completions");
}

function checkNotIndexed(spec: JsonObject, path: string, found: Findings): void {
  for (const field of ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"])
    if (spec[field] !== undefined) found.invalid(`${path}.${field}`, spec[field], "requires indexed completion mode");
}

const failureActions = ["Count", "FailIndex", "FailJob", "Ignore"];

function checkFailurePolicy(spec: JsonObject, path: string, found: Findings): void {
  const rules = asArray(asObject(spec.podFailurePolicy).rules);
  if (rules.length > 20) found.add(cause.tooMany(`${path}.rules`, rules.length, 20));
  eachItem(rules, `${path}.rules`, (rule, at) => {
    if (asString(rule.action) === "")
      found.required(
        `${at}.action`,
        `valid values: ${failureActions.map((action) => JSON.stringify(action)).join(", ")}`,
      );
    else if (rule.action === "FailIndex" && spec.backoffLimitPerIndex === undefined)
      found.invalid(`${at}.action`, rule.action, "requires the backoffLimitPerIndex to be set");
    else found.optionalOneOf(`${at}.action`, rule.action, failureActions);
    const hasCodes = isObject(rule.onExitCodes);
    const hasConditions = asArray(rule.onPodConditions).length > 0;
    if (hasCodes && hasConditions)
      found.invalid(at, "<value omitted>", "specifying both OnExitCodes and OnPodConditions is not supported");
    if (!hasCodes && !hasConditions)
      found.invalid(at, "<value omitted>", "specifying one of OnExitCodes and OnPodConditions is required");
  });
}

function checkJobRestartPolicy(spec: JsonObject, path: string, found: Findings): void {
  const policy = asObject(asObject(spec.template).spec).restartPolicy;
  const field = `${path}.template.spec.restartPolicy`;
  if (policy === undefined || policy === "" || policy === "Always")
    found.required(field, 'valid values: "OnFailure", "Never"');
  else if (policy !== "OnFailure" && policy !== "Never") found.optionalOneOf(field, policy, ["OnFailure", "Never"]);
  else if (isObject(spec.podFailurePolicy) && policy !== "Never")
    found.invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified');
}

function checkJobKept(spec: JsonObject, old: JsonObject, found: Findings): void {
  if (spec.completionMode !== "Indexed") checkSame(spec, old, "completions", found);
  else if (spec.completions !== old.completions && spec.completions !== spec.parallelism)
    found.invalid("spec.completions", spec.completions, "can only be modified in tandem with spec.parallelism");
  checkSame(spec, old, "selector", found);
  if (!deepEqual(directed(spec.template, old), directed(old.template, old)))
    found.invalid("spec.template", spec.template, "field is immutable");
  for (const field of ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"])
    checkSame(spec, old, field, found);
}

function checkSame(spec: JsonObject, old: JsonObject, field: string, found: Findings): void {
  if (!deepEqual(spec[field], old[field])) found.invalid(`spec.${field}`, spec[field] ?? null, "field is immutable");
}

/** Of a suspended job's template, where and on what its pods run may still be directed. */
function directed(template: unknown, old: JsonObject): unknown {
  if (old.suspend !== true) return template;
  const copy = cloneJson(asObject(template));
  delete copy.metadata;
  const spec = asObject(copy.spec);
  for (const field of ["nodeSelector", "tolerations", "schedulingGates", "affinity"]) delete spec[field];
  for (const list of ["containers", "initContainers"])
    for (const container of asArray(spec[list])) delete asObject(container).resources;
  return copy;
}

const maxCronJobName = 52;

export const cronJobStrategy: Strategy = {
  applyDefaults: (cronJob) => {
    const spec = specOf(cronJob);
    cronJob.spec = spec;
    spec.concurrencyPolicy ??= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    const template = asObject(spec.jobTemplate);
    template.metadata ??= {};
    defaultTemplate(asObject(template.spec).template);
  },
  prepareCreate: (cronJob) => {
    cronJob.status = {};
  },
  validate: (cronJob, old, subresource) => (subresource === "status" ? [] : validateCronJob(cronJob, old)),
};

function validateCronJob(cronJob: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const spec = specOf(cronJob);
  const found = new Findings();
  checkCronSchedule(spec, old, found);
  found.notNegative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds);
  if (spec.timeZone !== undefined && spec.timeZone !== specOf(old ?? {}).timeZone)
    found.holds("spec.timeZone", asString(spec.timeZone), checkTimeZone);
  found.oneOf("spec.concurrencyPolicy", spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]);
  const job = asObject(asObject(spec.jobTemplate).spec);
  checkJobSpec(job, "spec.jobTemplate.spec", found);
  if (isObject(job.selector))
    found.invalid("spec.jobTemplate.spec.selector", job.selector, "`selector` will be auto-generated");
  if (job.manualSelector === true)
    found.add(cause.unsupported("spec.jobTemplate.spec.manualSelector", true, ["nil", "false"]));
  for (const field of ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"])
    found.notNegative(`spec.${field}`, spec[field]);
  // The jobs' names are this one and a time of eleven characters.
  if (old === undefined && cronJob.metadata.name.length > maxCronJobName)
    found.invalid("metadata.name", cronJob.metadata.name, `must be no more than ${maxCronJobName} characters`);
  return found.list;
}

function checkCronSchedule(spec: JsonObject, old: KubeObject | undefined, found: Findings): void {
  const schedule = asString(spec.schedule);
  if (schedule === "") {
    found.required("spec.schedule");
    return;
  }
  found.holds("spec.schedule", schedule, checkSchedule);
  if (!schedule.includes("TZ")) return;
  const hadZone = old !== undefined && asString(specOf(old).schedule).includes("TZ");
  if (!hadZone)
    found.invalid("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  else if (spec.timeZone !== undefined)
    found.invalid("spec.schedule", schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
}
