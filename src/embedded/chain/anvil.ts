/**
 * The local EVM chain of the embedded default and of the tests: anvil from npm, on loopback. The native binary is started
 * directly (the npm wrapper would survive a kill of the binary and the other way round). Its accounts are anvil's
 * well-known development keys: this chain holds nothing of value.
 */
import { mkdir } from "node:fs/promises";
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { findAnvil } from "./anvil-binary.ts";
import { askForBlocks } from "./ask-for-blocks.ts";
import { developmentAccounts, type FundedAccount } from "./development-accounts.ts";
import { type GuardedChild, startGuarded } from "./guarded-child.ts";

export interface AnvilOptions {
  /** 0 chooses a free one. */
  readonly port: number;
  /** For anvil's temporary files; created if missing. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** Until it listens. Default 15 s. */
  readonly timeoutMs?: number;
  /**
   * Mines a block so often even when nothing is sent, as a public chain does; transactions are mined at once all the
   * same. Left out: only transactions make blocks.
   */
  readonly blockSeconds?: number;
  /** Native anvil binary; default: the one from npm. */
  readonly binary?: string;
}

export interface Anvil {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly pid: number;
  /** Each with 10,000 ether. */
  readonly accounts: readonly FundedAccount[];
  /** Blocks at an interval: off while something must stay pending. Without `blockSeconds` there are none. */
  setTicking(on: boolean): void;
  /** Resolves once the process is gone. Safe to call twice. */
  stop(): Promise<void>;
}

const chainId = 31_337;
const accountCount = 10;

/** @throws InferiumError AnvilMissing, AnvilFailed */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const binary = options.binary ?? findAnvil();
  await mkdir(options.dataDir, { recursive: true });
  const child = startGuarded(binary, buildArguments(options.port), {
    cwd: options.dataDir,
    env: { HOME: options.dataDir },
  });
  try {
    const port = await waitForPort(child, options.timeoutMs ?? 15_000);
    options.logger.info("local chain listens", { port, pid: child.pid });
    void child.exited.then((code) => options.logger.info("local chain ended", { code }));
    const rpcUrl = `http://127.0.0.1:${port}`;
    const ticker = askForBlocks(rpcUrl, options.blockSeconds, options.logger);
    const stop = async () => {
      ticker.setTicking(false);
      await child.stop();
    };
    const accounts = developmentAccounts(accountCount);
    return { rpcUrl, chainId, pid: child.pid, accounts, setTicking: ticker.setTicking, stop };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

function buildArguments(port: number): string[] {
  return [
    ...["--host", "127.0.0.1", "--port", String(port)],
    ...["--hardfork", "prague", "--chain-id", String(chainId), "--accounts", String(accountCount)],
    // Without a bound anvil keeps the state of every block. With none kept, a call that meets a new block fails: of 2,013
    // calls while a block was mined every 5 ms, 348 had no answer, and none of 1,832 with these few.
    ...["--prune-history", "64"],
  ];
}

/** Anvil prints its address once it accepts connections, also where the port was chosen by the system. */
function waitForPort(child: GuardedChild, timeoutMs: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const fail = (what: string) =>
    reject(new InferiumError("AnvilFailed", `${what}: ${child.recentOutput()}`, { disposition: "fatal" }));
  const timer = setTimeout(() => fail(`Anvil did not listen within ${timeoutMs} ms`), timeoutMs);
  child.onOutput((text) => {
    const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (port !== undefined) resolve(Number(port));
  });
  void child.exited.then((code) => fail(`Anvil ended with ${code} before it listened`));
  return promise.finally(() => clearTimeout(timer));
}
