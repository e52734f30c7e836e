/**
 * Wires the stages of one term together. They know each other by what they are given here and nothing else: a change of a
 * task goes to the stage that it is now in, and each stage asks the next one only to look.
 */
import { createDisputeReader } from "../chain/dispute-reader.ts";
import { openSigner } from "../chain/open-signer.ts";
import { openSettler, type Settler } from "../chain/settler.ts";
import { isNotFound } from "../kube/api-error.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import { objectKey } from "../kube/object.ts";
import type { PoolBackend } from "../pool/backend.ts";
import { stageOf } from "../protocol/lifecycle.ts";
import { observeSpec } from "../protocol/observe-spec.ts";
import { createApplyVerdict } from "./apply-verdict.ts";
import { createAttemptEnd } from "./attempt-end.ts";
import { createBackend } from "./backend.ts";
import { type BookParts, type Books, createBooks, createEarnings } from "./books.ts";
import { type Admission, createAdmission } from "./controllers/admit.ts";
import { createAssign } from "./controllers/assign.ts";
import { createDisputeStage } from "./controllers/dispute.ts";
import { createExpire } from "./controllers/expire.ts";
import { createGrouping, type Grouping } from "./controllers/group.ts";
import { createMirror } from "./controllers/mirror.ts";
import { createPanelStage } from "./controllers/panel.ts";
import { createQueueStage } from "./controllers/queue.ts";
import { createReceive } from "./controllers/receive.ts";
import { createRetireTasks, createRetireValidations } from "./controllers/retire.ts";
import { SettleStage } from "./controllers/settle.ts";
import { createSlashStage } from "./controllers/slash.ts";
import { SpentDuty } from "./controllers/spent.ts";
import { addressOf } from "./directory.ts";
import type { Earnings } from "./earnings.ts";
import { follow } from "./follow.ts";
import { followChain } from "./follow-chain.ts";
import type { ValidationObject } from "./kinds.ts";
import { Lanes } from "./lanes.ts";
import type { TaskLedger } from "./ledger.ts";
import type { TellTask } from "./task-events.ts";
import { createTransactionJournal } from "./transaction-journal.ts";
import type { ValidationIndex } from "./validation-index.ts";

export interface StageParts extends Omit<BookParts, "lanes"> {
  readonly kubeMetrics: KubeMetrics;
  readonly tell: TellTask;
}

export interface Stages {
  readonly ledger: TaskLedger;
  readonly index: ValidationIndex;
  readonly backend: PoolBackend;
  onWorker(name: string): void;
  /** Reads the records of earlier terms. */
  load(): Promise<void>;
  /** Takes up what the tasks themselves say. */
  restore(): Promise<void>;
  /** Resolves when the signal is aborted and all work has ended. */
  run(signal: AbortSignal): Promise<void>;
  /** Ends whoever waits for work. */
  close(): void;
}

interface Wiring extends StageParts {
  readonly lanes: Lanes;
  readonly books: Books;
  readonly earnings: Earnings;
  readonly endAttempt: ReturnType<typeof createAttemptEnd>;
  readonly settler: () => Promise<Settler>;
}

export function buildStages(parts: StageParts): Stages {
  const { clock, logger, kubeMetrics } = parts;
  const lanes = new Lanes({ clock, logger, metrics: kubeMetrics });
  const books = createBooks({ ...parts, lanes });
  const stopping = new AbortController();
  const wiring: Wiring = {
    ...parts,
    lanes,
    books,
    earnings: createEarnings(books),
    endAttempt: createAttemptEnd({ ...books, clock, tell: parts.tell }),
    settler: createSettlerOnce(parts, books, stopping.signal),
  };
  const admission = attachAdmission(wiring);
  attachValidation(wiring);
  const settle = attachSettlement(wiring);
  const spent = createSpentDuty(wiring);
  // Batches first: there is one in a while, and everybody's pay waits for it; votes go on right after.
  books.duties.addSource((validator) => books.certifier.nextDuty(validator));
  books.duties.addSource((validator) => books.panels.nextDuty(validator));
  attachUpkeep(wiring);
  follow(wiring, { admission, settle });
  return {
    ledger: books.ledger,
    index: books.index,
    backend: buildBackend(wiring, admission),
    onWorker: (name) => onWorker(wiring, name),
    load: () => load(books),
    restore: () => restore(books),
    run: async (signal) => {
      signal.addEventListener("abort", () => stopping.abort(signal.reason), { once: true });
      await run(wiring, { settle, spent }, signal);
    },
    close: () => {
      books.claims.close();
      books.duties.close();
    },
  };
}

function attachAdmission({ books, lanes, config, clock }: Wiring): Admission {
  const rules = { pool: config.pool.name, allowUnverified: config.allowUnverified };
  const admission = createAdmission({ ...books, rules, clock, onAdmitted: (key) => lanes.add("queue", key) });
  lanes.attach("admit", admission.reconcile);
  lanes.attach(
    "queue",
    createQueueStage({
      ...books,
      clock,
      workers: () => books.directory.workers(),
      isAdmitted: (uid) => admission.isAdmitted(uid),
      explainAfterMs: config.explainAfterMs,
      onAdded: () => books.claims.kick(),
    }),
  );
  return admission;
}

function attachValidation(wiring: Wiring): void {
  const { books, lanes, config, clients, clock, logger, metrics, link } = wiring;
  const { windowMs, deadlineMs, stragglerMs } = config.validation;
  const grouping = createGrouping({
    ...{ ...books, link, clock, logger, windowMs },
    client: clients.validations,
    pool: config.pool.name,
    validationMs: deadlineMs,
    schedule: (group, delayMs) => lanes.addAfter("group", group, delayMs),
  });
  const apply = createApplyVerdict({
    ...{ ...books, grouping, clock, logger, metrics },
    endAttempt: wiring.endAttempt,
    slashQuorum: config.chain.slashQuorum,
    onAccepted: (key) => lanes.addAfter("flush", key, config.mergeMs),
    onSlashDue: (name) => lanes.add("slash", name),
  });
  const timing = { deadlineMs, stragglerMs };
  lanes.attach("group", grouping.reconcile);
  lanes.attach("panel", createPanelStage({ ...books, client: clients.validations, clock, logger, timing, apply }));
  lanes.attach("judge", async (key) => judge(books, { lanes, grouping }, key));
}

/** A committed receipt goes to the Validation that judges it, or into the next group. */
async function judge(books: Books, next: { lanes: Lanes; grouping: Grouping }, key: string): Promise<undefined> {
  const entry = books.ledger.get(key);
  if (!entry || stageOf(entry.status) !== "Judge") return undefined;
  const validation = books.index.covering(entry.uid, entry.status.assignment?.attempt ?? 0);
  if (validation) next.lanes.add("panel", objectKey(validation));
  else next.grouping.add(entry);
  return undefined;
}

function attachSettlement(wiring: Wiring): SettleStage {
  const { books, lanes, config, clock, logger, metrics, tell, link, settler } = wiring;
  lanes.attach("flush", async (key) => {
    await books.ledger.flush(key, "validated");
    return undefined;
  });
  lanes.attach(
    "dispute",
    createDisputeStage({
      ...{ ...books, book: books.disputes, tell, logger },
      reader: () => createDisputeReader(link.client),
      nameOf: (address) => books.directory.findByAddress(address)?.metadata.name,
    }),
  );
  const onSlashed = (address: string) => books.bonds.refresh([address]).catch((error: unknown) => link.note(error));
  lanes.attach("slash", createSlashStage({ ...books, book: books.slashes, settler, logger, metrics, tell, onSlashed }));
  return new SettleStage({
    ...{ ...books, book: books.batches, link, settler, clock, logger, metrics, tell },
    dropValidation: (validation) => dropValidation(wiring, validation),
    treasury: config.chain.treasury,
    batchMs: config.batch.maxAgeMs,
    batchSize: config.batch.maxTasks,
    onSettled: () => {
      for (const worker of books.directory.list()) lanes.add("mirror", worker.metadata.name);
    },
  });
}

async function dropValidation({ clients }: Wiring, { metadata }: ValidationObject): Promise<void> {
  const { namespace, name, uid = "" } = metadata;
  await clients.validations.delete({ namespace, name }, { preconditions: { uid } }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

function createSpentDuty({ books, lanes, link, settler, clock, logger }: Wiring): SpentDuty {
  const onFinal = () => {
    for (const worker of books.directory.list()) lanes.add("mirror", worker.metadata.name);
  };
  return new SpentDuty({ ...{ link, settler, clock, logger }, final: books.final, pollMs: finalPollMs, onFinal });
}

const finalPollMs = 2_000;

function attachUpkeep({ books, lanes, clients, clock, config, endAttempt, earnings }: Wiring): void {
  lanes.attach("observe", async (key) => {
    const uid = books.ledger.get(key)?.uid;
    if (uid !== undefined)
      await books.ledger.change(key, { uid, stage: "observe", durable: true, decide: observeSpec });
    return undefined;
  });
  lanes.attach("expire", createExpire({ ...books, clock, endAttempt }));
  lanes.attach("retireTask", createRetireTasks({ ...books, client: clients.tasks, clock }));
  const keepMs = config.validation.keepMs;
  lanes.attach("retireValidation", createRetireValidations({ ...books, client: clients.validations, clock, keepMs }));
  const countActive = (name: string) => books.workload.of(name).size;
  const earningsOf = (worker: Parameters<Earnings["of"]>[0]) => earnings.of(worker);
  lanes.attach("mirror", createMirror({ ...books, client: clients.workers, clock, countActive, earningsOf }));
}

function buildBackend(
  { books, lanes, clients, clock, logger, tell, endAttempt, domain }: Wiring,
  admission: Admission,
) {
  const assign = createAssign({
    ...{ ...books, clock, logger, tell },
    inputs: clients,
    checkOrder: (entry) => books.orders.checkStillGood(entry.task),
    putBack: (key) => {
      // Admitted anew, a moment later: what was wrong then is said, or has passed.
      const uid = books.ledger.get(key)?.uid;
      if (uid !== undefined) admission.forget(uid);
      lanes.addAfter("admit", key, putBackMs);
    },
  });
  const receive = createReceive({ ...books, domain, endAttempt });
  const onSeen = (node: string) => lanes.add("mirror", node);
  return createBackend({ ...books, assign, receive, endAttempt, clock, onSeen });
}

const putBackMs = 1_000;

function onWorker({ books, lanes, link }: Wiring, name: string): void {
  lanes.add("mirror", name);
  const worker = books.directory.get(name);
  if (!worker) books.presence.forget(name);
  else if (!books.bonds.of(worker.spec.address) && link.isConnected) {
    void books.bonds.refresh([addressOf(worker)]).catch((error: unknown) => link.note(error));
  }
  books.claims.kick();
}

async function load(books: Books): Promise<void> {
  await Promise.all([books.batches.load(), books.slashes.load(), books.reputations.load(), books.bans.load()]);
}

/** Tasks that were admitted before hold their part of their orders before anybody new gets one. */
async function restore(books: Books): Promise<void> {
  for (const { task, status } of books.ledger.entries()) {
    const stage = stageOf(status);
    if (stage === "Wait" || stage === "Done") continue;
    const found = await books.orders.find(task);
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
  await Promise.all([
    lanes.run(signal),
    settle.run(signal),
    spent.run(signal),
    books.bonds.run(signal),
    books.reputations.run(signal),
    followChain({ ...wiring, onEvent: (event) => spent.observe(event) }, signal),
  ]);
}

/** Opened at the first use, when the chain is there, and then for the whole term: it owns the settler's nonce. */
function createSettlerOnce(parts: StageParts, books: Books, signal: AbortSignal): () => Promise<Settler> {
  let opened: Promise<Settler> | undefined;
  return () => {
    opened ??= openSettlerOf(parts, books, signal);
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
}

async function openSettlerOf(parts: StageParts, books: Books, signal: AbortSignal): Promise<Settler> {
  const { link, config, clock, logger } = parts;
  const { confirmations, fromBlock, maxFeePerGasWei } = config.chain;
  const settler = await openSettler({
    client: link.client,
    signer: await openSigner(config.chain.signer, link.client.provider),
    store: createTransactionJournal(books.transactions),
    ...{ confirmations, fromBlock, maxFeePerGasWei, timeoutMs: settleTimeoutMs },
    ...{ clock, logger, signal },
  });
  await settler.resume();
  return settler;
}

/** Long enough for several raised fees. */
const settleTimeoutMs = 180_000;
