/** A leaderboard's status before, during and after a run. Every change of it is made here. Pure. */
import { type Condition, setCondition } from "../../api/v1alpha1/conditions.ts";
import type { LeaderboardSpec, LeaderboardStatus } from "../../api/v1alpha1/generated/leaderboards.ts";
import { formatMetric, type MetricValue } from "../metrics/metric-value.ts";
import type { ChangeContext } from "../status-change.ts";
import { rankModels } from "./rank-models.ts";
import type { Score } from "./score-model.ts";

export type Run = NonNullable<LeaderboardStatus["run"]>;
export type FinishedRun = NonNullable<LeaderboardStatus["lastRun"]>;
export type Unranked = NonNullable<LeaderboardStatus["unranked"]>[number];
type RankedModel = NonNullable<LeaderboardStatus["ranking"]>[number];

export const newLeaderboardStatus: LeaderboardStatus = { observedGeneration: -1, phase: "Pending" };

export interface ScoredModel {
  readonly model: LeaderboardSpec["models"][number];
  readonly score: Score;
  /** Names of its Leaderboard tasks. */
  readonly statistics: readonly string[];
  readonly tasks: number;
}

type Finding = readonly [status: Condition["status"], reason: string, message: string];

/** A context's `now` is when the run begins. */
export function beginRun(
  status: LeaderboardStatus,
  run: Pick<Run, "measured" | "scheduledFor">,
  context: ChangeContext,
): LeaderboardStatus {
  // The number of a run that was begun is in `run` or `lastRun`: none is given twice.
  const number = (status.lastRun?.number ?? 0) + 1;
  const message = `Run ${number} is in progress.`;
  return withConditions(
    { ...status, phase: "Running", run: { number, ...run, startedAt: context.now } },
    { Ready: [readyOf(status), "Running", message], Reconciling: ["True", "Running", message], Stalled: going },
    context,
  );
}

/** What was known stays known while a further run is in progress. */
function readyOf({ conditions }: LeaderboardStatus): Condition["status"] {
  return conditions?.find(({ type }) => type === "Ready")?.status === "True" ? "True" : "False";
}

export function noteProgress(
  status: LeaderboardStatus,
  { tasks, settled }: { readonly tasks: number; readonly settled: number },
  context: ChangeContext,
): LeaderboardStatus {
  if (!status.run) return status;
  const message = `Run ${status.run.number} is in progress: ${settled} of ${tasks} tasks are settled.`;
  return withConditions(
    { ...status, run: { ...status.run, tasks, settled } },
    { Ready: [readyOf(status), "Running", message], Reconciling: ["True", "Running", message], Stalled: going },
    context,
  );
}

/** Something keeps the run, or the next one, from going on, and is tried again. */
export function noteTrouble(
  status: LeaderboardStatus,
  { reason, message }: Pick<Unranked, "reason" | "message">,
  context: ChangeContext,
): LeaderboardStatus {
  return withConditions(status, { Ready: ["False", reason, message] }, context);
}

/** Nothing happens until somebody mends the spec. */
export function stall(
  status: LeaderboardStatus,
  { reason, message }: Pick<Unranked, "reason" | "message">,
  context: ChangeContext,
): LeaderboardStatus {
  const { nextRun: _, ...rest } = status;
  const findings = {
    Ready: ["False", reason, message],
    Reconciling: resting,
    Stalled: ["True", reason, message],
  } as const;
  return withConditions({ ...rest, phase: "Failed" }, findings, context);
}

/** No run is in progress and none is due. */
export function rest(
  status: LeaderboardStatus,
  { suspended, nextRun }: { readonly suspended: boolean; readonly nextRun: string | undefined },
  context: ChangeContext,
): LeaderboardStatus {
  const { nextRun: _, ...known } = status;
  const { lastRun } = status;
  const phase = suspended ? "Suspended" : lastRun === undefined ? "Pending" : phaseOf(lastRun.outcome);
  const said = suspended ? "It is suspended." : "No run is due yet.";
  const ready: Finding = lastRun
    ? describeRun(lastRun, status.unranked ?? [])
    : ["False", suspended ? "Suspended" : "Waiting", said];
  return withConditions(
    { ...known, phase, ...(nextRun === undefined ? {} : { nextRun }) },
    { Ready: ready, Reconciling: resting, Stalled: going },
    context,
  );
}

export interface RunResult {
  readonly spec: LeaderboardSpec;
  readonly scored: readonly ScoredModel[];
  readonly unranked: readonly Unranked[];
  readonly tasks: number;
}

/** A run without any result leaves the ranking as it was. */
export function finishRun(status: LeaderboardStatus, result: RunResult, context: ChangeContext): LeaderboardStatus {
  const { run, ...rest } = status;
  if (!run) return status;
  const { spec, scored, unranked } = result;
  const ranking = buildRanking(run.number, scored, context.now);
  const outcome = unranked.length === 0 ? "Succeeded" : scored.length > 0 ? "Incomplete" : "Failed";
  const finished: FinishedRun = {
    ...pickRun(run),
    ...{ finishedAt: context.now, outcome, models: scored.length, tasks: result.tasks },
    ...(ranking.length > 0 ? { leader: describeLeader(ranking) } : {}),
  };
  return withConditions(
    {
      ...rest,
      ...closeRun(status, finished, spec.historyLimit),
      phase: phaseOf(outcome),
      ...(ranking.length > 0 ? { ranking, leader: describeLeader(ranking) } : {}),
      unranked: [...unranked],
    },
    { Ready: describeRun(finished, unranked), Reconciling: resting, Stalled: going },
    context,
  );
}

/** What it measures has changed under it. */
export function abandonRun(
  status: LeaderboardStatus,
  { historyLimit }: LeaderboardSpec,
  context: ChangeContext,
): LeaderboardStatus {
  const { run, ...rest } = status;
  if (!run) return status;
  const { tasks = 0 } = run;
  const finished: FinishedRun = { ...pickRun(run), finishedAt: context.now, outcome: "Abandoned", models: 0, tasks };
  const message = `Run ${run.number} was abandoned, since what it measures was changed.`;
  return withConditions(
    { ...rest, ...closeRun(status, finished, historyLimit), phase: "Pending" },
    { Ready: ["False", "Abandoned", message], Reconciling: resting, Stalled: going },
    context,
  );
}

function closeRun({ runs, history }: LeaderboardStatus, lastRun: FinishedRun, limit: number) {
  return { lastRun, runs: (runs ?? 0) + 1, history: [lastRun, ...(history ?? [])].slice(0, limit) };
}

function pickRun({ number, measured, scheduledFor, startedAt }: Run) {
  return { number, measured, startedAt, ...(scheduledFor === undefined ? {} : { scheduledFor }) };
}

function buildRanking(run: number, scored: readonly ScoredModel[], evaluatedAt: string): RankedModel[] {
  return rankModels(scored, ({ score }) => score.metrics[0] as MetricValue).map(({ item, rank, tied }) => ({
    ...{ rank, tied, model: item.model.name, digest: item.model.digest },
    metrics: item.score.metrics.map(({ name, value, low, high }) => ({
      ...{ name, value: formatMetric(value), low: formatMetric(low), high: formatMetric(high) },
    })),
    ...{ rows: item.score.rows, tasks: item.tasks, statistics: [...item.statistics], run, evaluatedAt },
  }));
}

function describeLeader(ranking: readonly RankedModel[]): string {
  const leaders = ranking.filter(({ rank }) => rank === 1);
  return `${leaders.map(({ model }) => model).join(", ")} ${leaders[0]?.metrics[0]?.value ?? ""}`.trim();
}

function phaseOf(outcome: FinishedRun["outcome"]): LeaderboardStatus["phase"] {
  if (outcome === "Abandoned") return "Pending";
  return outcome === "Failed" ? "Failed" : "Ranked";
}

function describeRun({ number, outcome, models }: FinishedRun, unranked: readonly Unranked[]): Finding {
  if (outcome === "Succeeded") return ["True", "Ranked", `Run ${number} ranked all ${models} models.`];
  if (outcome === "Abandoned")
    return ["False", "Abandoned", `Run ${number} was abandoned, since what it measures was changed.`];
  const reasons = unranked.map(({ model, message }) => `${model}: ${message}`).join(" ");
  const ranked = outcome === "Failed" ? "no model" : `${models} models, and could not rank ${unranked.length}`;
  return ["False", outcome, `Run ${number} ranked ${ranked}. ${reasons}`.slice(0, 4_096)];
}

const going: Finding = ["False", "Going", "Nothing is in the way."];
const resting: Finding = ["False", "Resting", "No run is in progress."];

function withConditions(
  status: LeaderboardStatus,
  findings: Readonly<Record<string, Finding>>,
  { generation, now }: ChangeContext,
): LeaderboardStatus {
  let conditions: readonly Condition[] = status.conditions ?? [];
  for (const [type, [holds, reason, message]] of Object.entries(findings))
    conditions = setCondition(
      conditions,
      { type, status: holds, reason, message, observedGeneration: generation },
      now,
    );
  return { ...status, observedGeneration: generation, conditions: [...conditions] };
}
