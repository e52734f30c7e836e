/**
 * The worker: claims what it has slots for, runs it, brings the outcome to the pool. Started by main.ts or the embedded
 * run. Effects: pool API, its cache and state folders, the computation itself.
 *
 *   1. identity, session (the pool's domain is what receipts are signed for)
 *   2. receipts that an earlier run left behind
 *   3. claim -> attempt -> deliver, in as many slots as configured, with heartbeats
 *      where there is no work and the pool asks for it: a challenge of the hardware, beside nothing else
 *   4. on stop: no more claims; what runs may end within the grace time, then it is handed back
 */
import type { Registry } from "prom-client";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { createExecutor, type Executor } from "../inference/execute.ts";
import { runClaimLoop, waitForPool } from "../pool/claim-loop.ts";
import type { PoolClient, PoolFacts } from "../pool/client.ts";
import { sendHeartbeats } from "../pool/heartbeats.ts";
import { joinPool } from "../pool/join-pool.ts";
import { answerChallenge, type RunChallenge } from "./answer-challenge.ts";
import { readCodeDigest } from "./code-digest.ts";
import { collectEvidence } from "./collect-evidence.ts";
import type { WorkerConfig } from "./config.ts";
import { createWorkerMetrics } from "./metrics.ts";
import type { OpenLauncher, openLauncher } from "./pods/open-launcher.ts";
import { openSignedAttempts } from "./signed-attempts.ts";
import { createSlots, type Slots } from "./slots.ts";
import { openSpool } from "./spool.ts";

export interface WorkerDependencies {
  /** Aborted to stop. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly registry?: Registry;
  /** In place of an executor made from the configuration. */
  readonly execute?: Executor["execute"];
  /** In place of computing challenges on the configured devices. */
  readonly runChallenge?: RunChallenge;
  /** Called once a session is open and claims begin. */
  readonly onReady?: (facts: PoolFacts) => void;
}

/** Resolves after a graceful stop. @throws InferiumError where the configuration cannot work */
export async function runWorker(config: WorkerConfig, dependencies: WorkerDependencies): Promise<void> {
  const { logger, signal } = dependencies;
  const ownClock = dependencies.clock ?? systemClock;
  const { signer, client, clock } = await joinPool(config, { role: "Worker", logger, clock: ownClock });
  const executor = createExecutor({ ...config.executor, clock: ownClock });
  const spool = await openSpool({ stateDir: config.stateDir, logger });
  const signed = await openSignedAttempts(config.stateDir);
  let launcher: OpenLauncher | undefined;
  try {
    const codeDigest = await readCodeDigest();
    if (dependencies.execute === undefined) await executor.warmUp();
    const facts = await waitForPool({ client, clock, logger }, signal);
    if (facts === undefined) return;
    const execute = dependencies.execute ?? executor.execute;
    const account = signer.address;
    launcher = config.launcher && (await openLauncherHere(config, { account, clock, ownClock, logger }));
    const { imageDigest } = config;
    const slots = createSlots({
      attempt: {
        execute,
        runInPods: launcher?.run,
        signer,
        domain: facts.domain,
        imageDigest,
        codeDigest,
        signed,
        clock,
      },
      deliver: { client, spool, clock, logger },
      metrics: dependencies.registry && createWorkerMetrics(dependencies.registry),
    });
    logger.info("worker joined the pool", { pool: facts.pool, node: facts.node, account: signer.address });
    dependencies.onReady?.(facts);
    for (const item of await spool.list()) slots.redeliver(item);
    const run = dependencies.runChallenge ?? runChallengeHere;
    const loop = { config, client, slots, clock, logger, run, account: signer.address };
    await work({ ...loop, loadedModels: executor.loadedModels }, signal);
  } finally {
    await launcher?.close();
    await client.close();
    await signed.close();
    await executor.close();
  }
}

/** Loaded when the first one comes: it is not needed to begin work. */
const runChallengeHere: RunChallenge = async (...parts) => {
  const { runChallenge } = await import("../inference/challenge/run-challenge.ts");
  return runChallenge(...parts);
};

/** Few workers are launchers. */
const openLauncherHere: typeof openLauncher = async (...parts) => {
  const { openLauncher } = await import("./pods/open-launcher.ts");
  return openLauncher(...parts);
};

interface Work {
  readonly config: WorkerConfig;
  readonly run: RunChallenge;
  readonly account: string;
  readonly client: PoolClient;
  readonly slots: Slots;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly loadedModels: () => readonly string[];
}

async function work({ config, slots, run, account, loadedModels, ...loop }: Work, signal: AbortSignal): Promise<void> {
  const { attestationCommand } = config;
  const collect = attestationCommand && ((nonce: string) => collectEvidence(attestationCommand, nonce));
  const challenged = { ...loop, run, session: config.executor.session, account, collect: collect || undefined };
  let isChallenged = false;
  const beating = new AbortController();
  const running = () => slots.running();
  const heartbeats = sendHeartbeats(
    {
      ...loop,
      intervalMs: config.heartbeatMs,
      read: async () => {
        const attempts = await slots.describe();
        return attempts.length === 0 && !isChallenged ? undefined : { running: attempts, models: loadedModels() };
      },
      onAnswer: ({ cancel }) => slots.cancel(cancel),
    },
    beating.signal,
  );
  const free = () => config.slots - running().length;
  await runClaimLoop(
    {
      ...loop,
      nextRequest: async (stop) => {
        while (free() <= 0 && !stop.aborted) await slots.nextEnd(stop);
        return { slots: free(), models: loadedModels(), waitMs: config.claimWaitMs };
      },
      // What is beyond our slots is not started; without heartbeats it goes back to the pool.
      accept: async ({ assignments, challenge }) => {
        for (const assignment of assignments) if (free() > 0) slots.start(assignment);
        if (challenge === undefined || running().length > 0) return;
        // Nothing is claimed meanwhile: the devices' memory is full.
        isChallenged = true;
        await answerChallenge(challenged, challenge, signal);
        isChallenged = false;
      },
    },
    signal,
  );
  await slots.drain(config.graceMs);
  beating.abort();
  await heartbeats;
}
