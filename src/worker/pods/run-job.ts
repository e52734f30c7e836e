/**
 * One try: creates the Job, hears what its pods report, and ends with their reports or with why there are none. Whatever happens,
 * the Job is deleted. Effects: the Job, a gang's Service that goes with it; reads of it and of its pods' logs.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { isNotFound } from "../../kube/api-error.ts";
import { createClient, type KubeClient } from "../../kube/client.ts";
import { pods as podResource, type Service, services } from "../../kube/core-resources.ts";
import type { Informer } from "../../kube/informer.ts";
import { type Job, jobs as jobResource } from "../../kube/job-types.ts";
import type { ObjectRef } from "../../kube/object.ts";
import type { Pod } from "../../kube/pod-types.ts";
import { objectPath } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import { buildGangService, containerName, indexLabel, jobNameLabel } from "./build-job.ts";
import { classifyJobFailure, classifyPod, explainNotStarted, isHopeless, type PodFailure } from "./pod-failure.ts";
import { type PodReport, readReport } from "./report.ts";

export interface JobClients {
  readonly jobs: KubeClient<Job>;
  readonly services: Pick<KubeClient<Service>, "create">;
  /** Pods of this launcher. Followed rather than asked for: why a pod was taken away is said in the moment before it is gone. */
  readonly pods: Pick<Informer<Pod>, "onEvent">;
  /** Lines of the container's output, from the first to the last. */
  readLog(ref: ObjectRef, signal: AbortSignal): AsyncIterable<string>;
}

export function createJobClients(transport: Transport, pods: JobClients["pods"]): JobClients {
  return {
    jobs: createClient(transport, jobResource),
    services: createClient(transport, services),
    pods,
    readLog: (ref, signal) => {
      const path = objectPath(podResource, ref, "log");
      return transport.stream({ path, query: { follow: true, container: containerName }, signal });
    },
  };
}

export interface JobRun {
  readonly clients: JobClients;
  readonly job: Job;
  /** From when the pods may run until all of them must have started. */
  readonly startTimeoutMs: number;
  readonly pollMs: number;
  readonly onReport: (report: PodReport) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type JobEnd =
  | { readonly state: "Succeeded"; readonly pods: readonly Pod[] }
  | { readonly state: "Failed"; readonly failure: PodFailure; readonly pods: readonly Pod[] };

/** Time for the last lines of a log to come after its pod has ended. */
const lastLinesMs = 15_000;
const evidenceMs = 5_000;
const deleteTimeoutMs = 10_000;

/** @throws InferiumError of the API server; or the signal's reason */
export async function runJob(run: JobRun, signal: AbortSignal): Promise<JobEnd> {
  const { clients, job } = run;
  const { namespace, name } = job.metadata;
  const created = await clients.jobs.create(job, { signal });
  try {
    if (job.spec.template.spec.subdomain) await clients.services.create(buildGangService(created), { signal });
    return await new JobWatch(run, signal).end();
  } finally {
    await removeJob(clients, { namespace, name }).catch((error: unknown) =>
      run.logger.warn("a job could not be deleted; it expires by itself", { job: name, error: describeError(error) }),
    );
  }
}

/** Its pods go with it. */
export async function removeJob({ jobs }: JobClients, ref: { namespace?: string | undefined; name: string }) {
  try {
    const signal = AbortSignal.timeout(deleteTimeoutMs);
    await jobs.delete(ref, { propagation: "Background", signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

const uidOf = ({ metadata }: Pod) => metadata.uid ?? metadata.name;

class JobWatch {
  readonly #run: JobRun;
  readonly #signal: AbortSignal;
  /** As last seen, by uid: what is gone may have left the reason behind. */
  readonly #seen = new Map<string, Pod>();
  /** Uids of those that are still there. */
  readonly #present = new Set<string>();
  readonly #logs = new Map<string, Promise<void>>();
  readonly #stopLogs = new AbortController();
  #startByMs: number | undefined;

  constructor(run: JobRun, signal: AbortSignal) {
    this.#run = run;
    this.#signal = signal;
  }

  async end(): Promise<JobEnd> {
    const { clients, job } = this.#run;
    const forget = clients.pods.onEvent(({ type, object }) => {
      if (object.metadata.labels?.[jobNameLabel] === job.metadata.name) this.#see(object, type !== "deleted");
    });
    try {
      for (;;) {
        const ended = await this.#look();
        if (ended) return ended;
        await this.#run.clock.sleep(this.#run.pollMs, this.#signal);
      }
    } finally {
      forget();
      this.#stopLogs.abort(new InferiumError("Stopped", "The job is over."));
      await Promise.allSettled(this.#logs.values());
    }
  }

  async #look(): Promise<JobEnd | undefined> {
    const { clients, job, clock } = this.#run;
    const { namespace, name } = job.metadata;
    const found = await clients.jobs.get({ namespace, name }, { signal: this.#signal });
    const pods = [...this.#seen.values()];
    const items = pods.filter((pod) => this.#present.has(uidOf(pod)));
    const conditions = found.status?.conditions ?? [];
    const is = (wanted: string) => conditions.some(({ type, status }) => type === wanted && status === "True");
    if (is("Complete")) {
      await this.#awaitLastLines();
      return { state: "Succeeded", pods };
    }
    if (is("Failed") || is("FailureTarget")) {
      await this.#awaitLastLines();
      await this.#awaitEvidence();
      const last = [...this.#seen.values()];
      return { state: "Failed", failure: classifyJobFailure(found, last), pods: last };
    }
    const hopeless = items.find(isHopeless);
    const late = hopeless ? explainNotStarted(hopeless) : this.#findLate(found, items, clock.monotonic());
    return late && { state: "Failed", failure: late, pods };
  }

  #see(pod: Pod, isPresent: boolean): void {
    const uid = uidOf(pod);
    this.#seen.set(uid, pod);
    if (isPresent) this.#present.add(uid);
    else this.#present.delete(uid);
    // The first rank speaks for all.
    const hasStarted = pod.status?.phase !== undefined && pod.status.phase !== "Pending";
    if (!hasStarted || this.#logs.has(uid) || (pod.metadata.labels?.[indexLabel] ?? "0") !== "0") return;
    this.#logs.set(uid, this.#follow(pod));
  }

  /** A pod of a gang that does not start keeps the others for nothing. */
  #findLate(job: Job, items: readonly Pod[], nowMs: number): PodFailure | undefined {
    if (job.spec.suspend) return undefined;
    this.#startByMs ??= nowMs + this.#run.startTimeoutMs;
    const waiting = items.map(explainNotStarted).find((failure) => failure !== undefined);
    const isWhole = items.length >= (job.spec.parallelism ?? 1) && waiting === undefined;
    if (isWhole || nowMs < this.#startByMs) return undefined;
    const seconds = Math.round(this.#run.startTimeoutMs / 1_000);
    const detail = waiting?.message ?? `${items.length} of ${job.spec.parallelism} pods exist`;
    return {
      reason: waiting?.reason ?? "Unschedulable",
      message: `Not all pods started within ${seconds} s: ${detail}`,
    };
  }

  /** Never rejects. Lines that were heard before a break come again: reports say the same twice. */
  async #follow({ metadata }: Pod): Promise<void> {
    const { clients, clock, logger, onReport } = this.#run;
    const { namespace, name } = metadata;
    while (!this.#stopLogs.signal.aborted && !this.#signal.aborted) {
      try {
        const signal = AbortSignal.any([this.#signal, this.#stopLogs.signal]);
        for await (const line of clients.readLog({ namespace, name }, signal)) {
          const report = readReport(line);
          if (report) onReport(report);
        }
        return;
      } catch (error) {
        if (isNotFound(error) || this.#signal.aborted || this.#stopLogs.signal.aborted) return;
        logger.debug("a pod's log broke off", { pod: name, error: describeError(error) });
        await clock.sleep(this.#run.pollMs, this.#stopLogs.signal).catch(() => undefined);
      }
    }
  }

  /** The job may be known to have failed a moment before its pods are. */
  async #awaitEvidence(): Promise<void> {
    const { clock, pollMs } = this.#run;
    const untilMs = clock.monotonic() + evidenceMs;
    const isExplained = (pod: Pod) => classifyPod(pod) !== undefined || pod.status?.phase === "Succeeded";
    while (![...this.#seen.values()].some(isExplained) && clock.monotonic() < untilMs)
      await clock.sleep(pollMs, this.#signal);
  }

  async #awaitLastLines(): Promise<void> {
    const over = new AbortController();
    const late = this.#run.clock.sleep(lastLinesMs, over.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#logs.values()), late]);
    over.abort();
  }
}
