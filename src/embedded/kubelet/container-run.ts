/**
 * One run of one container, from the start of its process to its end: process group, limits, log file, hooks, probes, and
 * the stop with its grace. Created by the container set for each start. Effects: a process, a log file.
 */
import type { Writable } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ContainerCgroup } from "./cgroups.ts";
import type { Container } from "./core-types.ts";
import type { GroupLedger } from "./group-ledger.ts";
import { type HandlerContext, type HandlerOutcome, runHandler } from "./handler-run.ts";
import type { Launch } from "./launch-spec.ts";
import { LogFile } from "./log-file.ts";
import { type ProbeListener, runProbes } from "./probe-loop.ts";
import { type ProcessExit, type ProcessGroup, startProcessGroup } from "./process-group.ts";
import { signalNumber } from "./signals.ts";
import type { TerminatedState } from "./status-types.ts";
import { readTerminationMessage } from "./termination-message.ts";

export interface ContainerRun {
  readonly startedAt: string;
  readonly log: LogFile;
  /** Where `kubectl attach -i` writes; absent unless the container asks for it. */
  readonly stdin: Writable | undefined;
  /** What runs inside it, such as for `kubectl exec`, needs this. */
  readonly context: HandlerContext;
  /** Never rejects; resolves when the whole group has ended and its output is on disk. */
  readonly exited: Promise<TerminatedState>;
  /** Runs the postStart hook, if there is one. Never rejects. */
  runPostStart(): Promise<HandlerOutcome>;
  /** To be called once postStart has succeeded. */
  startProbes(): void;
  /**
   * preStop, then SIGTERM, then SIGKILL once `graceMs` have passed. A later call can only shorten the grace.
   * @param turn SIGTERM waits for it within the grace: sidecars end after what they serve
   */
  stop(graceMs: number, turn?: Promise<unknown>): Promise<void>;
}

export interface ContainerRunInput {
  readonly container: Container;
  readonly podIP: string;
  readonly launch: Launch;
  readonly logPath: string;
  readonly ledger: GroupLedger;
  readonly cgroup: ContainerCgroup | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener: ProbeListener;
  /** The container is stopped all the same. */
  onPreStopFailed(message: string): void;
}

/** Output that is still in the pipes when the process has ended is read for this long. */
const drainTimeoutMs = 2_000;
/** Kubernetes bounds a postStart hook by nothing but the container's life; a timer must have an end. */
const postStartTimeoutMs = 3_600_000;
/** Whoever had to wait for its turn still gets this long, as in Kubernetes. */
const minGraceMs = 2_000;

/** @throws InferiumError StartError */
export async function startContainer(input: ContainerRunInput): Promise<ContainerRun> {
  const { cgroup, clock } = input;
  const log = await LogFile.create({ path: input.logPath, clock, logger: input.logger });
  const group = await startGroup(input, log);
  const ending = new AbortController();
  const { spec, rewrite, mounts } = input.launch;
  const onSpawn = cgroup === undefined ? undefined : (pid: number) => cgroup.add(pid);
  const context: HandlerContext = { ...input, launch: spec, rewrite, mounts, ended: ending.signal, onSpawn };
  const startedAt = formatTime(clock.now());
  const output = Promise.all([log.copy(group.stdout, "stdout"), log.copy(group.stderr, "stderr")]);
  const exited = group.exited.then(async (exit) => {
    const finishedAt = formatTime(clock.now());
    ending.abort(new Error("the container ended"));
    await drain(output, group, clock);
    await log.close();
    const isOomKill = exit.exitCode !== 0 && (cgroup?.countOomKills() ?? 0) > 0;
    cgroup?.remove();
    return { ...buildTerminated(exit, isOomKill), ...(await readMessage(input, log, exit)), startedAt, finishedAt };
  });
  const postStart = input.container.lifecycle?.postStart;
  return {
    ...{ startedAt, log, stdin: group.stdin, context, exited },
    runPostStart: () => runHandler(postStart ?? {}, context, postStartTimeoutMs),
    startProbes: () => startProbeLoop(input, context),
    stop: createStop(input, group, context),
  };
}

async function startGroup(input: ContainerRunInput, log: LogFile): Promise<ProcessGroup> {
  const { launch, ledger, cgroup, container } = input;
  const options = { hasStdin: container.stdin === true, onSpawn: (pid: number) => cgroup?.add(pid) };
  try {
    return await startProcessGroup(launch.spec, ledger, options);
  } catch (error) {
    cgroup?.remove();
    await log.close();
    throw error;
  }
}

function buildTerminated(exit: ProcessExit, isOomKill: boolean): TerminatedState {
  const reason = isOomKill ? "OOMKilled" : exit.exitCode === 0 ? "Completed" : "Error";
  return {
    exitCode: exit.exitCode,
    ...(exit.signal === undefined ? {} : { signal: signalNumber(exit.signal) }),
    reason,
  };
}

async function readMessage(input: ContainerRunInput, log: LogFile, exit: ProcessExit): Promise<{ message?: string }> {
  const { container, launch, logger } = input;
  const policy = container.terminationMessagePolicy;
  try {
    const message = await readTerminationMessage({
      ...{ path: launch.terminationMessagePath, policy, exitCode: exit.exitCode, log },
    });
    return message === "" ? {} : { message };
  } catch (error) {
    logger.warn("termination message was not read", { container: container.name, reason: describeError(error) });
    return {};
  }
}

/** A process that left its group may hold the pipes open for ever: its output is cut off here. */
async function drain(output: Promise<unknown>, group: ProcessGroup, clock: Clock): Promise<void> {
  const timer = new AbortController();
  const late = clock.sleep(drainTimeoutMs, timer.signal).catch(() => undefined);
  await Promise.race([output, late]);
  timer.abort(new Error("output drained"));
  group.stdout.destroy();
  group.stderr.destroy();
}

function startProbeLoop(input: ContainerRunInput, context: HandlerContext): void {
  const { container, clock, listener, logger } = input;
  const attempt = (probe: Parameters<typeof runHandler>[0], timing: { readonly timeoutMs: number }) =>
    runHandler(probe, context, timing.timeoutMs);
  runProbes({ container, attempt, listener, clock, signal: context.ended }).catch((error: unknown) => {
    logger.error("probes of a container ended", { container: container.name, reason: describeError(error) });
  });
}

function createStop(input: ContainerRunInput, group: ProcessGroup, context: HandlerContext): ContainerRun["stop"] {
  const { clock } = input;
  const sleep = (ms: number) => clock.sleep(ms, context.ended).catch(() => undefined);
  let asked: Promise<void> | undefined;
  const ask = async (graceMs: number, turn: Promise<unknown> | undefined) => {
    if (graceMs === 0) return;
    const until = clock.monotonic() + graceMs;
    const preStop = input.container.lifecycle?.preStop;
    if (preStop !== undefined) {
      const outcome = await runHandler(preStop, context, graceMs);
      if (!outcome.succeeded) input.onPreStopFailed(outcome.message);
    }
    if (turn !== undefined) await Promise.race([turn, sleep(Math.max(0, until - clock.monotonic()))]);
    group.signal("SIGTERM");
    if (turn !== undefined && clock.monotonic() + minGraceMs > until) await sleep(minGraceMs);
  };
  return async (graceMs, turn) => {
    asked ??= ask(graceMs, turn);
    await sleep(graceMs);
    if (turn !== undefined) await asked;
    if (!context.ended.aborted) group.signal("SIGKILL");
    await group.exited;
  };
}

/** Whole seconds, as every time of the Kubernetes API but MicroTime. */
export function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, "Z");
}
