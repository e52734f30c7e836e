/**
 * A run in progress: leads every model on, and ends the run once each has a score, has failed, or the run's time is over. What it knows
 * is in the tasks and the status; whoever takes over finds the same. Effects: creates tasks, writes the status.
 */
import { describeError, InferiumError } from "../../base/errors.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import {
  finishRun,
  noteProgress,
  noteTrouble,
  type Run,
  type ScoredModel,
  type Unranked,
} from "../../protocol/leaderboard/leaderboard-status.ts";
import type { LeaderboardModel } from "../../protocol/leaderboard/run-tasks.ts";
import type { LeaderboardObject } from "../kinds.ts";
import { mapConcurrently } from "../map-concurrently.ts";
import { advanceModel, type ModelProgress } from "./advance-model.ts";
import { createLabelReader } from "./read-labels.ts";
import { runOf } from "./retire-runs.ts";
import type { LeaderboardOptions } from "./run-context.ts";
import { isSettled } from "./run-task.ts";
import { writeStatus } from "./write-status.ts";

/** Tasks bring a run on; this is for what brings none. */
const lookAgainMs = 15_000;
const progressEveryMs = 2_000;
const modelsAtOnce = 4;

type Look = ModelProgress | { readonly state: "Broken"; readonly error: unknown };

/** @param run of the leaderboard's status */
export async function advanceRun(
  options: LeaderboardOptions,
  leaderboard: LeaderboardObject,
  run: Run,
): Promise<ReconcileResult | undefined> {
  const { spec } = leaderboard;
  const labels = createLabelReader(options.configMaps, leaderboard);
  const ref = { leaderboard, number: run.number };
  const looks = await mapConcurrently(spec.models, modelsAtOnce, (model) =>
    advanceModel({ options, run: ref, labels, model }).catch((error: unknown): Look => ({ state: "Broken", error })),
  );
  const leftMs = Date.parse(run.startedAt) + spec.deadlineSeconds * 1_000 - options.clock.now();
  const isOpen = looks.some(({ state }) => state === "Working" || state === "Broken");
  if (!isOpen || leftMs <= 0) return finish(options, leaderboard, { run, looks });
  const broken = looks.find((look) => look.state === "Broken");
  if (broken) {
    await tellTrouble(options, leaderboard, broken.error);
    throw broken.error;
  }
  const waitMs = await tellProgress(options, leaderboard, run);
  return { requeueAfterMs: Math.min(leftMs, waitMs) };
}

/** @returns when to look again */
async function tellProgress(options: LeaderboardOptions, leaderboard: LeaderboardObject, run: Run): Promise<number> {
  const entries = options.index.tasksOf(leaderboard).filter((entry) => runOf(entry) === run.number);
  const progress = { tasks: entries.length, settled: entries.filter(isSettled).length };
  if (progress.tasks === run.tasks && progress.settled === run.settled) return lookAgainMs;
  const sinceMs =
    options.clock.monotonic() - (options.toldAtMs.get(leaderboard.metadata.uid ?? "") ?? Number.NEGATIVE_INFINITY);
  if (sinceMs < progressEveryMs) return progressEveryMs - sinceMs;
  await writeStatus(options, leaderboard, (known, context) => noteProgress(known, progress, context));
  options.toldAtMs.set(leaderboard.metadata.uid ?? "", options.clock.monotonic());
  return lookAgainMs;
}

async function tellTrouble(options: LeaderboardOptions, leaderboard: LeaderboardObject, error: unknown): Promise<void> {
  const reason = error instanceof InferiumError ? error.code : "Error";
  const trouble = {
    reason,
    message: `The run cannot go on, and is tried again: ${describeError(error)}`.slice(0, 2_048),
  };
  await writeStatus(options, leaderboard, (known, context) => noteTrouble(known, trouble, context));
}

async function finish(
  options: LeaderboardOptions,
  leaderboard: LeaderboardObject,
  { run, looks }: { readonly run: Run; readonly looks: readonly Look[] },
): Promise<undefined> {
  const { spec, metadata } = leaderboard;
  const scored: ScoredModel[] = [];
  const unranked: Unranked[] = [];
  for (const [index, look] of looks.entries()) {
    if (look.state === "Scored") scored.push(look.scored);
    else if (look.state === "Failed") unranked.push(look.unranked);
    else unranked.push(missedDeadline(spec.models[index] as LeaderboardModel, look, spec.deadlineSeconds));
  }
  const tasks = options.index.tasksOf(leaderboard).filter((entry) => runOf(entry) === run.number).length;
  const result = { spec, scored, unranked, tasks };
  const written = await writeStatus(options, leaderboard, (known, context) => finishRun(known, result, context));
  const outcome = written.status?.lastRun?.outcome ?? "Failed";
  options.metrics.leaderboardRuns.inc({ outcome });
  options.metrics.leaderboardRunSeconds.observe((options.clock.now() - Date.parse(run.startedAt)) / 1_000);
  options.logger.info("leaderboard run ended", { leaderboard: metadata.name, run: run.number, outcome });
  return undefined;
}

function missedDeadline({ name }: LeaderboardModel, look: Look, deadlineSeconds: number): Unranked {
  const why = look.state === "Broken" ? ` ${describeError(look.error)}` : "";
  const message = `It had no result within the run's ${deadlineSeconds} s.${why}`.slice(0, 2_048);
  return { model: name, reason: "DeadlineExceeded", message };
}
