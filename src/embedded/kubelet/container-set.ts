/**
 * The containers of one pod: their records, and the runs behind them. Starts one by name, stops, finds logs; tells the
 * pod worker of every change. Effects: processes, files, events.
 */
import { mkdir, rm, stat } from "node:fs/promises";
import { describeError } from "../../base/errors.ts";
import { type ContainerRecord, markStarted, markStartFailed, markTerminated } from "./container-record.ts";
import { type ContainerRun, formatTime, startContainer } from "./container-run.ts";
import type { Pod, TerminatedState } from "./core-types.ts";
import type { CrashBackoffOptions } from "./crash-backoff.ts";
import type { Environment } from "./environment.ts";
import type { GroupLedger } from "./group-ledger.ts";
import { findImage, type ImageTable } from "./image-table.ts";
import { buildLaunch, type Launch } from "./launch-spec.ts";
import { LogFile } from "./log-file.ts";
import type { PodEvent, PodEventSink } from "./pod-events.ts";
import { PodVolumes, type PodVolumesInput } from "./pod-volumes.ts";
import type { ProbeListener } from "./probe-loop.ts";
import { gatherSources } from "./sources.ts";
import { classifyStartFailure, isStartError, startErrorExitCode } from "./start-failure.ts";
import { createTokenKeeper } from "./token-keeper.ts";

export interface ContainerSetDeps extends Omit<PodVolumesInput, "pod" | "tokens"> {
  readonly images: ImageTable;
  readonly hostEnv: Environment;
  readonly nodeEnv: Environment;
  readonly rootDir: string;
  readonly ledger: GroupLedger;
  readonly events: PodEventSink;
  readonly backoff: CrashBackoffOptions;
  onChange(): void;
}

export class ContainerSet {
  readonly #deps: ContainerSetDeps;
  readonly #volumes: PodVolumes;
  readonly #runs = new Map<string, ContainerRun>();
  /** Grace in milliseconds of each run that is being stopped. */
  readonly #stopping = new Map<string, number>();
  /** Logs of runs that have ended too, by container and run number; at most two per container. */
  readonly #logs = new Map<string, LogFile>();
  #pod: Pod;
  #records: readonly ContainerRecord[];

  constructor(deps: ContainerSetDeps, pod: Pod, records: readonly ContainerRecord[]) {
    this.#deps = deps;
    this.#pod = pod;
    this.#records = records;
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

  /** Never rejects for a fault of the pod: that becomes the container's state. */
  async start(pod: Pod, name: string): Promise<void> {
    this.#pod = pod;
    const record = this.#find(name);
    if (record === undefined || this.#runs.has(name)) return;
    try {
      await this.#launch(record, await this.#prepare(record));
    } catch (error) {
      this.#takeStartFailure(name, error);
    }
  }

  /** Idempotent; a later call counts only when it gives less grace. */
  stop(name: string, graceMs: number): void {
    const run = this.#runs.get(name);
    const before = this.#stopping.get(name);
    if (run === undefined || (before !== undefined && before <= graceMs)) return;
    this.#stopping.set(name, graceMs);
    if (before === undefined) this.#record("Normal", "Killing", `Stopping container ${name}`);
    run.stop(graceMs).catch((error: unknown) => {
      this.#deps.logger.error("container was not stopped", { container: name, reason: describeError(error) });
    });
  }

  stopAll(graceMs: number): void {
    for (const name of this.#runs.keys()) this.stop(name, graceMs);
  }

  /** No container will start again. Logs stay. */
  retire(): void {
    this.#volumes.stopRefresh();
  }

  /** A sentence when there is no such log. */
  async findLog(name: string, previous: boolean): Promise<LogFile | string> {
    const record = this.#find(name);
    const where = `container "${name}" in pod "${this.#pod.metadata.name}"`;
    if (record === undefined) return `${where} is not available`;
    const run = record.restartCount - (previous && record.state.kind === "running" ? 1 : 0);
    const exists = previous
      ? record.last !== undefined || record.state.kind === "terminated"
      : record.containerId !== undefined;
    const log = exists ? await this.#openLog(name, run) : undefined;
    if (log !== undefined) return log;
    if (previous) return `previous terminated ${where} not found`;
    const reason = record.state.kind === "waiting" ? record.state.waiting.reason : "log file is gone";
    return `${where} is waiting to start: ${reason}`;
  }

  async #openLog(name: string, run: number): Promise<LogFile | undefined> {
    const known = this.#logs.get(formatLogKey(name, run));
    if (known !== undefined) return known;
    const path = this.#deps.paths.log(name, run);
    if (!(await exists(path))) return undefined;
    const { clock, logger } = this.#deps;
    return LogFile.openEnded({ path, clock, logger }, await exists(`${path}.1`));
  }

  async #prepare(record: ContainerRecord): Promise<Launch> {
    const { images, facts, paths, hostEnv, nodeEnv, rootDir } = this.#deps;
    const image = findImage(images, record.spec.image ?? "");
    const prepared = await this.#volumes.prepare();
    const sources = await gatherSources(this.#deps.api, { ...this.#pod, spec: { containers: [] } }, [record.spec]);
    const containerDir = paths.container(record.name);
    await mkdir(containerDir, { recursive: true });
    const given = { facts, image, hostEnv, nodeEnv, rootDir, containerDir };
    return buildLaunch({ ...given, ...prepared, pod: this.#pod, container: record.spec, sources });
  }

  async #launch(record: ContainerRecord, launch: Launch): Promise<void> {
    const { paths, ledger, clock, logger, backoff } = this.#deps;
    const number = this.#nextRun(record);
    const logPath = paths.log(record.name, number);
    const listener = this.#listen(record.name);
    const run = await startContainer({ container: record.spec, launch, logPath, ledger, clock, logger, listener });
    this.#runs.set(record.name, run);
    this.#keepLog(record.name, number, run.log);
    const containerId = `process://${this.#pod.metadata.uid}-${record.name}-${number}`;
    this.#change(record.name, (old) =>
      markStarted(old, { containerId, startedAt: run.startedAt, now: clock.now() }, backoff),
    );
    this.#record("Normal", "Started", `Started container ${record.name}`);
    void run.exited.then((terminated) => this.#takeEnd(record.name, { ...terminated, containerID: containerId }));
  }

  #nextRun(record: ContainerRecord): number {
    const hasRun = record.state.kind === "terminated" || record.last !== undefined;
    return hasRun ? record.restartCount + 1 : record.restartCount;
  }

  #takeEnd(name: string, terminated: TerminatedState): void {
    this.#runs.delete(name);
    this.#stopping.delete(name);
    this.#change(name, (record) => markTerminated(record, terminated, this.#deps.clock.now()));
    const mayRestart = this.#pod.spec.restartPolicy !== "Never" && terminated.exitCode !== 0;
    if (mayRestart) this.#record("Warning", "BackOff", `Back-off restarting failed container ${name}`);
  }

  #takeStartFailure(name: string, error: unknown): void {
    const { clock, backoff } = this.#deps;
    const now = clock.now();
    const time = formatTime(now);
    this.#record("Warning", "Failed", `Container ${name}: ${describeError(error)}`);
    if (isStartError(error)) {
      const containerId = `process://${this.#pod.metadata.uid}-${name}-failed`;
      const ended = {
        exitCode: startErrorExitCode,
        reason: "StartError",
        message: describeError(error),
        startedAt: time,
        finishedAt: time,
      };
      this.#change(name, (record) =>
        markTerminated(markStarted(record, { containerId, startedAt: time, now }, backoff), ended, now),
      );
      return;
    }
    this.#change(name, (record) => {
      const failure = classifyStartFailure(error, record.retry?.failures ?? 0);
      return markStartFailed(record, failure.waiting, now + failure.retryDelayMs);
    });
  }

  #listen(name: string): ProbeListener {
    return {
      onStarted: () =>
        this.#change(name, (record) => ({ ...record, started: true, ready: record.spec.readinessProbe === undefined })),
      onReady: (ready) => this.#change(name, (record) => ({ ...record, ready: ready && record.started })),
      onFailure: (kind, message) =>
        this.#record("Warning", "Unhealthy", `${capitalize(kind)} probe failed: ${message}`),
      onUnhealthy: (kind) => {
        this.#record("Warning", "Unhealthy", `Container ${name} failed ${kind} probe, will be restarted`);
        this.stop(name, this.#probeGraceMs(name, kind));
      },
    };
  }

  #probeGraceMs(name: string, kind: "startup" | "liveness" | "readiness"): number {
    const probe = this.#find(name)?.spec[`${kind}Probe`];
    return 1000 * (probe?.terminationGracePeriodSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30);
  }

  /** A run's log stays for one more run, as `kubectl logs --previous` reads it. */
  #keepLog(name: string, run: number, log: LogFile): void {
    this.#logs.set(formatLogKey(name, run), log);
    const old = formatLogKey(name, run - 2);
    const dropped = this.#deps.paths.log(name, Math.max(0, run - 2));
    this.#logs.delete(old);
    if (run < 2) return;
    Promise.all([rm(dropped, { force: true }), rm(`${dropped}.1`, { force: true })]).catch((error: unknown) => {
      this.#deps.logger.warn("old container log was not removed", { path: dropped, reason: describeError(error) });
    });
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

function formatLogKey(name: string, run: number): string {
  return `${name}/${run}`;
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
