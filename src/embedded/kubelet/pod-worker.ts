/**
 * Runs one pod: gather (object, records, time) -> decide (`decidePod`) -> apply (start, stop, write status), again on
 * every change of the object, end of a process, verdict of a probe or due time. One pass at a time.
 * Effects: processes and files through its parts, status and deletion through the pod API.
 */
import { rm } from "node:fs/promises";
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { type ContainerRecord, createRecords, parseTime, restoreRecord } from "./container-record.ts";
import { type ContainerRun, formatTime } from "./container-run.ts";
import { ContainerSet, type ContainerSetDeps } from "./container-set.ts";
import type { Pod } from "./core-types.ts";
import type { CrashBackoffOptions } from "./crash-backoff.ts";
import { decidePod, type PodPlan } from "./decide-pod.ts";
import type { LogFile } from "./log-file.ts";
import { createPodPaths } from "./pod-paths.ts";
import { computePodStatus, type PodVerdict } from "./pod-status.ts";
import type { PodStatus } from "./status-types.ts";
import { StatusWriter } from "./status-writer.ts";
import { Wakeup } from "./wakeup.ts";

export interface PodWorkerDeps extends Omit<ContainerSetDeps, "onChange" | "signal" | "paths"> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly backoff: CrashBackoffOptions;
}

const failedPassBackoff = { initialMs: 500, maxMs: 30_000 };
const defaultGraceSeconds = 30;
const noPlan: PodPlan = {
  start: [],
  stop: [],
  backingOff: new Map(),
  wakeAt: undefined,
  finished: true,
  initialized: true,
};

export class PodWorker {
  readonly #deps: PodWorkerDeps;
  readonly #containers: ContainerSet;
  readonly #status: StatusWriter;
  readonly #wakeup = new Wakeup();
  readonly #closed = new AbortController();
  readonly #startTime: string;
  /** The same in milliseconds since the epoch, finer than whole seconds for a pod that begins here. */
  readonly #startedAt: number;
  #pod: Pod;
  /** Ended before this kubelet saw it: nothing is run or written, only deletion is served. */
  readonly #wasOver: boolean;
  #removed = false;
  #verdict: PodVerdict | undefined;
  /** Once set, nothing starts any more. Milliseconds of grace for what runs. */
  #stopGraceMs: number | undefined;
  /** Keeps the answer for when the pod ends while it is being stopped. */
  #initialized = false;
  /** As of the last plan: no container will run again. */
  #finished = false;
  #deletionSent = false;
  readonly done: Promise<void>;

  constructor(deps: PodWorkerDeps, pod: Pod) {
    this.#deps = deps;
    this.#pod = pod;
    const now = formatTime(deps.clock.now());
    this.#startTime = pod.status?.startTime ?? now;
    this.#startedAt = parseTime(pod.status?.startTime, deps.clock.now());
    this.#wasOver = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    const records = createRecords(pod).map((record) =>
      restoreRecord(
        record,
        statuses.find((status) => status.name === record.name),
        now,
      ),
    );
    const paths = createPodPaths(deps.rootDir, pod.metadata.uid ?? "");
    const signal = this.#closed.signal;
    this.#containers = new ContainerSet({ ...deps, paths, signal, onChange: () => this.#wakeup.wake() }, pod, records);
    this.#status = new StatusWriter({ ...deps, pod, signal });
    this.done = this.#run(paths.root);
  }

  get pod(): Pod {
    return this.#pod;
  }

  update(pod: Pod): void {
    this.#pod = pod;
    this.#containers.update(pod);
    this.#wakeup.wake();
  }

  /** The object is gone from the server, with or without the kubelet's consent. */
  remove(last: Pod): void {
    this.#pod = last;
    this.#removed = true;
    this.#wakeup.wake();
  }

  /** Ends the pod for good, with the kubelet or by its deadline. The worker goes on serving logs until `remove`. */
  end(verdict: PodVerdict, maxGraceMs: number): void {
    if (this.#wasOver || this.#finished || this.#stopGraceMs !== undefined) return;
    this.#verdict = verdict;
    this.#stopGraceMs = Math.min(maxGraceMs, this.#graceMs());
    this.#wakeup.wake();
  }

  /** Resolves when no process of the pod runs and the server knows. */
  async settled(): Promise<void> {
    do {
      await this.#containers.ended();
      await Promise.race([this.#wakeup.idle(), this.done]);
    } while (this.#containers.running > 0);
    await this.#status.flush();
  }

  /** Ends the loop and leaves the pod's files. Call after `settled`. */
  async close(): Promise<void> {
    this.#closed.abort(new Error("the kubelet stopped"));
    this.#wakeup.wake();
    await this.done;
  }

  findLog(container: string, previous: boolean): Promise<LogFile | string> {
    return this.#containers.findLog(container, previous);
  }

  findRun(container: string): ContainerRun | string {
    return this.#containers.findRun(container);
  }

  async #run(directory: string): Promise<void> {
    let failures = 0;
    while (!this.#closed.signal.aborted) {
      let wakeAt: number | undefined;
      try {
        wakeAt = await this.#pass(directory);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#deps.logger.warn("pod pass failed", {
          pod: this.#pod.metadata.name,
          attempt: failures,
          reason: describeError(error),
        });
        wakeAt = this.#deps.clock.now() + computeBackoffMs(failures, failedPassBackoff);
      }
      await this.#wakeup.wait(this.#deps.clock, wakeAt, this.#closed.signal);
    }
  }

  async #pass(directory: string): Promise<number | undefined> {
    this.#noticeEnd();
    if (this.#wasOver) return this.#finishDeletion(directory);
    const now = this.#deps.clock.now();
    const plan = this.#stopGraceMs === undefined ? this.#decide(now) : noPlan;
    if (this.#stopGraceMs !== undefined) this.#containers.stopAll(this.#stopGraceMs);
    for (const name of plan.start) {
      await this.#containers.start(name);
      // A postStart hook holds back what follows; the end of the hook wakes this loop.
      if (this.#containers.records.some((record) => record.starting)) break;
    }
    for (const name of plan.stop) this.#containers.stop(name, this.#graceMs());
    this.#initialized ||= plan.initialized && this.#stopGraceMs === undefined;
    const reached = plan.start.length > 0 ? this.#decide(this.#deps.clock.now()) : plan;
    this.#finished ||= reached.finished;
    if (this.#finished) this.#containers.retire();
    this.#publish(reached);
    if (this.#stopGraceMs !== undefined && this.#containers.running === 0) return this.#finishDeletion(directory);
    return earliest(reached.wakeAt, this.#deadlineAt());
  }

  #decide(now: number): PodPlan {
    return decidePod({ pod: this.#pod, records: this.#containers.records, now, backoff: this.#deps.backoff });
  }

  /** Deletion, disappearance and the deadline all mean: stop, and start nothing more. */
  #noticeEnd(): void {
    if (this.#removed) this.#shortenGrace(this.#pod.metadata.deletionGracePeriodSeconds === 0 ? 0 : this.#graceMs());
    if (this.#pod.metadata.deletionTimestamp !== undefined) this.#shortenGrace(this.#graceMs());
    const deadlineAt = this.#deadlineAt();
    if (deadlineAt === undefined || this.#deps.clock.now() < deadlineAt) return;
    const message = "Pod was active on the node longer than the specified deadline";
    this.end({ reason: "DeadlineExceeded", message, isDisruption: false }, this.#graceMs());
  }

  #shortenGrace(graceMs: number): void {
    this.#stopGraceMs = Math.min(this.#stopGraceMs ?? graceMs, graceMs);
  }

  #graceMs(): number {
    const { metadata, spec } = this.#pod;
    return 1000 * (metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? defaultGraceSeconds);
  }

  #deadlineAt(): number | undefined {
    const seconds = this.#pod.spec.activeDeadlineSeconds;
    if (seconds === undefined || this.#verdict !== undefined || this.#finished) return undefined;
    return this.#startedAt + seconds * 1000;
  }

  #publish(plan: PodPlan): void {
    const isStopping = this.#stopGraceMs !== undefined;
    const { records } = this.#containers;
    this.#status.publish(
      computePodStatus({
        pod: { ...this.#pod, status: this.#mergeKnownStatus() },
        records,
        initialized: isStopping ? this.#initialized : plan.initialized,
        finished: plan.finished,
        backingOff: collectDelays(plan, records),
        verdict: this.#verdict,
        hostIP: this.#deps.facts.hostIP,
        podIP: this.#deps.facts.podIP,
        startTime: this.#startTime,
        now: formatTime(this.#deps.clock.now()),
      }),
    );
  }

  /** Our own last status is newer than what the informer shows; conditions of others are taken from the object. */
  #mergeKnownStatus(): PodStatus {
    const seen = this.#pod.status ?? {};
    const mine = this.#status.latest;
    if (mine === undefined) return seen;
    const own = new Set((mine.conditions ?? []).map((condition) => condition.type));
    const foreign = (seen.conditions ?? []).filter((condition) => !own.has(condition.type));
    return { ...seen, conditions: [...(mine.conditions ?? []), ...foreign] };
  }

  async #finishDeletion(directory: string): Promise<undefined> {
    const isDeleted = this.#pod.metadata.deletionTimestamp !== undefined;
    if (isDeleted && !this.#removed && !this.#deletionSent) {
      await this.#status.flush();
      await this.#deps.api.finishDeletion(this.#pod);
      this.#deletionSent = true;
    }
    if (!this.#removed) return undefined;
    await rm(directory, { recursive: true, force: true });
    this.#closed.abort(new Error("the pod is gone"));
    return undefined;
  }
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** How long each held container waits in all, from its end. */
function collectDelays(plan: PodPlan, records: readonly ContainerRecord[]): ReadonlyMap<string, number> {
  return new Map(
    [...plan.backingOff.keys()].map((name) => [
      name,
      records.find((record) => record.name === name)?.backoff?.delayMs ?? 0,
    ]),
  );
}
