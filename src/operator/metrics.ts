/** The operator's own metrics. Those of the controller runtime and of the pool API are made next to them. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export type OperatorMetrics = ReturnType<typeof createOperatorMetrics>;

export function createOperatorMetrics(registry: Registry) {
  const registers = [registry];
  return {
    tasks: new Gauge({ name: "inferium_tasks", help: "Tasks by phase.", labelNames: ["phase"], registers }),
    statusWrites: new Counter({
      name: "inferium_task_status_writes_total",
      help: "Writes of task statuses, by what was written.",
      labelNames: ["stage"],
      registers,
    }),
    stageSeconds: new Histogram({
      name: "inferium_task_stage_seconds",
      help: "Time that tasks spent in a stage, by the stage that ended.",
      labelNames: ["stage"],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200],
      registers,
    }),
    poolWaiting: new Gauge({ name: "inferium_queue_waiting_tasks", help: "Tasks that wait for a worker.", registers }),
    batches: new Counter({ name: "inferium_batches_total", help: "Batches settled on the chain.", registers }),
    batchGas: new Histogram({
      name: "inferium_batch_gas",
      help: "Gas of a settled batch.",
      buckets: [50_000, 75_000, 100_000, 150_000, 200_000, 300_000, 500_000],
      registers,
    }),
    backlog: new Gauge({
      name: "inferium_settlement_backlog_tasks",
      help: "Tasks with a receipt that are not settled yet.",
      registers,
    }),
    verdicts: new Counter({
      name: "inferium_verdicts_total",
      help: "Verdicts on attempts, by result.",
      labelNames: ["result"],
      registers,
    }),
    proofs: new Counter({
      name: "inferium_proofs_total",
      help: "Validations that asked for a proof, by result: Proven, ProofTimedOut, ProofNotEndorsed, Declined.",
      labelNames: ["result"],
      registers,
    }),
    modelChecks: new Counter({
      name: "inferium_model_checks_total",
      help: "Checks of Models by validators, by what came of them: QuorumApproved, a reason against the model, or why there was no quorum.",
      labelNames: ["result"],
      registers,
    }),
    shardDuplicates: new Counter({
      name: "inferium_shard_duplicates_total",
      help: "Slow shards of batches that a second worker was to have too, by outcome: Made, and at the batch's end Used or Unused.",
      labelNames: ["outcome"],
      registers,
    }),
    slashes: new Counter({
      name: "inferium_slashes_total",
      help: "Workers and validators slashed on the chain.",
      registers,
    }),
    refusals: new Counter({
      name: "inferium_batch_refusals_total",
      help: "Times that a validator refused to sign a batch.",
      registers,
    }),
    leaderboards: new Gauge({ name: "inferium_leaderboards", help: "Leaderboards that there are.", registers }),
    leaderboardRuns: new Counter({
      name: "inferium_leaderboard_runs_total",
      help: "Runs of leaderboards that ended, by outcome: Succeeded, Incomplete, Failed, Abandoned.",
      labelNames: ["outcome"],
      registers,
    }),
    leaderboardRunSeconds: new Histogram({
      name: "inferium_leaderboard_run_seconds",
      help: "Time from the beginning of a leaderboard's run to its ranking.",
      buckets: [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400],
      registers,
    }),
    agentWindows: new Counter({
      name: "inferium_agent_windows_total",
      help: "Windows of agents' calls, by what became of them: Committed, Opened, Settled, Lost.",
      labelNames: ["state"],
      registers,
    }),
    agentCalls: new Counter({
      name: "inferium_agent_calls_total",
      help: "Calls in windows that gateways committed to.",
      registers,
    }),
    agentReplicas: new Gauge({
      name: "inferium_agent_replicas",
      help: "Replicas of an agent that take calls.",
      labelNames: ["namespace", "agent"],
      registers,
    }),
    certificateNotAfter: new Gauge({
      name: "inferium_certificate_not_after_seconds",
      help: "When the certificate of the pool API expires, in seconds since the epoch.",
      registers,
    }),
    chainUp: new Gauge({ name: "inferium_chain_up", help: "1 while the chain's endpoint answers, else 0.", registers }),
  };
}
