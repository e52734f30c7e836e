/**
 * A leaderboard without a run in progress: begins one if it is due. Labels that do not hold stop it before anything is paid for, and
 * the run's number is written before its first task: whoever leads next goes on with it and begins no other. Effects: writes the status.
 */
import { describeError, InferiumError } from "../../base/errors.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import { decideStart, type StartDecision } from "../../protocol/leaderboard/decide-start.ts";
import {
  beginRun,
  newLeaderboardStatus,
  noteTrouble,
  rest,
  stall,
} from "../../protocol/leaderboard/leaderboard-status.ts";
import { digestMeasured } from "../../protocol/leaderboard/measured.ts";
import { formatTime, type LeaderboardObject } from "../kinds.ts";
import { createLabelReader } from "./read-labels.ts";
import { retireRuns } from "./retire-runs.ts";
import { findTrouble, type LeaderboardOptions, type Trouble } from "./run-context.ts";
import { writeStatus } from "./write-status.ts";

/** A timer holds no more than 31 bits. */
const maxDelayMs = 2 ** 31 - 1;
/** What may pass is looked at again after so long. */
const lookAgainMs = 15_000;

export async function beginOrRest(
  options: LeaderboardOptions,
  leaderboard: LeaderboardObject,
): Promise<ReconcileResult | undefined> {
  await retireRuns(options, leaderboard);
  const { spec, metadata, status = newLeaderboardStatus } = leaderboard;
  const measured = digestMeasured(spec);
  const nowMs = options.clock.now();
  const takenMs = Date.parse(status.lastRun?.startedAt ?? metadata.creationTimestamp ?? "");
  let decision: StartDecision;
  try {
    decision = decideStart({ spec, status, measured, takenMs, nowMs });
  } catch (error) {
    if (!(error instanceof InferiumError)) throw error;
    const trouble = { reason: error.code, message: describeError(error) };
    await writeStatus(options, leaderboard, (known, context) => stall(known, trouble, context));
    return undefined;
  }
  const { start, scheduledForMs, nextMs } = decision;
  const nextRun = nextMs === undefined ? undefined : formatTime(nextMs);
  if (!start) {
    const how = { suspended: spec.suspend, nextRun };
    await writeStatus(options, leaderboard, (known, context) => rest(known, how, context));
    return nextMs === undefined ? undefined : { requeueAfterMs: Math.min(Math.max(1, nextMs - nowMs), maxDelayMs) };
  }
  const trouble = await checkDataset(options, leaderboard);
  if (trouble) {
    await writeStatus(options, leaderboard, (known, context) => noteTrouble(known, trouble, context));
    return { requeueAfterMs: lookAgainMs };
  }
  const scheduledFor = scheduledForMs === undefined ? {} : { scheduledFor: formatTime(scheduledForMs) };
  const begun = await writeStatus(options, leaderboard, (known, context) =>
    beginRun(known, { measured, ...scheduledFor }, context),
  );
  options.logger.info("leaderboard run begins", { leaderboard: metadata.name, run: begun.status?.run?.number });
  // The status that was just written brings it back.
  return undefined;
}

async function checkDataset(options: LeaderboardOptions, leaderboard: LeaderboardObject): Promise<Trouble | undefined> {
  const labels = createLabelReader(options.configMaps, leaderboard);
  try {
    for (const index of leaderboard.spec.dataset.shards.keys()) await labels(index);
    return undefined;
  } catch (error) {
    const trouble = findTrouble(error);
    if (trouble) return trouble;
    if (error instanceof InferiumError && error.code === "LabelsUnavailable")
      return { reason: error.code, message: error.message };
    throw error;
  }
}
