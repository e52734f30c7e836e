/**
 * Beside an anvil: makes it the chain of a pool for a trial, and keeps it that: sets up what is missing, again where the chain began
 * anew, and asks for blocks. Run by the chart's pod of the trial's chain (`inferium trial-chain`). Effects: set-up-trial.ts, one
 * listening socket for probes.
 */
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import { parseListenAddress } from "../../base/listen-address.ts";
import type { Logger } from "../../base/log.ts";
import { startHealthServer } from "../../kube/health-server.ts";
import { askForBlocks } from "./ask-for-blocks.ts";
import { setUpTrial, trialAddresses } from "./set-up-trial.ts";
import { readTrialKeys } from "./trial-keys.ts";

export interface TrialChainOptions {
  readonly rpcUrl: string;
  /** As trial-keys.ts reads it. */
  readonly keysDir: string;
  /** host:port of /healthz and /readyz; ready once all is set up. */
  readonly healthAddress: string;
  readonly blockSeconds: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
}

const lookMs = 5_000;

/** Resolves after a stop. @throws InferiumError KeyUnreadable, NoDevelopmentChain, OtherDeployment, HealthServerFailed */
export async function runTrialChain(options: TrialChainOptions): Promise<void> {
  const { rpcUrl, keysDir, healthAddress, blockSeconds, signal, logger, clock } = options;
  const keys = await readTrialKeys(keysDir);
  let problem: string | undefined = "the contracts are not set up yet";
  const health = await startHealthServer({
    ...parseListenAddress(healthAddress, "--health"),
    ready: { chain: () => problem ?? true },
    logger,
  });
  const ticker = askForBlocks(rpcUrl, blockSeconds, logger);
  try {
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (problem !== undefined) {
          await setUpTrial(rpcUrl, keys);
          logger.warn(
            "a development chain for a trial is ready: its keys are public, nothing on it is worth anything",
            {
              settlement: trialAddresses().settlement,
              members: keys.members.length,
            },
          );
        }
        problem = (await hasContracts(rpcUrl)) ? undefined : "the chain began anew";
        failures = 0;
      } catch (error) {
        if (error instanceof InferiumError && error.disposition === "fatal") throw error;
        failures += 1;
        problem = describeError(error);
        logger.warn("the trial's chain is not ready", { error: problem, attempt: failures });
      }
      const waitMs = failures === 0 ? lookMs : computeBackoffMs(failures, { initialMs: 250, maxMs: lookMs });
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  } finally {
    ticker.setTicking(false);
    await health.close();
  }
}

/** Far less than a connection each time. @throws of fetch */
async function hasContracts(rpcUrl: string): Promise<boolean> {
  const answer = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "eth_getCode",
      params: [trialAddresses().settlement, "latest"],
    }),
    signal: AbortSignal.timeout(lookMs),
  });
  const { result } = (await answer.json()) as { result?: string };
  return result !== undefined && result !== "0x";
}
