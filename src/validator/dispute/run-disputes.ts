/**
 * Disputes of a validator: connects to the chain, follows its events, and runs the desk (jury duty) and the watch. Beside the
 * duties of the pool, until the signal is aborted. Effects: the chain, the state folder `disputes`.
 */
import { join } from "node:path";
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ChainEvent } from "../../chain/chain-event.ts";
import type { ChainClient } from "../../chain/client.ts";
import { createDisputeReader } from "../../chain/dispute-reader.ts";
import { type DisputeSender, openDisputeSender } from "../../chain/dispute-sender.ts";
import { watchEvents } from "../../chain/events.ts";
import { openFileJournal } from "../../chain/journal.ts";
import { openSigner } from "../../chain/open-signer.ts";
import type { PoolClient } from "../../pool/client.ts";
import { ensureFolder, readIfThere, writeDurably } from "../../pool/durable-file.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import { type ChainConfig, connectToPoolChain } from "../chain-view.ts";
import type { CheckTraining } from "../check-training.ts";
import type { Execute } from "../judge.ts";
import type { ValidatorMetrics } from "../metrics.ts";
import { createBondCheck } from "./bond-check.ts";
import { type DeskOptions, DisputeDesk } from "./dispute-desk.ts";
import { judgeResult } from "./judge-result.ts";
import { ResultWatch } from "./result-watch.ts";
import { SuspectPursuit } from "./suspect-pursuit.ts";
import { openSuspectRecords } from "./suspect-record.ts";
import { openVerdictRecords } from "./verdict-record.ts";

export interface DisputeConfig {
  /** Share of settled results, not voted on here, that are run again; 0 watches nothing. */
  readonly watchRate: number;
  /** How often the chain is asked. */
  readonly pollMs: number;
  readonly confirmations: number;
  /** Where the chain's events are read from at the very first start. */
  readonly fromBlock: number;
  readonly maxFeePerGasWei: bigint;
}

export interface DisputesOptions {
  readonly config: DisputeConfig;
  readonly chain: ChainConfig;
  readonly key: { readonly keyFile: string; readonly passwordFile: string | undefined };
  readonly stateDir: string;
  readonly domain: ProtocolDomain;
  readonly pool: Pick<PoolClient, "batch" | "item">;
  readonly execute: Execute;
  readonly checkTraining?: CheckTraining;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ValidatorMetrics | undefined;
}

/** Fewer approvals are less than any quorum of several. */
const fewVotes = 2;
const transactionTimeoutMs = 180_000;
const patienceMs = 10_000;
/** In poll intervals, so that another's dispute is seen first. */
const spreadPolls = 4;

/** @throws InferiumError StateUnreadable, StateUnwritable, JournalCorrupt, WrongJournal, WrongChain, KeyUnreadable */
export async function runDisputes(options: DisputesOptions, signal: AbortSignal): Promise<void> {
  const folder = join(options.stateDir, "disputes");
  await ensureFolder(folder);
  const client = await connect(options, signal);
  if (client === undefined) return;
  try {
    await run(options, await open(options, { folder, client, signal }), { folder, signal });
  } finally {
    client.close();
  }
}

/** A validator may start before its chain. Undefined where the signal was aborted first. */
async function connect({ chain, domain, clock, logger }: DisputesOptions, signal: AbortSignal) {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await connectToPoolChain(chain, domain);
    } catch (error) {
      if (!(error instanceof InferiumError) || error.disposition !== "retry") throw error;
      logger.warn("no chain for disputes yet", { attempt, error: describeError(error) });
      const waitMs = computeBackoffMs(attempt, { initialMs: 250, maxMs: 15_000 });
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }
  return undefined;
}

interface Place {
  readonly folder: string;
  readonly client: ChainClient;
  readonly signal: AbortSignal;
}

interface Parts {
  readonly client: ChainClient;
  readonly sender: DisputeSender;
  readonly desk: DisputeDesk;
  readonly watch: ResultWatch;
  readonly pursuit: SuspectPursuit;
}

async function open(options: DisputesOptions, { folder, client, signal }: Place): Promise<Parts> {
  const { config, execute, checkTraining, pool, domain, clock, logger, metrics } = options;
  const reader = createDisputeReader(client);
  const sender = await openDisputeSender({
    ...{ client, clock, logger, signal },
    signer: await openSigner(options.key, client.provider),
    store: openFileJournal(join(folder, "transactions.jsonl")),
    confirmations: config.confirmations,
    timeoutMs: transactionTimeoutMs,
    maxFeePerGasWei: config.maxFeePerGasWei,
  });
  const { account } = sender;
  const records = await openVerdictRecords(folder, clock);
  await records.prune();
  const judge: DeskOptions["judge"] = (item, until) => judgeResult({ execute, checkTraining, domain }, item, until);
  const shared = { reader, sender, pool, judge, domain, clock, logger, metrics };
  const desk: DisputeDesk = new DisputeDesk({
    ...{ ...shared, records, patienceMs },
    pollMs: config.pollMs,
    onClosed: (closed) => pursuit.onClosed(closed, signal),
  });
  const { random } = Math;
  const canPay = createBondCheck({ reader, account, readBalance: (of) => client.balanceOf(of), logger });
  const suspects = await openSuspectRecords(folder, clock);
  await suspects.prune();
  const pursuit: SuspectPursuit = new SuspectPursuit({
    ...{ reader, canPay, sender, desk, random, clock, logger, metrics },
    records: suspects,
    spreadMs: spreadPolls * config.pollMs,
  });
  const rules = { rate: config.watchRate, fewVotes };
  const watch = new ResultWatch({ ...shared, account, canPay, pursuit, rules, random });
  return { client, sender, desk, watch, pursuit };
}

async function run(options: DisputesOptions, parts: Parts, place: Omit<Place, "client">): Promise<void> {
  const { config, clock, logger } = options;
  const { client, sender, desk, watch, pursuit } = parts;
  const { signal } = place;
  const cursorPath = join(place.folder, "cursor.json");
  await sender.resume();
  await pursuit.resume(signal);
  const onEvent = async (event: ChainEvent) => {
    desk.observe(event);
    watch.observe(event);
    if (event.kind !== "Settled" && event.kind !== "Executed") return;
    // What is still open is read again from its beginning after a restart.
    const fromBlock = Math.min(desk.oldestBlock ?? event.blockNumber, event.blockNumber);
    await writeDurably(cursorPath, JSON.stringify({ fromBlock }));
  };
  const fromBlock = await readCursor(cursorPath, config.fromBlock);
  const { pollMs, confirmations } = config;
  await Promise.all([
    watchEvents({ client, fromBlock, pollMs, confirmations, onEvent, logger, signal, clock }),
    desk.run(signal),
    watch.run(signal),
  ]);
}

/** @throws InferiumError StateUnreadable */
async function readCursor(path: string, fallback: number): Promise<number> {
  const text = await readIfThere(path);
  if (text === undefined) return fallback;
  try {
    const { fromBlock } = JSON.parse(text) as { fromBlock: number };
    if (Number.isSafeInteger(fromBlock)) return fromBlock;
  } catch (cause) {
    throw damaged(path, cause);
  }
  throw damaged(path);
}

function damaged(path: string, cause?: unknown): InferiumError {
  const message = `${path} does not say up to where the chain was read; delete it to read from INFERIUM_FROM_BLOCK on.`;
  return new InferiumError("StateUnreadable", message, { disposition: "fatal", cause });
}
