/** Leaderboards for a terminal: all of a namespace in a table, or one with its ranking. Pure. */
import type { Leaderboard } from "../api/v1alpha1/types.ts";
import { formatTable } from "./table.ts";

export function formatLeaderboards(leaderboards: readonly Leaderboard[]): string[] {
  if (leaderboards.length === 0) return ["There are no leaderboards."];
  const rows = leaderboards.map(({ metadata, spec, status }) => [
    metadata.name,
    spec.task,
    status?.phase ?? "Pending",
    status?.leader ?? "-",
    String(status?.runs ?? 0),
    status?.lastRun?.finishedAt ?? "-",
    status?.nextRun ?? "-",
  ]);
  return formatTable(["NAME", "TASK", "PHASE", "LEADER", "RUNS", "LAST RUN", "NEXT RUN"], rows);
}

export function formatLeaderboard(leaderboard: Leaderboard): string[] {
  const { metadata, spec, status } = leaderboard;
  const rows = spec.dataset.shards.reduce((sum, shard) => sum + shard.rows, 0);
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return [
    `${metadata.namespace}/${metadata.name}: ${spec.task} of ${rows} rows in ${spec.dataset.shards.length} shards, ${status?.phase ?? "Pending"}`,
    ready ? `${ready.reason}: ${ready.message}` : "No operator has looked at it yet.",
    ...describeRuns(leaderboard),
    ...describeRanking(leaderboard),
    ...(status?.unranked ?? []).map(({ model, reason, message }) => `Not ranked: ${model} (${reason}). ${message}`),
  ];
}

function describeRuns({ spec, status }: Leaderboard): string[] {
  const { run, lastRun, nextRun } = status ?? {};
  return [
    ...(run
      ? [`Run ${run.number} since ${run.startedAt}: ${run.settled ?? 0} of ${run.tasks ?? 0} tasks settled`]
      : []),
    ...(lastRun
      ? [`Run ${lastRun.number} ended ${lastRun.finishedAt}: ${lastRun.outcome}, ${lastRun.tasks} tasks`]
      : []),
    ...(nextRun ? [`Next run ${nextRun} (${spec.schedule}, UTC)`] : []),
  ];
}

function describeRanking({ status }: Leaderboard): string[] {
  const ranking = status?.ranking ?? [];
  const metrics = ranking[0]?.metrics.map(({ name }) => name) ?? [];
  if (ranking.length === 0) return ["No model is ranked yet."];
  const rows = ranking.map((entry) => [
    `${entry.tied ? "=" : ""}${entry.rank}`,
    entry.model,
    ...entry.metrics.map(({ value, low, high }) => `${value} (${low} to ${high})`),
    String(entry.rows),
    String(entry.run),
  ]);
  const table = formatTable(["RANK", "MODEL", ...metrics.map((name) => name.toUpperCase()), "ROWS", "RUN"], rows);
  const isTied = ranking.some(({ tied }) => tied);
  return [
    "",
    ...table,
    ...(isTied ? ["", "= the data cannot tell these apart: their intervals of 95 % confidence overlap."] : []),
  ];
}
