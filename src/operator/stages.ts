/**
 * The stages of one term together: a change of a task goes to the stage that it is now in, and each stage asks the next one
 * only to look.
 */
import { untilDone } from "../base/until-done.ts";
import type { PoolBackend } from "../pool/backend.ts";
import { isSharded } from "../protocol/shards/shard-task.ts";
import { stageOf } from "../protocol/task-stage.ts";
import {
  attachAdmission,
  attachLeaderboards,
  attachModels,
  attachSettlement,
  attachUpkeep,
  attachValidation,
  buildBackend,
  createSpentDuty,
  type StageParts,
  type Wiring,
} from "./attach-stages.ts";
import { createAttemptEnd } from "./attempt-end.ts";
import { createBooks, createEarnings } from "./books.ts";
import type { SettleStage } from "./controllers/settle.ts";
import type { SpentDuty } from "./controllers/spent.ts";
import { addressOf } from "./directory.ts";
import { follow } from "./follow.ts";
import { followChain } from "./follow-chain.ts";
import { Lanes } from "./lanes.ts";
import type { LeaderboardIndex } from "./leaderboard/leaderboard-index.ts";
import type { TaskLedger } from "./ledger.ts";
import { Reclaimer } from "./reclaimer.ts";
import { createTermSettler } from "./term-settler.ts";
import type { ValidationIndex } from "./validation-index.ts";

export interface Stages {
  readonly ledger: TaskLedger;
  readonly index: ValidationIndex;
  readonly leaderboards: LeaderboardIndex;
  readonly backend: PoolBackend;
  onWorker(name: string): void;
  onModel(key: string): void;
  /** An agent changed, or its replicas did. */
  onAgent(key: string | undefined): void;
  /** Reads the records of earlier terms. */
  load(signal: AbortSignal): Promise<void>;
  /** Takes up what the tasks themselves say. */
  restore(signal: AbortSignal): Promise<void>;
  /** Resolves when the signal is aborted and all work has ended. */
  run(signal: AbortSignal): Promise<void>;
  /** Ends whoever waits for work. */
  close(): void;
}

export function buildStages(parts: StageParts): Stages {
  const { clock, logger, kubeMetrics } = parts;
  const lanes = new Lanes({ clock, logger, metrics: kubeMetrics });
  const books = createBooks({ ...parts, lanes });
  const stopping = new AbortController();
  const endAttempt = createAttemptEnd({ ...books, clock, tell: parts.tell });
  const wiring: Wiring = {
    ...parts,
    lanes,
    books,
    earnings: createEarnings(books),
    endAttempt,
    reclaimer: new Reclaimer({ ...books, endAttempt, logger }),
    settler: createTermSettler({ ...parts, transactions: books.transactions, signal: stopping.signal }),
  };
  const admission = attachAdmission(wiring);
  attachValidation(wiring);
  const settle = attachSettlement(wiring);
  const spent = createSpentDuty(wiring);
  // Batches first: there is one in a while, and everybody's pay waits for it; votes go on right after.
  books.duties.addSource((validator) => books.certifier.nextDuty(validator));
  books.duties.addSource((validator) => books.panels.nextDuty(validator));
  books.duties.addSource((validator) => books.proofs.nextDuty(validator));
  books.duties.addSource((validator) => books.modelDesk.nextDuty(validator));
  books.duties.addSource((validator) => books.challenges.nextDuty(validator));
  attachLeaderboards(wiring);
  attachUpkeep(wiring);
  attachModels(wiring);
  follow(wiring, { admission, settle });
  return {
    ledger: books.ledger,
    index: books.index,
    leaderboards: books.leaderboards,
    backend: buildBackend(wiring, admission),
    onWorker: (name) => onWorker(wiring, name),
    onModel: (key) => lanes.add("model", key),
    onAgent: (key) => void (key !== undefined && lanes.add("agent", key)),
    load: (signal) => load(wiring, signal),
    restore: (signal) => restore(wiring, signal),
    run: async (signal) => {
      signal.addEventListener("abort", () => stopping.abort(signal.reason), { once: true });
      await run(wiring, { settle, spent }, signal);
    },
    close: () => {
      books.claims.close();
      wiring.reclaimer.close();
      books.duties.close();
      books.trace?.close();
    },
  };
}

function onWorker({ books, lanes, link }: Wiring, name: string): void {
  lanes.add("mirror", name);
  const worker = books.directory.get(name);
  if (!worker) books.presence.forget(name);
  else if (!books.bonds.of(worker.spec.address) && link.isConnected) {
    void books.bonds.refresh([addressOf(worker)]).catch((error: unknown) => link.note(error));
  }
  books.claims.kick();
}

const waitFor = <T>(what: string, work: () => Promise<T>, { clock, logger }: Wiring, signal: AbortSignal) =>
  untilDone(work, { message: "the term cannot begin yet", fields: { what }, clock, logger }, signal);

async function load(wiring: Wiring, signal: AbortSignal): Promise<void> {
  const { books } = wiring;
  const { accounts, badProofs, bans, batches, capabilities, missed, reputations, slashes } = books;
  const records = { accounts, badProofs, bans, batches, capabilities, missed, reputations, slashes };
  await Promise.all(Object.entries(records).map(([what, book]) => waitFor(what, () => book.load(), wiring, signal)));
}

/** Tasks that were admitted before hold their part of their orders before anybody new gets one. */
async function restore(wiring: Wiring, signal: AbortSignal): Promise<void> {
  const { books } = wiring;
  for (const { task, status } of books.ledger.entries()) {
    const stage = stageOf(status);
    if (stage === "Wait" || stage === "Done" || isSharded(task.spec)) continue;
    const found = await waitFor("orders", () => books.orders.find(task), wiring, signal);
    if (found?.state === "Found") books.orders.reserve(found.order, task);
  }
  books.reputations.replay(books.ledger.entries());
}

async function run(
  wiring: Wiring,
  { settle, spent }: { readonly settle: SettleStage; readonly spent: SpentDuty },
  signal: AbortSignal,
): Promise<void> {
  const { books, lanes } = wiring;
  for (const { name } of books.slashes.list()) lanes.add("slash", name);
  for (const name of books.badProofs.names()) lanes.add("badProof", name);
  for (const { name } of books.missed.list()) lanes.add("missed", name);
  await Promise.all([
    lanes.run(signal),
    settle.run(signal),
    spent.run(signal),
    books.bonds.run(signal),
    books.reputations.run(signal),
    followChain({ ...wiring, onEvent: (event) => spent.observe(event) }, signal),
  ]);
}
