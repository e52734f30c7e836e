/**
 * `inferium up`: the whole system on one machine with real tasks. Starts it, runs the demonstration, sums up, keeps
 * running until it is told to stop, then stops every process that it started.
 */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { findCompileCache } from "../../base/compile-cache.ts";
import { createLogger, type Logger } from "../../base/log.ts";
import { type ArtifactServer, startArtifactServer } from "../demo/artifact-server.ts";
import { createLiveDisplay } from "../demo/live-display.ts";
import { renderSummary } from "../demo/summary.ts";
import { demoNamespace } from "../demo/workload.ts";
import { createOrder } from "./create-order.ts";
import { type DemoData, prepareDemoData } from "./demo-data.ts";
import { runDemo } from "./run-demo.ts";
import { openRunLog } from "./run-log.ts";
import { type System, startSystem } from "./start-system.ts";
import { createTeardown, type Teardown } from "./teardown.ts";
import { openWorkspace } from "./workspace.ts";

export interface UpOptions {
  readonly once: boolean;
  readonly output: "text" | "json";
  readonly dir: string;
  readonly port: number;
  readonly kubeconfig?: string;
  /** False: start everything, submit nothing. */
  readonly tasks: boolean;
  /** Also start a launcher, and have the demonstration train its classifier anew, in pods. */
  readonly train: boolean;
  /** This program, as the pods' image runs it. */
  readonly entrypoint: readonly string[];
  /** What of this machine's environment the pods' processes may see. */
  readonly hostEnv: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** @returns the exit status */
export async function runUp(options: UpOptions): Promise<number> {
  const { clock, signal } = options;
  const startedAt = clock.monotonic();
  const seconds = () => Number(((clock.monotonic() - startedAt) / 1000).toFixed(1));
  const workspace = await openWorkspace(options.dir);
  // A dozen processes load the same modules: compiled once, they start in half the time.
  const compileCache = findCompileCache() ?? join(workspace.dir, "compile-cache");
  enableCompileCache(compileCache);
  const hostEnv = { ...options.hostEnv, NODE_COMPILE_CACHE: compileCache };
  const log = openRunLog(workspace.dir);
  const logger = createLogger({ write: log.write });
  const teardown = createTeardown(logger);
  teardown.add("workspace", async () => {
    await workspace.release();
    await log.close();
  });
  // Standard output belongs to the summary where a machine reads it.
  const display = createLiveDisplay(options.output === "json" ? process.stderr : process.stdout);
  const say = (text: string) => display.print(`${seconds().toFixed(1).padStart(5)} s  ${text}`);
  try {
    const system = await startSystem({
      ...options,
      launcher: options.train,
      hostEnv,
      workspace,
      logger,
      teardown,
      say,
    });
    // While the members join: what is submitted once they have.
    const prepared = options.tasks ? prepare(system, teardown) : undefined;
    // Awaited below: until then its failure must not end the process.
    prepared?.catch(() => undefined);
    await system.untilReady();
    const readySeconds = seconds();
    say(`ready      kubectl --kubeconfig ${system.cluster.kubeconfigPath} get itask,wn,val -A`);
    if (prepared === undefined) system.startControllers();
    else
      await demonstrate(options, {
        ...(await prepared),
        ...{ system, readySeconds, seconds, display, say, teardown, logger },
      });
    if (!options.once) await waitForStop(signal, display.print);
    return 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    return options.once ? 130 : 0;
  } finally {
    display.finish();
    await teardown.run();
  }
}

interface Prepared {
  readonly artifacts: ArtifactServer;
  readonly data: DemoData;
}

async function prepare(system: System, teardown: Teardown): Promise<Prepared> {
  const artifacts = await startArtifactServer();
  teardown.add("artifact server", () => artifacts.close());
  await createOrder(system);
  return { artifacts, data: await prepareDemoData(artifacts, system.chain.accounts.requester.address) };
}

interface Running extends Prepared {
  readonly system: System;
  readonly readySeconds: number;
  readonly seconds: () => number;
  readonly display: ReturnType<typeof createLiveDisplay>;
  readonly say: (text: string) => void;
  readonly teardown: Teardown;
  readonly logger: Logger;
}

async function demonstrate(options: UpOptions, running: Running): Promise<void> {
  const { system, display } = running;
  const { train, signal } = options;
  const summary = await runDemo({ ...running, train, signal });
  if (options.output === "json") process.stdout.write(`${JSON.stringify(summary)}\n`);
  else display.print(`\n${renderSummary(summary, options.once ? [] : buildHints(system))}`);
}

function buildHints(system: System): string[] {
  const kubectl = `kubectl --kubeconfig ${system.cluster.kubeconfigPath}`;
  return [
    "Look further:",
    `  ${kubectl} get itask,wn,val -A`,
    `  ${kubectl} -n ${demoNamespace} describe itask mnist-000`,
    `  ${kubectl} -n inferium-system logs inferium-operator`,
    ...(system.cluster.embedded ? [] : uninstallHints(kubectl)),
  ];
}

/** On somebody's cluster the kinds, roles and namespaces stay: they may serve more than this run. */
function uninstallHints(kubectl: string): string[] {
  return [
    "What stays on the cluster after the run goes with:",
    `  ${kubectl} delete -f crds -f manifests/base`,
    `  ${kubectl} delete namespace ${demoNamespace}`,
  ];
}

async function waitForStop(signal: AbortSignal, print: (text: string) => void): Promise<void> {
  print("\nRunning. Press Ctrl-C to stop everything.");
  // An abort signal alone does not keep the process alive; the servers do.
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  print("Stopping...");
}
