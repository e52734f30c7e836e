/**
 * One run of one container, from the start of its process to its end: process group, log file, probes, and the stop with
 * its grace. Created by the pod worker for each start. Effects: a process, a log file.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Container, TerminatedState } from "./core-types.ts";
import type { GroupLedger } from "./group-ledger.ts";
import { type HandlerContext, runHandler } from "./handler-run.ts";
import type { Launch } from "./launch-spec.ts";
import { LogFile } from "./log-file.ts";
import { type ProbeListener, runProbes } from "./probe-loop.ts";
import { readOomKillCount } from "./proc-table.ts";
import { type ProcessExit, type ProcessGroup, startProcessGroup } from "./process-group.ts";
import { signalNumber } from "./signals.ts";

export interface ContainerRun {
  readonly startedAt: string;
  readonly log: LogFile;
  /** Never rejects; resolves when the whole group has ended and its output is on disk. */
  readonly exited: Promise<TerminatedState>;
  /** preStop, SIGTERM, then SIGKILL once `graceMs` have passed. A later call can only shorten the grace. */
  stop(graceMs: number): Promise<void>;
}

export interface ContainerRunInput {
  readonly container: Container;
  readonly launch: Launch;
  readonly logPath: string;
  readonly ledger: GroupLedger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener: ProbeListener;
}

/** Output that is still in the pipes when the process has ended is read for this long. */
const drainTimeoutMs = 2_000;

/** @throws InferiumError StartError */
export async function startContainer(input: ContainerRunInput): Promise<ContainerRun> {
  const log = await LogFile.create({ path: input.logPath, clock: input.clock, logger: input.logger });
  const oomKillsBefore = readOomKillCount();
  const group = await startGroup(input, log);
  const context: HandlerContext = { ...input, launch: input.launch.spec, rewrite: input.launch.rewrite };
  const startedAt = formatTime(input.clock.now());
  const ending = new AbortController();
  const stopper = createStopper(input, group, context, ending.signal);
  const output = Promise.all([log.copy(group.stdout, "stdout"), log.copy(group.stderr, "stderr")]);
  const exited = group.exited.then(async (exit) => {
    const finishedAt = formatTime(input.clock.now());
    ending.abort(new Error("the container ended"));
    await drain(output, group, input.clock);
    await log.close();
    const isOomKill = exit.signal === "SIGKILL" && !stopper.requested() && readOomKillCount() > oomKillsBefore;
    return { ...buildTerminated(exit, isOomKill), startedAt, finishedAt };
  });
  startProbeLoop(input, context, ending.signal);
  return { startedAt, log, exited, stop: stopper.stop };
}

async function startGroup(input: ContainerRunInput, log: LogFile): Promise<ProcessGroup> {
  try {
    return await startProcessGroup(input.launch.spec, input.ledger);
  } catch (error) {
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

/** A process that left its group may hold the pipes open for ever: its output is cut off here. */
async function drain(output: Promise<unknown>, group: ProcessGroup, clock: Clock): Promise<void> {
  const timer = new AbortController();
  const late = clock.sleep(drainTimeoutMs, timer.signal).catch(() => undefined);
  await Promise.race([output, late]);
  timer.abort(new Error("output drained"));
  group.stdout.destroy();
  group.stderr.destroy();
}

function startProbeLoop(input: ContainerRunInput, context: HandlerContext, signal: AbortSignal): void {
  const { container, clock, listener, logger } = input;
  const attempt = (probe: Parameters<typeof runHandler>[0], timing: { readonly timeoutMs: number }) =>
    runHandler(probe, context, timing.timeoutMs);
  runProbes({ container, attempt, listener, clock, signal }).catch((error: unknown) => {
    logger.error("probes of a container ended", { container: container.name, reason: describeError(error) });
  });
}

function createStopper(input: ContainerRunInput, group: ProcessGroup, context: HandlerContext, ended: AbortSignal) {
  let asked: Promise<void> | undefined;
  const ask = async (graceMs: number) => {
    const preStop = input.container.lifecycle?.preStop;
    if (graceMs === 0) return;
    if (preStop !== undefined) await runPreStop(preStop, context, graceMs, input.logger);
    group.signal("SIGTERM");
  };
  const stop = async (graceMs: number) => {
    asked ??= ask(graceMs);
    if (graceMs > 0) await input.clock.sleep(graceMs, ended).catch(() => undefined);
    if (!ended.aborted) group.signal("SIGKILL");
    await group.exited;
  };
  return { stop, requested: () => asked !== undefined };
}

async function runPreStop(
  handler: Parameters<typeof runHandler>[0],
  context: HandlerContext,
  timeoutMs: number,
  logger: Logger,
): Promise<void> {
  const outcome = await runHandler(handler, context, timeoutMs);
  if (!outcome.succeeded)
    logger.warn("preStop hook failed", { container: context.container.name, reason: outcome.message });
}

/** Whole seconds, as every time of the Kubernetes API but MicroTime. */
export function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, "Z");
}
