/** All simulations by name, in the order in which `all` runs them. */
import { simulateAgents } from "./agents/simulate.ts";
import { simulateBatches } from "./batches/simulate.ts";
import { simulateCapability } from "./capability/simulate.ts";
import { simulateCollusion } from "./collusion/simulate.ts";
import { simulateExactlyOnce } from "./exactly-once/simulate.ts";
import { simulateFailover } from "./failover/simulate.ts";
import { runSeeds } from "./general/run-seeds.ts";
import { simulateHostileReceipts } from "./hostile/simulate.ts";
import { toScenario } from "./incidents/incident.ts";
import { incidents } from "./incidents/incidents.ts";
import { simulateLeaderboard } from "./leaderboard/simulate.ts";
import { simulateManyWorkers } from "./many-workers/simulate.ts";
import { simulateModelSource } from "./model-source/simulate.ts";
import { simulateModels } from "./models/simulate.ts";
import type { Scenario } from "./scenario.ts";
import { simulateTraining } from "./training/simulate.ts";
import { simulateUpgrade } from "./upgrade/simulate.ts";

export const scenarios: readonly Scenario[] = [
  {
    name: "general",
    what: "the whole pool under deaths, partitions, failing answers, reorganisations and liars: nothing lost, all paid once",
    numbers: { seeds: 20, tasks: 16, processes: 4 },
    run: runSeeds,
  },
  {
    name: "agents",
    what: "operator and gateway are killed in the middle of windows, which come again, and a caller overspends: all is counted and paid once",
    numbers: { kills: 6 },
    run: simulateAgents,
  },
  {
    name: "batches",
    what: "the operator is killed while shards run, workers forget them or are slow, duplicates lie: right results, each shard paid once",
    numbers: { batches: 4, kills: 3 },
    run: simulateBatches,
  },
  {
    name: "capability",
    what: "honest machines and frauds of every kind: each fraud fails at its rung, nobody is matched beyond its proof",
    numbers: { machines: 20, hours: 48 },
    run: simulateCapability,
  },
  {
    name: "collusion",
    what: "workers and validators work together, below the quorum and above it, and one copies votes: caught, and it gains them nothing",
    numbers: {},
    run: simulateCollusion,
  },
  {
    name: "exactly-once",
    what: "the settler is killed at every step, raced, reorganised and lied to: each task is paid once",
    numbers: { tasks: 1_000, batch: 20, kills: 90 },
    run: ({ numbers, ...options }) =>
      simulateExactlyOnce({ ...options, tasks: numbers.tasks!, batchSize: numbers.batch!, kills: numbers.kills! }),
  },
  {
    name: "failover",
    what: "the leading operator is stopped or killed: another serves within 2 s or 17 s, and never two at once",
    numbers: { stops: 20, kills: 20 },
    run: simulateFailover,
  },
  {
    name: "hostile-receipts",
    what: "a bonded worker sends every hostile receipt of a task it holds: each is refused with a reason, and the right one is taken",
    numbers: { rounds: 1 },
    run: simulateHostileReceipts,
  },
  {
    name: "leaderboard",
    what: "the operator is killed while models are compared: each run is counted, ranked and paid once",
    numbers: { runs: 4, kills: 4 },
    run: simulateLeaderboard,
  },
  {
    name: "many-workers",
    what: "a thousand workers on one operator, each asking more than may wait: memory bounded, refusals clear, nothing lost",
    numbers: { workers: 1_000, tasks: 1_000 },
    run: simulateManyWorkers,
  },
  {
    name: "model-source",
    what: "models from sources that are down, slow, huge, packed or lead inside: each ends with its reason, and nothing is left",
    numbers: { rounds: 2 },
    run: simulateModelSource,
  },
  {
    name: "models",
    what: "Models are looked at while the operator is killed, validators lie and vanish, sources fail: each is decided once, honestly",
    numbers: { models: 1, kills: 2, outages: 1 },
    run: simulateModels,
  },
  {
    name: "training",
    what: "a training whose launcher, pod, operator and store are taken away ends once, with the bits of an undisturbed one",
    numbers: { slices: 4, rounds: 1 },
    run: simulateTraining,
  },
  {
    name: "upgrade",
    what: "the operator is replaced by a new version twice and rolled back once: no task is lost, run twice or settled twice",
    numbers: { tasks: 500, taskMs: 1_000, kills: 1 },
    run: ({ numbers, ...options }) =>
      simulateUpgrade({ ...options, tasks: numbers.tasks!, taskMs: numbers.taskMs!, kills: numbers.kills! }),
  },
  ...incidents.map(toScenario),
];
