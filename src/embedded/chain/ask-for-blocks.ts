/**
 * Asks a development chain for a block so often, as a public chain makes them. Anvil's own interval mining beside automining
 * (--mixed-mining, 1.7.1) stops for good after some transactions, seen in the tests of the operator's restarts.
 */
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";

export interface Ticker {
  /** Off while something must stay pending. */
  setTicking(on: boolean): void;
}

/** Ticks from the start; undefined seconds: never. */
export function askForBlocks(rpcUrl: string, seconds: number | undefined, logger: Logger): Ticker {
  let asking = false;
  let timer: NodeJS.Timeout | undefined;
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "evm_mine", params: [] });
  const headers = { "content-type": "application/json" };
  const tick = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(rpcUrl, { method: "POST", headers, body, signal: AbortSignal.timeout(10_000) });
      await answer.arrayBuffer();
    } catch (error) {
      // The chain may be stopped or away for a while: whoever uses it says so.
      logger.debug("no block could be asked for", { error: describeError(error) });
    } finally {
      asking = false;
    }
  };
  const setTicking = (on: boolean) => {
    clearInterval(timer);
    if (on && seconds !== undefined) timer = setInterval(tick, seconds * 1_000).unref();
  };
  setTicking(true);
  return { setTicking };
}
