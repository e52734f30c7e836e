/** Labels, annotations and names that the parts of the system agree on. */
export const labels = {
  /** On nodes: the tier of its proven hardware. */
  tier: "inferium.io/tier",
  /** On nodes: "true" where hardware readings are recordings. */
  simulated: "inferium.io/simulated",
  /** On nodes: run by the process kubelet. */
  processKubelet: "inferium.io/process-kubelet",
  /** On the operator's pod while it serves the pool API. */
  leader: "inferium.io/leader",
  /** On what an Agent has: its Deployment, its Service, the tasks of its windows of calls. */
  agent: "inferium.io/agent",
  /** In a task's nodeSelector: the name of the WorkerNode itself, whether it is on a node or not. */
  worker: "inferium.io/worker",
  /** On objects the operator keeps for itself. */
  component: "inferium.io/component",
  /** On Validations: the name of the pool that created it. */
  pool: "inferium.io/pool",
  /** On namespaces: "required" where tasks may use approved models only. */
  approvedModels: "inferium.io/approved-models",
  /** On tasks of a leaderboard's run: its name, the number of the run, the model. */
  leaderboard: "inferium.io/leaderboard",
  leaderboardRun: "inferium.io/leaderboard-run",
  leaderboardModel: "inferium.io/leaderboard-model",
  /** On the shards of a batch: its name, the place of the shard from 0, "true" for a second copy of a slow one. */
  batch: "inferium.io/batch",
  shard: "inferium.io/shard",
  duplicate: "inferium.io/duplicate",
} as const;

/** Field managers of server-side apply: each owns its own part of a WorkerNode's status. */
export const fieldManagers = { operator: "inferium-operator", agent: "inferium-agent" } as const;
