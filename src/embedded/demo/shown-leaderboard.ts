/** What a run shows of leaderboards: models side by side on real data. Pure. */
import type { Leaderboard } from "../../api/v1alpha1/types.ts";
import { renderTable } from "./render-progress.ts";

export interface ShownLeaderboard {
  readonly name: string;
  readonly task: "Classification" | "Regression";
  /** Of the dataset. */
  readonly rows: number;
  /** Tasks of the run, all of them validated and settled. */
  readonly tasks: number;
  /** Runs that were counted. */
  readonly runs: number;
  readonly outcome: string;
  readonly ranking: readonly {
    readonly rank: number;
    readonly tied: boolean;
    readonly model: string;
    readonly metrics: readonly {
      readonly name: string;
      readonly value: string;
      readonly low: string;
      readonly high: string;
    }[];
  }[];
  /** From its creation to its ranking. */
  readonly seconds: number;
}

export function toShown({ metadata, spec, status }: Leaderboard, seconds: number): ShownLeaderboard {
  return {
    ...{ name: metadata.name, task: spec.task },
    rows: spec.dataset.shards.reduce((sum, { rows }) => sum + rows, 0),
    tasks: status?.lastRun?.tasks ?? 0,
    runs: status?.runs ?? 0,
    outcome: status?.lastRun?.outcome ?? status?.phase ?? "Pending",
    ranking: (status?.ranking ?? []).map(({ rank, tied, model, metrics }) => ({ rank, tied, model, metrics })),
    seconds,
  };
}

export function renderLeaderboard({ name, rows, tasks, ranking, outcome, seconds }: ShownLeaderboard): string[] {
  const metrics = ranking[0]?.metrics.map((metric) => metric.name) ?? [];
  const table = renderTable(
    ["RANK", "MODEL", ...metrics.map((metric) => `${metric.toUpperCase()} (95 % INTERVAL)`)],
    ranking.map((entry) => [
      `${entry.tied ? "=" : ""}${entry.rank}`,
      entry.model,
      ...entry.metrics.map(({ value, low, high }) => `${percent(value)} (${percent(low)} to ${percent(high)})`),
    ]),
  );
  return [
    `Leaderboard ${name}: ${ranking.length} models on ${rows.toLocaleString("en")} rows through ${tasks} tasks, each validated and settled; ${outcome} after ${seconds} s.`,
    ...table.map((line) => `  ${line}`),
  ];
}

function percent(share: string): string {
  return `${(Number(share) * 100).toFixed(2)} %`;
}
