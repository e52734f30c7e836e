/**
 * The logs of one pod's containers: those of this kubelet's runs, and those that an earlier kubelet left on disk. A run's
 * log stays for one more run, as `kubectl logs --previous` reads it. Effects: reads and removes log files.
 */
import { rm, stat } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { Pod } from "./core-types.ts";
import { isOver } from "./decide-pod.ts";
import { LogFile } from "./log-file.ts";
import type { PodPaths } from "./pod-paths.ts";

export interface ContainerLogsInput {
  readonly paths: PodPaths;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class ContainerLogs {
  readonly #input: ContainerLogsInput;
  /** By container and run number; at most two per container. */
  readonly #logs = new Map<string, LogFile>();

  constructor(input: ContainerLogsInput) {
    this.#input = input;
  }

  keep(name: string, run: number, log: LogFile): void {
    this.#logs.set(formatLogKey(name, run), log);
    if (run < 2) return;
    this.#logs.delete(formatLogKey(name, run - 2));
    const dropped = this.#input.paths.log(name, run - 2);
    Promise.all([rm(dropped, { force: true }), rm(`${dropped}.1`, { force: true })]).catch((error: unknown) => {
      this.#input.logger.warn("old container log was not removed", { path: dropped, reason: describeError(error) });
    });
  }

  /**
   * A container that has ended and is about to restart shows its end as the last state: that run is the previous one then.
   * @returns a sentence when there is no such log
   */
  async find(pod: Pod, record: ContainerRecord, previous: boolean): Promise<LogFile | string> {
    const where = `container "${record.name}" in pod "${pod.metadata.name}"`;
    const isHeld = record.state.kind === "waiting" || (record.state.kind === "terminated" && !isOver(pod, record));
    const run = record.restartCount - (previous && !isHeld ? 1 : 0);
    const hasEnded = record.last !== undefined || (isHeld && record.state.kind === "terminated");
    const exists = previous ? hasEnded : record.containerId !== undefined;
    const log = exists ? await this.#open(record.name, run) : undefined;
    if (log !== undefined) return log;
    if (previous) return `previous terminated ${where} not found`;
    const reason = record.state.kind === "waiting" ? record.state.waiting.reason : "log file is gone";
    return `${where} is waiting to start: ${reason}`;
  }

  async #open(name: string, run: number): Promise<LogFile | undefined> {
    const known = this.#logs.get(formatLogKey(name, run));
    if (known !== undefined) return known;
    const { paths, clock, logger } = this.#input;
    const path = paths.log(name, run);
    if (!(await exists(path))) return undefined;
    return LogFile.openEnded({ path, clock, logger }, await exists(`${path}.1`));
  }
}

function formatLogKey(name: string, run: number): string {
  return `${name}/${run}`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
