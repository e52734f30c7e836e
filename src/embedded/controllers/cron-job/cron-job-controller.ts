/**
 * Starts the jobs of CronJobs at their times. A reconcile: gather (its jobs) -> note what has finished -> drop old
 * history -> start what is due, by its concurrency policy -> come back at the next time. Effects: jobs, events, status.
 */

import { type CronSchedule, parseSchedule } from "../../../base/cron-schedule.ts";
import { describeError } from "../../../base/errors.ts";
import { isAlreadyExists, isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { ownerReferenceTo } from "../../../kube/object.ts";
import { apiMessage } from "../api-message.ts";
import { sameJson } from "../canonical.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { isOver } from "../job/decide-job.ts";
import { controllerOf } from "../owners.ts";
import { compareAge, formatTime, parseTime } from "../times.ts";
import { cronJobs, jobs } from "../workload-resources.ts";
import type { CronJob, Job } from "../workload-types.ts";
import { decideDueStart, maxMissed } from "./decide-cron.ts";

const component = "cronjob-controller";
const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

export function createCronJobController(context: ControllerContext): Controller {
  return new CronJobReconciler(context).controller;
}

class CronJobReconciler {
  readonly controller: Controller;
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.controller = controllerNamed(context, "cronjob", (key) => this.#reconcile(key));
    this.controller.watch(context.informers.of(cronJobs));
    this.controller.watch(context.informers.of(jobs), ({ object }) => {
      const owner = controllerOf(object);
      return owner?.kind === cronJobs.kind ? [`${object.metadata.namespace}/${owner.name}`] : [];
    });
  }

  async #reconcile(key: string): Promise<ReconcileResult | undefined> {
    const cron = this.#context.informers.of(cronJobs).store.get(key);
    if (cron === undefined || cron.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      return await this.#run(cron);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #run(cached: CronJob): Promise<ReconcileResult | undefined> {
    const owned = this.#context.informers.of(jobs).store.byIndex("owner", cached.metadata.uid ?? "");
    const cron = await this.#noteFinished(cached, owned);
    await this.#dropHistory(cron, owned);
    if (cron.spec.suspend === true) return undefined;
    const schedule = this.#parse(cron);
    if (schedule === undefined) return undefined;
    const nowMs = this.#context.clock.now();
    const { dueAt, missed, nextAt } = decideDueStart(cron, schedule, nowMs);
    if (missed >= maxMissed) {
      const message = `too many missed start times: ${missed}. Set or decrease .spec.startingDeadlineSeconds or check clock skew`;
      this.#report(cron, "TooManyMissedTimes", message, "Warning");
    }
    if (dueAt !== undefined) await this.#startDue(cron, owned, dueAt);
    return nextAt === undefined ? undefined : { requeueAfterMs: Math.max(1, nextAt - this.#context.clock.now()) };
  }

  #parse(cron: CronJob): CronSchedule | undefined {
    try {
      return parseSchedule(cron.spec.schedule, cron.spec.timeZone);
    } catch (error) {
      this.#report(
        cron,
        "UnparseableSchedule",
        `unparseable schedule: "${cron.spec.schedule}" : ${describeError(error)}`,
        "Warning",
      );
      return undefined;
    }
  }

  async #noteFinished(cron: CronJob, owned: readonly Job[]): Promise<CronJob> {
    const before = activeUids(cron);
    for (const job of owned) {
      const isKnown = before.has(job.metadata.uid ?? "");
      if (isOver(job) === isKnown) await this.#reportJob(cron, job);
    }
    const ends = owned.map((job) => parseTime(job.status?.completionTime) ?? 0);
    const latest = Math.max(0, parseTime(cron.status?.lastSuccessfulTime) ?? 0, ...ends);
    const { active: _active, ...rest } = cron.status ?? {};
    return this.#writeStatus(cron, {
      ...rest,
      ...activeOf(owned.filter((job) => !isOver(job) && before.has(job.metadata.uid ?? "")).sort(compareAge)),
      ...(latest === 0 ? {} : { lastSuccessfulTime: formatTime(latest) }),
    });
  }

  async #reportJob(cron: CronJob, job: Job): Promise<void> {
    const { name } = job.metadata;
    if (!isOver(job)) {
      // Started a moment ago by us, and the cache does not know yet.
      const fresh = await clientOf(this.#context, cronJobs).get(cron.metadata);
      if (activeUids(fresh).has(job.metadata.uid ?? "")) return;
      const message = `Saw a job that the controller did not create or forgot: ${name}`;
      return this.#report(cron, "UnexpectedJob", message, "Warning");
    }
    const end = job.status?.completionTime === undefined ? "Failed" : "Complete";
    this.#report(cron, "SawCompletedJob", `Saw completed job: ${name}, condition: ${end}`);
  }

  async #dropHistory(cron: CronJob, owned: readonly Job[]): Promise<void> {
    const finished = owned.filter(isOver).sort(compareAge);
    const succeeded = finished.filter((job) => job.status?.completionTime !== undefined);
    const failed = finished.filter((job) => job.status?.completionTime === undefined);
    const surplus = [
      ...succeeded.slice(0, Math.max(0, succeeded.length - (cron.spec.successfulJobsHistoryLimit ?? 3))),
      ...failed.slice(0, Math.max(0, failed.length - (cron.spec.failedJobsHistoryLimit ?? 1))),
    ];
    for (const job of surplus) await this.#deleteJob(cron, job);
  }

  async #deleteJob(cron: CronJob, job: Job): Promise<void> {
    if (job.metadata.deletionTimestamp !== undefined) return;
    try {
      await clientOf(this.#context, jobs).delete(job.metadata, { propagation: "Background" });
      this.#report(cron, "SuccessfulDelete", `Deleted job ${job.metadata.name}`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #startDue(cron: CronJob, owned: readonly Job[], dueAt: number): Promise<void> {
    const known = activeUids(cron);
    const running = owned.filter((job) => !isOver(job) && known.has(job.metadata.uid ?? ""));
    const name = `${cron.metadata.name}-${Math.floor(dueAt / 60_000)}`;
    const made = owned.find((job) => job.metadata.name === name);
    if (made !== undefined) return this.#noteStart(cron, isOver(made) ? running : [...running, made], dueAt);
    const policy = cron.spec.concurrencyPolicy;
    if (policy === "Forbid" && running.length > 0) {
      const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
      return this.#report(cron, "JobAlreadyActive", message);
    }
    if (policy === "Replace") for (const job of running) await this.#deleteJob(cron, job);
    const job = await this.#createJob(cron, name, dueAt);
    const kept = policy === "Replace" ? [] : running;
    await this.#noteStart(cron, job === undefined ? kept : [...kept, job], dueAt);
  }

  async #createJob(cron: CronJob, name: string, dueAt: number): Promise<Job | undefined> {
    try {
      const created = await clientOf(this.#context, jobs).create(buildJob(cron, name, dueAt));
      this.#report(cron, "SuccessfulCreate", `Created job ${name}`);
      return created;
    } catch (error) {
      // Made by a run before this one that did not get to say so.
      if (isAlreadyExists(error))
        return clientOf(this.#context, jobs).get({ namespace: cron.metadata.namespace, name });
      this.#report(cron, "FailedCreate", `Error creating job: ${apiMessage(error)}`, "Warning");
      throw error;
    }
  }

  async #noteStart(cron: CronJob, active: readonly Job[], dueAt: number): Promise<void> {
    const { active: _active, ...rest } = cron.status ?? {};
    const started = [...new Map(active.map((job) => [job.metadata.uid, job])).values()];
    await this.#writeStatus(cron, { ...rest, ...activeOf(started), lastScheduleTime: formatTime(dueAt) });
  }

  async #writeStatus(cron: CronJob, status: NonNullable<CronJob["status"]>): Promise<CronJob> {
    if (sameJson(status, cron.status)) return cron;
    return clientOf(this.#context, cronJobs).updateStatus({ ...cron, status });
  }

  #report(cron: CronJob, reason: string, message: string, type: "Normal" | "Warning" = "Normal"): void {
    this.#context.events.record({ regarding: cron, component, type, reason, message });
  }
}

function activeUids(cron: CronJob): ReadonlySet<string> {
  return new Set((cron.status?.active ?? []).map((one) => ("uid" in one ? String(one.uid) : "")));
}

function activeOf(running: readonly Job[]): { readonly active?: readonly object[] } {
  return running.length === 0 ? {} : { active: running.map(referenceTo) };
}

function referenceTo(job: Job): object {
  const { name, namespace, uid, resourceVersion } = job.metadata;
  return { apiVersion: jobs.apiVersion, kind: jobs.kind, name, namespace, uid, resourceVersion };
}

function buildJob(cron: CronJob, name: string, dueAt: number): Job {
  const { metadata = {}, spec } = cron.spec.jobTemplate;
  return {
    apiVersion: jobs.apiVersion,
    kind: jobs.kind,
    metadata: {
      name,
      namespace: cron.metadata.namespace ?? "",
      ...(metadata.labels === undefined ? {} : { labels: { ...metadata.labels } }),
      annotations: { ...metadata.annotations, [scheduledAnnotation]: formatTime(dueAt) },
      ownerReferences: [ownerReferenceTo(cron)],
    },
    spec,
  };
}
