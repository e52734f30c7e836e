/** The client verbs of the command line: submit, top, explain, drain. Declares options; the work is in a file per verb. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Clock } from "../base/clock.ts";
import { addChainCommands } from "./chain/commands.ts";
import type { CliContext, CliIo, ClusterOptions, Environment } from "./context.ts";
import { addModelCommands } from "./model/commands.ts";
import { addZkCommands } from "./zk/commands.ts";

export interface CommandContext {
  readonly env: Environment;
  readonly io: CliIo;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called with the exit status of a verb that ran. */
  setExitStatus(status: number): void;
}

export function addClientCommands(program: Command, context: CommandContext): void {
  addTaskCommands(program, context);
  addCheckPool(program, context);
  addChainCommands(program, context);
  addZkCommands(program, context);
  addModelCommands(program, context);
  addReplay(program, context);
  addBackup(program, context);
}

/** What users and administrators of tasks need; these are the plugin's verbs as well. */
export function addTaskCommands(program: Command, context: CommandContext): void {
  addSubmit(program, context);
  addDrain(program, context);
  addCommon(program.command("top").description("show tasks by phase, and the members of the pool")).action((options) =>
    run(context, options, async (cli) => (await import("./top.ts")).runTop(options, cli)),
  );
  addCommon(program.command("explain <task>").description("say why a task waits, or how it ended")).action(
    (name: string, options) =>
      run(context, options, async (cli) => (await import("./explain.ts")).runExplain(name, options, cli)),
  );
  addCommon(
    program
      .command("leaderboard [name]")
      .description("show the leaderboards of a namespace, or how one ranks its models"),
  ).action((name: string | undefined, options) =>
    run(context, options, async (cli) => (await import("./leaderboard.ts")).runLeaderboard(name, options, cli)),
  );
}

function addDrain(program: Command, context: CommandContext): void {
  addCluster(program.command("drain <workernode...>").description("give members no further work, and wait for theirs"))
    .option("--timeout <seconds>", "how long to wait", parseWhole, 600)
    .action((names: string[], options) =>
      run(context, options, async (cli) => (await import("./drain.ts")).runDrain(names, options, cli)),
    );
  addCluster(program.command("uncordon <workernode...>").description("give them work again")).action(
    (names: string[], options) =>
      run(context, options, async (cli) => (await import("./drain.ts")).runUncordon(names, cli)),
  );
}

function addCheckPool(program: Command, { env, io }: CommandContext): void {
  program
    .command("check-pool")
    .description("ask the pool API at INFERIUM_POOL_URL whether it answers; what helm test runs")
    .action(async () => io.out(await (await import("./check-pool.ts")).checkPool(env)));
}

function addBackup(program: Command, context: CommandContext): void {
  const addSystem = (command: Command) =>
    addCluster(command).option("--system-namespace <name>", "namespace of the operator's records", "inferium-system");
  addSystem(program.command("backup").description("write the operator's records, tasks and members into a file"))
    .requiredOption("--out <file>", "the file")
    .action((options) =>
      run(context, options, async (cli) => (await import("./backup/backup.ts")).runBackup(options, cli)),
    );
  addSystem(program.command("restore <file>").description("bring a backup back, before an operator starts"))
    .option("--resubmit", "create the tasks that were in flight anew", false)
    .action((path: string, options) =>
      run(context, options, async (cli) => (await import("./backup/restore.ts")).runRestore(path, options, cli)),
    );
}

function addReplay(program: Command, { io, setExitStatus }: CommandContext): void {
  program
    .command("replay <trace>")
    .description("play a trace of an operator's pool again (INFERIUM_TRACE_FILE), and print its decisions")
    .option("--explain <task>", "tell why this task, given as namespace/name, waited")
    .addOption(new Option("-o, --output <form>", "form of the result").choices(["text", "json"]).default("text"))
    .action(async (path: string, options) =>
      setExitStatus(await (await import("./replay.ts")).runReplay(path, options, io)),
    );
}

async function run(context: CommandContext, options: ClusterOptions, verb: (cli: CliContext) => Promise<number>) {
  const { env, io, clock, signal } = context;
  // Loaded when a verb runs: every role declares these verbs, and few processes run one.
  const { withCluster } = await import("./context.ts");
  const status = await withCluster(options, env, (cluster) => verb({ io, cluster, clock, signal }));
  context.setExitStatus(status);
}

function addCluster(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig; left out: KUBECONFIG, then ~/.kube/config")
    .option("--context <name>", "context of the kubeconfig; left out: the current one");
}

function addCommon(command: Command): Command {
  return addCluster(command)
    .option("-n, --namespace <name>", "namespace; left out: the context's (top: all)")
    .addOption(new Option("-o, --output <form>", "form of the result").choices(["text", "json"]).default("text"));
}

function addSubmit(program: Command, context: CommandContext): void {
  addCommon(program.command("submit").description("create a task, and follow it if asked"))
    .option("-f, --filename <file>", "manifests of tasks, - for standard input; in place of --model and --input")
    .option("--model <uri>", "model: http, https or file URI, or a local file")
    .option("--model-digest <digest>", "its sha256; needed for a URI")
    .option("--input <input>", "input: tensors as JSON, a local .json or .safetensors file, or a URI")
    .option("--input-digest <digest>", "its sha256; needed for a URI")
    .option("--name <name>", "name of the task; left out: one is made")
    .option("--type <type>", "Inference, Benchmark, Training, Agent or Leaderboard")
    .option("--tier <tier>", "least tier of the worker: High, Mid or Low; left out: the type's")
    .option("--policy <policy>", "how results are checked: Exact, Tolerance, ZeroKnowledge or None")
    .option("--validators <n>", "size of the panel", parseWhole)
    .option("--quorum <n>", "votes that decide; left out: a majority", parseWhole)
    .option("--absolute <x>", "absolute bound of a value under Tolerance", parseDecimal)
    .option("--relative <x>", "relative bound of a value under Tolerance", parseDecimal)
    .option("--reward <ifr>", "what the task pays, in IFR")
    .option("--requester <address>", "the address whose deposit pays")
    .option("--order <secret>", "Secret that holds the requester's signed order")
    .option("--priority <n>", "higher goes first within a queue", parseWhole)
    .option("--queue <name>", "tenant queue")
    .option("--timeout <seconds>", "time that one attempt may take", parseWhole)
    .option("--deadline <seconds>", "time until the task must be validated", parseWhole)
    .option("--retries <n>", "further attempts after a failed one", parseWhole)
    .option("--items <n>", "inferences of a batch: rows along axis 0 of the inputs", parseWhole)
    .option("--parallelism <n>", "shards that the items are cut into", parseWhole)
    .option("--wait", "follow the task until it is over", false)
    .option("--wait-timeout <seconds>", "how long to follow it", parseWhole, 600)
    .action((options) => run(context, options, async (cli) => (await import("./submit.ts")).runSubmit(options, cli)));
}

function parseWhole(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}

function parseDecimal(text: string): number {
  if (/^\d{1,9}(\.\d{1,18})?(e-?\d{1,3})?$/i.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a number such as 0.001 or 1e-6.");
}
