/**
 * The containers of one pod: their records, and the runs behind them. Starts one by name, stops, finds logs and running
 * processes; tells the pod worker of every change. Effects: processes, files, events.
 */
import { describeError } from "../../base/errors.ts";
import { type LauncherDeps, launchContainer, type PreparedContainer, prepareContainer } from "./container-launcher.ts";
import { ContainerLogs } from "./container-logs.ts";
import {
  type ContainerRecord,
  markStarted,
  markStartFailed,
  markStarting,
  markTerminated,
} from "./container-record.ts";
import { type ContainerRun, formatTime } from "./container-run.ts";
import type { Pod } from "./core-types.ts";
import type { CrashBackoffOptions } from "./crash-backoff.ts";
import type { LogFile } from "./log-file.ts";
import type { PodEvent, PodEventSink } from "./pod-events.ts";
import { PodVolumes } from "./pod-volumes.ts";
import type { ProbeKind, ProbeListener } from "./probe-loop.ts";
import { classifyStartFailure, isMountFailure, isStartError, startErrorExitCode } from "./start-failure.ts";
import type { TerminatedState } from "./status-types.ts";
import { createTokenKeeper } from "./token-keeper.ts";

export interface ContainerSetDeps extends LauncherDeps {
  readonly events: PodEventSink;
  readonly backoff: CrashBackoffOptions;
  onChange(): void;
}

export class ContainerSet {
  readonly #deps: ContainerSetDeps;
  readonly #volumes: PodVolumes;
  readonly #logs: ContainerLogs;
  readonly #runs = new Map<string, ContainerRun>();
  /** Grace in milliseconds of each run that is being stopped. */
  readonly #stopping = new Map<string, number>();
  #pod: Pod;
  #records: readonly ContainerRecord[];

  constructor(deps: ContainerSetDeps, pod: Pod, records: readonly ContainerRecord[]) {
    this.#deps = deps;
    this.#pod = pod;
    this.#records = records;
    this.#logs = new ContainerLogs(deps);
    this.#volumes = new PodVolumes({ ...deps, pod, tokens: createTokenKeeper(pod, deps.api, deps.clock) });
  }

  get records(): readonly ContainerRecord[] {
    return this.#records;
  }

  get running(): number {
    return this.#runs.size;
  }

  async ended(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all([...this.#runs.values()].map((run) => run.exited));
  }

  /** The object has changed: downward API files follow it. */
  update(pod: Pod): void {
    this.#pod = pod;
    this.#volumes.update(pod);
  }

  /** Never rejects for a fault of the pod: that becomes the container's state. */
  async start(name: string): Promise<void> {
    const record = this.#find(name);
    if (record === undefined || this.#runs.has(name)) return;
    try {
      await this.#launch(record, await prepareContainer(this.#deps, this.#pod, record, this.#volumes));
    } catch (error) {
      this.#takeStartFailure(name, error);
    }
  }

  /** Idempotent; a later call counts only when it gives less grace. */
  stop(name: string, graceMs: number, order: { message?: string; turn?: Promise<unknown> } = {}): void {
    const run = this.#runs.get(name);
    const before = this.#stopping.get(name);
    if (run === undefined || (before !== undefined && before <= graceMs)) return;
    this.#stopping.set(name, graceMs);
    if (before === undefined) this.#record("Normal", "Killing", order.message ?? `Stopping container ${name}`);
    run.stop(graceMs, order.turn).catch((error: unknown) => {
      this.#deps.logger.error("container was not stopped", { container: name, reason: describeError(error) });
    });
  }

  /** All at once, but a sidecar ends after the main containers and after the sidecars that were started later. */
  stopAll(graceMs: number): void {
    const runs = this.#records.flatMap((record) => {
      const run = this.#runs.get(record.name);
      return run === undefined ? [] : { record, run };
    });
    for (const [index, { record }] of runs.entries()) {
      const later = runs.slice(index + 1).filter((one) => one.record.role !== "init");
      if (record.role !== "sidecar" || later.length === 0) this.stop(record.name, graceMs);
      else this.stop(record.name, graceMs, { turn: Promise.all(later.map((one) => one.run.exited)) });
    }
  }

  /** No container will start again. Logs stay. */
  retire(): void {
    this.#volumes.stopRefresh();
  }

  /** A sentence when there is no such log. */
  async findLog(name: string, previous: boolean): Promise<LogFile | string> {
    const record = this.#find(name);
    if (record === undefined) return `container "${name}" in pod "${this.#pod.metadata.name}" is not available`;
    return this.#logs.find(this.#pod, record, previous);
  }

  /** For `kubectl exec` and `attach`. A sentence when the container does not run. */
  findRun(name: string): ContainerRun | string {
    const run = this.#find(name)?.state.kind === "running" ? this.#runs.get(name) : undefined;
    return run ?? `container not found ("${name}")`;
  }

  async #launch(record: ContainerRecord, prepared: PreparedContainer): Promise<void> {
    const { name } = record;
    const image = record.spec.image ?? "";
    this.#record("Normal", "Pulled", `Container image "${image}" already present on machine`);
    const number = computeRunNumber(record);
    const run = await launchContainer(this.#deps, record, prepared, {
      number,
      listener: this.#listen(name),
      onPreStopFailed: (message) => this.#record("Warning", "FailedPreStopHook", `PreStopHook failed: ${message}`),
    });
    this.#runs.set(name, run);
    this.#logs.keep(name, number, run.log);
    this.#record("Normal", "Created", `Created container: ${name}`);
    this.#record("Normal", "Started", `Started container ${name}`);
    const containerId = `process://${this.#pod.metadata.uid}-${name}-${number}`;
    this.#change(name, (old) => markStarting(old, prepared.cgroup?.applied ?? []));
    const begin = () => this.#takeStart(name, run, containerId);
    void run.exited.then((terminated) => {
      begin();
      this.#takeEnd(name, { ...terminated, containerID: containerId });
    });
    if (record.spec.lifecycle?.postStart === undefined) return begin();
    void run.runPostStart().then((outcome) => {
      if (outcome.succeeded) return begin();
      this.#record("Warning", "FailedPostStartHook", `PostStartHook failed: ${outcome.message}`);
      this.stop(name, this.#graceMs(), { message: "FailedPostStartHook" });
    });
  }

  /** Once for each run: when its postStart hook has ended, or the run itself. */
  #takeStart(name: string, run: ContainerRun, containerId: string): void {
    if (this.#find(name)?.starting !== true || this.#runs.get(name) !== run) return;
    const now = this.#deps.clock.now();
    this.#change(name, (old) => markStarted(old, { containerId, startedAt: run.startedAt, now }, this.#deps.backoff));
    run.startProbes();
  }

  #takeEnd(name: string, terminated: TerminatedState): void {
    this.#runs.delete(name);
    this.#stopping.delete(name);
    this.#change(name, (record) => markTerminated(record, terminated, this.#deps.clock.now()));
    if (this.#pod.spec.restartPolicy === "Never" || terminated.exitCode === 0) return;
    const { metadata } = this.#pod;
    const where = `${name} in pod ${metadata.name}_${metadata.namespace}(${metadata.uid})`;
    this.#record("Warning", "BackOff", `Back-off restarting failed container ${where}`);
  }

  #takeStartFailure(name: string, error: unknown): void {
    const now = this.#deps.clock.now();
    const message = describeError(error);
    this.#record("Warning", isMountFailure(error) ? "FailedMount" : "Failed", message);
    if (isStartError(error)) this.#takeStartError(name, message, now);
    else
      this.#change(name, (record) => {
        const failure = classifyStartFailure(error, record.retry?.failures ?? 0);
        return markStartFailed(record, failure.waiting ?? waitingBefore(record), now + failure.retryDelayMs);
      });
  }

  #takeStartError(name: string, message: string, now: number): void {
    const containerId = `process://${this.#pod.metadata.uid}-${name}-failed`;
    const time = formatTime(now);
    const times = { startedAt: time, finishedAt: time };
    const ended = { exitCode: startErrorExitCode, reason: "StartError", message, ...times };
    this.#change(name, (record) =>
      markTerminated(markStarted(record, { containerId, startedAt: time, now }, this.#deps.backoff), ended, now),
    );
  }

  #listen(name: string): ProbeListener {
    return {
      onStarted: () =>
        this.#change(name, (record) => ({ ...record, started: true, ready: record.spec.readinessProbe === undefined })),
      onReady: (ready) => this.#change(name, (record) => ({ ...record, ready: ready && record.started })),
      onFailure: (kind, message) =>
        this.#record("Warning", "Unhealthy", `${capitalize(kind)} probe failed: ${message}`),
      onUnhealthy: (kind) => {
        const message = `Container ${name} failed ${kind} probe, will be restarted`;
        this.stop(name, this.#probeGraceMs(name, kind), { message });
      },
    };
  }

  #probeGraceMs(name: string, kind: ProbeKind): number {
    const seconds = this.#find(name)?.spec[`${kind}Probe`]?.terminationGracePeriodSeconds;
    return seconds === undefined ? this.#graceMs() : 1000 * seconds;
  }

  #graceMs(): number {
    return 1000 * (this.#pod.spec.terminationGracePeriodSeconds ?? 30);
  }

  #find(name: string): ContainerRecord | undefined {
    return this.#records.find((record) => record.name === name);
  }

  #change(name: string, change: (record: ContainerRecord) => ContainerRecord): void {
    this.#records = this.#records.map((record) => (record.name === name ? change(record) : record));
    this.#deps.onChange();
  }

  #record(type: PodEvent["type"], reason: string, message: string): void {
    this.#deps.events.record(this.#pod, { type, reason, message });
  }
}

function computeRunNumber(record: ContainerRecord): number {
  const hasRun = record.state.kind === "terminated" || record.last !== undefined;
  return hasRun ? record.restartCount + 1 : record.restartCount;
}

/** What a container that could not be started shows when the failure has no reason of its own. */
function waitingBefore(record: ContainerRecord) {
  return record.state.kind === "waiting" ? record.state.waiting : { reason: "ContainerCreating" };
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
