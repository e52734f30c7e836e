import { describe, expect, test } from "vitest";
import type { Leaderboard } from "../../../src/api/v1alpha1/types.ts";
import { formatLeaderboard, formatLeaderboards } from "../../../src/cli/leaderboard-view.ts";

const run = { number: 3, measured: "sha256:m", startedAt: "2026-11-27T03:00:01Z" };
const entry = (rank: number, tied: boolean, model: string, value: string) => ({
  ...{ rank, tied, model, digest: "sha256:d", rows: 300, tasks: 4, run: 3, evaluatedAt: "2026-11-27T03:02:00Z" },
  metrics: [{ name: "Accuracy", value, low: "0.1", high: "0.99" }],
});

function aLeaderboard(status?: Leaderboard["status"]): Leaderboard {
  return {
    apiVersion: "inferium.io/v1alpha1",
    kind: "Leaderboard",
    metadata: { name: "digits", namespace: "team" },
    spec: {
      task: "Classification",
      schedule: "0 3 * * *",
      dataset: { classes: 10, shards: [{ rows: 100 }, { rows: 200 }] },
    } as unknown as Leaderboard["spec"],
    ...(status ? { status } : {}),
  };
}

const ranked = aLeaderboard({
  ...{ observedGeneration: 1, phase: "Ranked", leader: "a, b 0.9", runs: 3, nextRun: "2026-11-28T03:00:00Z" },
  lastRun: { ...run, finishedAt: "2026-11-27T03:02:00Z", outcome: "Incomplete", models: 2, tasks: 12 },
  ranking: [entry(1, true, "a", "0.9"), entry(1, true, "b", "0.89")],
  unranked: [{ model: "c", reason: "TaskFailed", message: "Task digits-r3-c-s0 failed: no such file." }],
  conditions: [
    {
      ...{ type: "Ready", status: "False", reason: "Incomplete", message: "Run 3 ranked 2 models." },
      lastTransitionTime: "2026-11-27T03:02:00Z",
    },
  ],
});

describe("leaderboards for a terminal", () => {
  test("one is shown with its runs, its ranks and who has none, and ties are told", () => {
    expect(formatLeaderboard(ranked)).toEqual([
      "team/digits: Classification of 300 rows in 2 shards, Ranked",
      "Incomplete: Run 3 ranked 2 models.",
      "Run 3 ended 2026-11-27T03:02:00Z: Incomplete, 12 tasks",
      "Next run 2026-11-28T03:00:00Z (0 3 * * *, UTC)",
      "",
      "RANK   MODEL   ACCURACY             ROWS   RUN",
      "=1     a       0.9 (0.1 to 0.99)    300    3",
      "=1     b       0.89 (0.1 to 0.99)   300    3",
      "",
      "= the data cannot tell these apart: their intervals of 95 % confidence overlap.",
      "Not ranked: c (TaskFailed). Task digits-r3-c-s0 failed: no such file.",
    ]);
  });

  test("one that nobody has looked at says so, and one that runs how far it is", () => {
    expect(formatLeaderboard(aLeaderboard()).slice(1)).toEqual([
      "No operator has looked at it yet.",
      "No model is ranked yet.",
    ]);
    const running = aLeaderboard({ observedGeneration: 1, phase: "Running", run: { ...run, tasks: 12, settled: 5 } });
    expect(formatLeaderboard(running)).toContain("Run 3 since 2026-11-27T03:00:01Z: 5 of 12 tasks settled");
  });

  test("several are shown in a table", () => {
    expect(formatLeaderboards([])).toEqual(["There are no leaderboards."]);
    expect(formatLeaderboards([aLeaderboard(), ranked])).toEqual([
      "NAME     TASK             PHASE     LEADER     RUNS   LAST RUN               NEXT RUN",
      "digits   Classification   Pending   -          0      -                      -",
      "digits   Classification   Ranked    a, b 0.9   3      2026-11-27T03:02:00Z   2026-11-28T03:00:00Z",
    ]);
  });
});
