#!/usr/bin/env node
/**
 * The `inferium` command: one image, one subcommand per role. Wiring only: reads arguments and the environment, imports the
 * role when it is asked for: a worker need not load what an operator needs.
 */
import { enableCompileCache } from "node:module";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Registry } from "prom-client";
import { systemClock } from "./base/clock.ts";
import { findCompileCache } from "./base/compile-cache.ts";
import type { ListenAddress } from "./base/listen-address.ts";
import { createLogger, type LogLevel } from "./base/log.ts";
import { version } from "./base/version.ts";
import { addClientCommands } from "./cli/commands.ts";
import { runProgram } from "./cli/run-program.ts";
import type { WorkerConfig } from "./worker/config.ts";
import type { WorkerDependencies } from "./worker/run-worker.ts";

const compileCache = findCompileCache();
if (compileCache !== undefined) enableCompileCache(compileCache);
const stopping = new AbortController();
const logger = createLogger({ level: readLogLevel() });
const role = () => ({ signal: stopping.signal, logger, clock: systemClock });

/** What a pod's image runs when it is run as a local process: this program. */
const entrypoint = [process.execPath, import.meta.filename];

/** All of this machine's environment that local pods may see. */
function readHostEnv(): Record<string, string> {
  const { PATH = "/usr/bin:/bin", HOME = "/", INFERIUM_LOG_LEVEL = "info" } = process.env;
  return { PATH, HOME, INFERIUM_LOG_LEVEL };
}

function readLogLevel(): LogLevel {
  const level = process.env.INFERIUM_LOG_LEVEL;
  return level === "debug" || level === "warn" || level === "error" ? level : "info";
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new InvalidArgumentError("Expected a port between 0 and 65535.");
}

const program = new Command("inferium")
  .description("Verifiable AI inference on Kubernetes")
  .version(version)
  .showHelpAfterError()
  .exitOverride();

program
  .command("up")
  .description("run the whole system on this machine with real tasks, until Ctrl-C")
  .option("--once", "stop by itself when all tasks are settled", false)
  .addOption(new Option("--output <form>", "form of the summary").choices(["text", "json"]).default("text"))
  .option("--dir <path>", "folder for the run's kubeconfig, logs and state", ".inferium")
  .option("--port <port>", "port of the embedded Kubernetes API, 0 for any free one", parsePort, 0)
  .option("--kubeconfig <file>", "use this cluster's API server instead of the embedded one")
  .option("--no-tasks", "start everything but submit no tasks")
  .option("--train", "also start a launcher of pods, and train the run's classifier anew with it", false)
  .action(async (options) => {
    const { runUp } = await import("./embedded/up/run-up.ts");
    process.exitCode = await runUp({ ...options, ...role(), entrypoint, hostEnv: readHostEnv() });
  });

program
  .command("operator")
  .description("run the operator (configured by INFERIUM_* variables, see docs/configuration.md)")
  .option("--kubeconfig <file>", "kubeconfig; left out: KUBECONFIG, then the pod's service account")
  .action(async (options) => {
    const [{ readOperatorConfig }, { runOperator }] = await Promise.all([
      import("./operator/config.ts"),
      import("./operator/operator.ts"),
    ]);
    await runOperator(await readOperatorConfig(process.env, options), role());
  });

program
  .command("agent")
  .description("read this node's GPUs, label the node and keep its WorkerNode")
  .action(async () => {
    const [{ readAgentConfig }, { runAgent }] = await Promise.all([
      import("./agent/config.ts"),
      import("./agent/agent.ts"),
    ]);
    await runAgent(await readAgentConfig(process.env), role());
  });

interface MemberHealth {
  readonly registry?: Registry;
  readonly onReady?: () => void;
  close(): Promise<void>;
}

/** Health and metrics of a worker or validator, where its configuration asks for them; ready once it joined the pool. */
async function openHealth(address: ListenAddress | undefined): Promise<MemberHealth> {
  if (address === undefined) return { close: async () => undefined };
  const [{ Registry }, { startHealthServer }] = await Promise.all([
    import("prom-client"),
    import("./kube/health-server.ts"),
  ]);
  const registry = new Registry();
  let joined = false;
  const ready = { pool: () => joined || "no session with the pool yet" };
  const server = await startHealthServer({ ...address, registry, ready, logger });
  const onReady = () => {
    joined = true;
  };
  return { registry, onReady, close: server.close };
}

async function startWorker(dishonest: boolean): Promise<void> {
  const [{ readWorkerConfig }, { runWorker }] = await Promise.all([
    import("./worker/config.ts"),
    import("./worker/run-worker.ts"),
  ]);
  const config = readWorkerConfig(process.env);
  const { close, ...health } = await openHealth(config.metricsAddress);
  try {
    await runWorker(config, { ...role(), ...health, ...(dishonest ? await createDishonesty(config) : {}) });
  } finally {
    await close();
  }
}

/** The demonstration's cheater differs from a worker in nothing but how it executes. */
async function createDishonesty(config: WorkerConfig): Promise<Pick<WorkerDependencies, "execute">> {
  const [{ createDishonestExecutor }, { createExecutor }] = await Promise.all([
    import("./embedded/demo/dishonest-execute.ts"),
    import("./inference/execute.ts"),
  ]);
  return { execute: createDishonestExecutor(createExecutor(config.executor)).execute };
}

program
  .command("worker")
  .description("pull tasks from the pool, run them and sign receipts")
  .action(() => startWorker(false));

program
  .command("train")
  .description("train what INFERIUM_TASK says; what a launcher's pods run")
  .action(async () => {
    const { runTrainer } = await import("./worker/pods/trainer.ts");
    const out = (line: string) => process.stdout.write(`${line}\n`);
    await runTrainer(process.env, { ...role(), out });
  });

program
  .command("dishonest-worker", { hidden: true })
  .description("a worker that cheats once, for demonstrations and tests")
  .action(() => startWorker(true));

async function startValidator(lazy: boolean): Promise<void> {
  const [{ readValidatorConfig }, { runValidator }] = await Promise.all([
    import("./validator/config.ts"),
    import("./validator/run-validator.ts"),
  ]);
  const config = readValidatorConfig(process.env);
  const { close, ...health } = await openHealth(config.metricsAddress);
  try {
    const laziness = lazy ? { judge: (await import("./embedded/demo/approve-unseen.ts")).approveUnseen } : {};
    await runValidator(config, { ...role(), ...health, ...laziness });
  } finally {
    await close();
  }
}

program
  .command("validator")
  .description("re-execute, vote, certify batches and hear disputes")
  .action(() => startValidator(false));

program
  .command("lazy-validator", { hidden: true })
  .description("a validator that approves without looking, for demonstrations and tests")
  .action(() => startValidator(true));

program
  .command("serve")
  .description("serve ONNX models over HTTP, in the Open Inference Protocol v2 (configured by INFERIUM_* variables)")
  .action(async () => {
    const [{ readServeConfig }, { serveModels }] = await Promise.all([
      import("./gateway/config.ts"),
      import("./gateway/serve-models.ts"),
    ]);
    await serveModels(readServeConfig(process.env), role());
  });

program
  .command("gateway")
  .description("take calls of agents over HTTP: metered, bounded, each with a receipt")
  .action(async () => {
    const [{ readGatewayConfig }, { runGateway }] = await Promise.all([
      import("./gateway/config.ts"),
      import("./gateway/run-gateway.ts"),
    ]);
    const config = readGatewayConfig(process.env);
    const { close, registry, onReady } = await openHealth(config.metricsAddress);
    try {
      await runGateway(config, { ...role(), ...(registry ? { registry } : {}), ...(onReady ? { onReady } : {}) });
    } finally {
      await close();
    }
  });

program
  .command("trial-chain")
  .description("make an anvil beside it the chain of a pool, for trials: contracts, stake and seats of members")
  .requiredOption("--rpc-url <url>", "of the anvil")
  .requiredOption("--keys <folder>", "settler/key, worker-NAME/key and validator-NAME/key")
  .requiredOption("--health <address>", "host:port of /healthz and /readyz")
  .option("--block-seconds <seconds>", "a block so often", Number, 1)
  .action(async ({ rpcUrl, keys: keysDir, health: healthAddress, blockSeconds }) => {
    const { runTrialChain } = await import("./embedded/chain/run-trial-chain.ts");
    await runTrialChain({ rpcUrl, keysDir, healthAddress, blockSeconds, ...role() });
  });

program
  .command("kubelet")
  .description("join a node to a cluster whose pods run as local processes")
  .requiredOption("--kubeconfig <file>", "of the cluster to join")
  .requiredOption("--node <name>", "name of the node")
  .option("--dir <path>", "folder for the pods' files and logs", ".inferium/kubelet")
  .action(async (options) => {
    const [{ runStandaloneKubelet }, { processImage }] = await Promise.all([
      import("./embedded/kubelet/standalone.ts"),
      import("./embedded/up/pods.ts"),
    ]);
    await runStandaloneKubelet({
      ...role(),
      kubeconfigPath: options.kubeconfig,
      nodeName: options.node,
      rootDir: options.dir,
      images: { [processImage]: { entrypoint } },
      hostEnv: readHostEnv(),
      deleteNodeOnStop: true,
    });
  });

program
  .command("apiserver")
  .description("run the embedded Kubernetes API server alone, without controllers, scheduler or nodes")
  .option("--port <port>", "port to listen on, 0 for any free one", parsePort, 6443)
  .option("--host <address>", "address to listen on", "127.0.0.1")
  .option("--data-dir <path>", "keep everything in this directory; left out: in memory, gone when it stops")
  .option("--kubeconfig-out <file>", "where an administrator's kubeconfig is written", ".inferium/apiserver.kubeconfig")
  .action(async (options) => {
    const { runApiServer } = await import("./embedded/run-api-server.ts");
    await runApiServer({ ...options, ...role(), say: (line) => process.stdout.write(`${line}\n`) });
  });

addClientCommands(program, {
  env: process.env,
  io: { out: (line) => process.stdout.write(`${line}\n`), note: (line) => process.stderr.write(`${line}\n`) },
  clock: systemClock,
  signal: stopping.signal,
  setExitStatus: (status) => {
    process.exitCode = status;
  },
});

await runProgram(program, stopping, process.env);
