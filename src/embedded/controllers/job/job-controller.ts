/**
 * Runs a Job's pods to their ends. A reconcile:
 *
 *   1. gather: its pods; the account of those that have ended (`job-account.ts`)
 *   2. decide: is it through (`decide-job.ts`)?
 *   3. apply: through or suspended: delete what runs; otherwise create or delete up to the wanted number
 *   4. note new ends in the status, remove their finalizers, count them, set the conditions
 *
 * Effects: pods and their finalizers, events, status.
 */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { objectKey } from "../../../kube/object.ts";
import type { Pod } from "../../kubelet/core-types.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { isNamespaceTerminating } from "../api-message.ts";
import { sameJson } from "../canonical.ts";
import { isConditionTrue } from "../conditions.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { Expectations } from "../expectations.ts";
import { watchOwnedPods } from "../owned-pods.ts";
import { controllerOf } from "../owners.ts";
import { PodControl, slowStart } from "../pod-control.ts";
import { choosePodsToDelete } from "../pod-deletion-order.ts";
import { isActive, isTerminating } from "../pod-state.ts";
import { jobs } from "../workload-resources.ts";
import type { Job, JobStatus } from "../workload-types.ts";
import {
  computeRetryDelay,
  computeWantedActive,
  decideOutcome,
  isOver,
  isSuspended,
  type JobView,
  type Outcome,
  untilDeadline,
} from "./decide-job.ts";
import { accountStatus, closeAccount, openAccount } from "./job-account.ts";
import { buildJobPod, indexOf, isIndexed, isTracked } from "./job-pod.ts";
import { computeJobStatus } from "./job-status.ts";
import { PodRelease } from "./pod-release.ts";

const component = "job-controller";

export function createJobController(context: ControllerContext): Controller {
  return new JobReconciler(context).controller;
}

interface Managed {
  readonly created: number;
  readonly removed: ReadonlySet<Pod>;
  readonly requeueAfterMs?: number;
  readonly error?: unknown;
}

class JobReconciler {
  readonly controller: Controller;
  readonly #context: ControllerContext;
  readonly #expectations: Expectations;
  readonly #pods: PodControl;
  readonly #release: PodRelease;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#expectations = new Expectations(context.clock);
    this.#pods = new PodControl(context, component);
    this.#release = new PodRelease(context);
    this.controller = controllerNamed(context, "job", (key) => this.#reconcile(key));
    this.controller.watch(context.informers.of(jobs));
    const selectorOf = () => undefined;
    const { controller } = this;
    watchOwnedPods(context, { type: jobs, controller, expectations: this.#expectations, selectorOf });
    // Pods whose job is gone still have its finalizer.
    this.controller.watch(context.informers.of(podResource), ({ type, object }) => {
      const owner = controllerOf(object);
      if (type === "deleted" || owner?.kind !== jobs.kind || !isTracked(object)) return [];
      return [`${object.metadata.namespace}/${owner.name}`];
    });
  }

  async #reconcile(key: string): Promise<ReconcileResult | undefined> {
    const job = this.#context.informers.of(jobs).store.get(key);
    await this.#release.releaseOrphans(key, job?.metadata.uid);
    if (job === undefined) this.#expectations.forget(key);
    const isForeign = (job?.spec.managedBy ?? "kubernetes.io/job-controller") !== "kubernetes.io/job-controller";
    if (job === undefined || isForeign) return undefined;
    try {
      return await this.#run(job);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #run(job: Job): Promise<ReconcileResult | undefined> {
    const pods = this.#context.informers.of(podResource).store.byIndex("owner", job.metadata.uid ?? "");
    const account = openAccount(job, pods, (uid) => this.#release.isReleased(uid));
    if (isOver(job)) {
      await this.#release.release(account.ended);
      return undefined;
    }
    const nowMs = this.#context.clock.now();
    const view = { job, pods, account, nowMs };
    const outcome = decideOutcome(view);
    const managed = await this.#manage(view, outcome);
    const { created, removed } = managed;
    const noted = await this.#note(job, accountStatus(job, account));
    await this.#release.release(account.ended);
    const standing = { job: noted, pods, created, removed, account: closeAccount(noted, account), outcome, nowMs };
    const status = computeJobStatus(standing);
    if (!sameJson(status, noted.status)) await this.#writeStatus(noted, status);
    this.#announce(job, status, outcome);
    if (managed.error !== undefined) throw managed.error;
    const waits = [managed.requeueAfterMs, untilDeadline({ ...job, status }, nowMs)].filter(
      (wait) => wait !== undefined,
    );
    return waits.length === 0 ? undefined : { requeueAfterMs: Math.max(1, Math.min(...waits)) };
  }

  /** Ends must be on record before a finalizer goes. */
  async #note(job: Job, account: Partial<JobStatus>): Promise<Job> {
    const status = { ...job.status, ...account };
    const isNews =
      !sameJson(account.uncountedTerminatedPods, job.status?.uncountedTerminatedPods) ||
      (account.completedIndexes ?? "") !== (job.status?.completedIndexes ?? "");
    return isNews ? this.#writeStatus(job, status) : job;
  }

  #writeStatus(job: Job, status: JobStatus): Promise<Job> {
    return clientOf(this.#context, jobs).updateStatus({ ...job, status });
  }

  async #manage(view: JobView, outcome: Outcome | undefined): Promise<Managed> {
    const { job, pods } = view;
    const none: Managed = { created: 0, removed: new Set() };
    if (job.metadata.deletionTimestamp !== undefined || !this.#expectations.isSatisfied(objectKey(job))) return none;
    const active = pods.filter(isActive);
    if (outcome !== undefined) return this.#delete(job, active, { isCounted: true });
    if (isSuspended(job)) return this.#delete(job, active, { isCounted: false });
    const wanted = computeWantedActive(view);
    if (active.length > wanted) {
      const surplus = choosePodsToDelete(active, active.length - wanted, active);
      return this.#delete(job, surplus, { isCounted: false });
    }
    const waitsForEnds = job.spec.podReplacementPolicy === "Failed" || job.spec.podFailurePolicy !== undefined;
    const ending = waitsForEnds ? pods.filter((pod) => isTerminating(pod) && isTracked(pod)).length : 0;
    const missing = wanted - active.length - ending;
    if (missing <= 0) return none;
    const delayMs = computeRetryDelay(view, this.#context.timing);
    if (delayMs > 0) return { ...none, requeueAfterMs: delayMs };
    return this.#create(view, active, missing);
  }

  async #create({ job, account }: JobView, active: readonly Pod[], missing: number): Promise<Managed> {
    const key = objectKey(job);
    const indexes = isIndexed(job) ? findFreeIndexes(job, account.completedIndexes, active, missing) : undefined;
    const amount = indexes?.length ?? missing;
    let failures = 0;
    const forget = (count: number) => {
      failures += count;
      for (let index = 0; index < count; index += 1) this.#expectations.creationObserved(key);
    };
    this.#expectations.expect(key, amount);
    const create = async (index: number) => {
      await this.#pods.create(job, buildJobPod(job, indexes?.[index])).catch((error: unknown) => {
        forget(1);
        throw error;
      });
    };
    try {
      await slowStart(amount, create, forget);
      return { created: amount, removed: new Set() };
    } catch (error) {
      const created = amount - failures;
      return { created, removed: new Set(), ...(isNamespaceTerminating(error) ? {} : { error }) };
    }
  }

  /** A pod that the job takes back itself is no failure of its own: its finalizer goes first. */
  async #delete(job: Job, victims: readonly Pod[], how: { readonly isCounted: boolean }): Promise<Managed> {
    const key = objectKey(job);
    if (victims.length === 0) return { created: 0, removed: new Set() };
    this.#expectations.expect(
      key,
      0,
      victims.map((pod) => pod.metadata.uid ?? ""),
    );
    if (!how.isCounted) await this.#release.release(victims);
    for (const pod of victims) {
      try {
        await this.#pods.delete(job, pod);
      } catch (error) {
        this.#expectations.deletionObserved(key, pod.metadata.uid ?? "");
        return { created: 0, removed: new Set(), error };
      }
    }
    return { created: 0, removed: new Set(victims) };
  }

  #announce(job: Job, status: JobStatus, outcome: Outcome | undefined): void {
    const becomes = (type: string, value: string) =>
      status.conditions?.find((one) => one.type === type)?.status === value &&
      job.status?.conditions?.find((one) => one.type === type)?.status !== value;
    const say = (reason: string, message: string, type: "Normal" | "Warning" = "Normal") =>
      this.#context.events.record({ regarding: job, component, type, reason, message });
    if (becomes("Suspended", "True")) say("Suspended", "Job suspended");
    if (isConditionTrue(job.status?.conditions, "Suspended") && becomes("Suspended", "False"))
      say("Resumed", "Job resumed");
    if (becomes("Complete", "True")) say("Completed", "Job completed");
    if (becomes("Failed", "True") && outcome !== undefined) say(outcome.reason, outcome.message, "Warning");
  }
}

/** The lowest indexes that neither are done nor run. */
function findFreeIndexes(
  job: Job,
  done: ReadonlySet<number>,
  active: readonly Pod[],
  amount: number,
): readonly number[] {
  const taken = new Set(active.map(indexOf));
  const free: number[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && free.length < amount; index += 1) {
    if (!done.has(index) && !taken.has(index)) free.push(index);
  }
  return free;
}
