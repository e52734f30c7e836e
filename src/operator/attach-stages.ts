/**
 * Gives each stage of a term what it needs and no more. Called once by `buildStages`; the stages know each other by what they
 * are given here alone.
 */
import { createDisputeReader } from "../chain/dispute-reader.ts";
import type { BadProofEvidence } from "../chain/proofs.ts";
import type { Settler } from "../chain/settler.ts";
import { isNotFound } from "../kube/api-error.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import { objectKey } from "../kube/object.ts";
import { observeSpec } from "../protocol/observe-spec.ts";
import { stageOf } from "../protocol/task-stage.ts";
import { computeTaskId } from "../protocol/typed-data.ts";
import { attachAgents } from "./agents/attach-agents.ts";
import { isTaskOfWindow } from "./agents/window-task.ts";
import { createApplyVerdict } from "./apply-verdict.ts";
import type { EndAttempt } from "./attempt-end.ts";
import { createBackend } from "./backend.ts";
import type { BookParts, Books } from "./books.ts";
import type { ChallengeDesk } from "./challenge-desk.ts";
import { type Admission, createAdmission } from "./controllers/admit.ts";
import { createAssign } from "./controllers/assign.ts";
import { createBadProofStage } from "./controllers/bad-proof.ts";
import { createDisputeStage } from "./controllers/dispute.ts";
import { createExpire } from "./controllers/expire.ts";
import { createGrouping, type Grouping } from "./controllers/group.ts";
import { createLeaderboardStage } from "./controllers/leaderboard.ts";
import { createMirror } from "./controllers/mirror.ts";
import { createMissedStage, noteMissedInBatch } from "./controllers/missed.ts";
import { createModelStage } from "./controllers/model.ts";
import { createPanelStage } from "./controllers/panel.ts";
import { createQueueStage } from "./controllers/queue.ts";
import { createReceive } from "./controllers/receive.ts";
import { createRetireTasks, createRetireValidations } from "./controllers/retire.ts";
import { SettleStage } from "./controllers/settle.ts";
import { createShardStage, type ShardStage } from "./controllers/shards.ts";
import { createSlashStage } from "./controllers/slash.ts";
import { SpentDuty } from "./controllers/spent.ts";
import type { Earnings } from "./earnings.ts";
import type { ValidationObject } from "./kinds.ts";
import type { Lanes } from "./lanes.ts";
import type { TaskEntry } from "./ledger.ts";
import type { Reclaimer } from "./reclaimer.ts";
import type { TellTask } from "./task-events.ts";
import { isInputUnavailable } from "./task-inputs.ts";

export interface StageParts extends Omit<BookParts, "lanes"> {
  readonly kubeMetrics: KubeMetrics;
  readonly tell: TellTask;
}

export interface Wiring extends StageParts {
  readonly lanes: Lanes;
  readonly books: Books;
  readonly earnings: Earnings;
  readonly endAttempt: EndAttempt;
  readonly reclaimer: Reclaimer;
  readonly settler: () => Promise<Settler>;
}

export function attachAdmission(wiring: Wiring): Admission {
  const { books, lanes, config, clock, metrics, reclaimer } = wiring;
  const shards = attachShards(wiring);
  const rules = { pool: config.pool.name, allowUnverified: config.allowUnverified };
  const isKnownWindow = (task: TaskEntry["task"]) =>
    isTaskOfWindow(task, (id) => books.accounts.findWindow(id)?.window);
  const admission = createAdmission({
    ...books,
    rules,
    clock,
    isKnownWindow,
    onAdmitted: (key) => lanes.add("queue", key),
  });
  lanes.attach("admit", admission.reconcile);
  lanes.attach(
    "queue",
    createQueueStage({
      ...books,
      clock,
      workers: () => books.directory.workers(),
      isAdmitted: (uid) => admission.isAdmitted(uid),
      explainAfterMs: config.explainAfterMs,
      onBatch: ({ key, uid }) => {
        shards.release(uid);
        lanes.add("shards", key);
      },
      onAdded: () => {
        metrics.poolWaiting.set(books.pool.size);
        books.claims.kick();
        reclaimer.look();
      },
    }),
  );
  return admission;
}

function attachShards({ books, lanes, clients, clock, config, endAttempt, tell, metrics }: Wiring): ShardStage {
  const workers = () => books.directory.workers();
  const parts = { ledger: books.ledger, tasks: clients.tasks, workers, rule: config.duplicates };
  const stage = createShardStage({ ...parts, clock, endAttempt, tell, metrics });
  lanes.attach("shards", stage.reconcile);
  books.ledger.onChange((_, entry, previous) => {
    if (previous && entry?.uid !== previous.uid) stage.forget(previous.uid);
  });
  return stage;
}

export function attachValidation(wiring: Wiring): void {
  const { books, lanes, config, clients, clock, logger, metrics, link, tell } = wiring;
  const { windowMs, deadlineMs, stragglerMs, provingMs, endorsingMs } = config.validation;
  const grouping = createGrouping({
    ...{ ...books, link, clock, logger, windowMs },
    client: clients.validations,
    pool: config.pool.name,
    validationMs: deadlineMs,
    proofMs: provingMs + endorsingMs,
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
  const onBadProof = async (evidence: BadProofEvidence) => lanes.add("badProof", await books.badProofs.add(evidence));
  lanes.attach("group", grouping.reconcile);
  lanes.attach(
    "panel",
    createPanelStage({
      ...books,
      client: clients.validations,
      clock,
      logger,
      timing,
      apply,
      tell,
      metrics,
      onBadProof,
    }),
  );
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

export function attachSettlement(wiring: Wiring): SettleStage {
  const { books, lanes, config, clock, logger, metrics, tell, link, settler } = wiring;
  lanes.attach("flush", async (key) => {
    await books.ledger.flush(key, "validated");
    return undefined;
  });
  lanes.attach(
    "dispute",
    createDisputeStage({
      ...{ ...books, book: books.disputes, clock, tell, logger },
      reader: () => createDisputeReader(link.client),
      nameOf: (address) => books.directory.findByAddress(address)?.metadata.name,
    }),
  );
  const onSlashed = (address: string) => books.bonds.refresh([address]).catch((error: unknown) => link.note(error));
  const reporting = { settler, clock, logger, metrics, tell, onSlashed };
  lanes.attach("slash", createSlashStage({ ...books, ...reporting, book: books.slashes }));
  lanes.attach("badProof", createBadProofStage({ ...reporting, book: books.badProofs }));
  const graceMs = config.missedGraceMs;
  lanes.attach("missed", createMissedStage({ ...books, ...reporting, book: books.missed, graceMs }));
  return new SettleStage({
    ...{ ...books, book: books.batches, link, settler, clock, logger, metrics, tell },
    dropValidation: (validation) => dropValidation(wiring, validation),
    treasury: config.chain.treasury,
    batchMs: config.batch.maxAgeMs,
    batchSize: config.batch.maxTasks,
    onSettled: async (record) => {
      for (const worker of books.directory.list()) lanes.add("mirror", worker.metadata.name);
      for (const name of await noteMissedInBatch(books.missed, record)) lanes.add("missed", name);
    },
  });
}

async function dropValidation({ clients }: Wiring, { metadata }: ValidationObject): Promise<void> {
  const { namespace, name, uid = "" } = metadata;
  await clients.validations.delete({ namespace, name }, { preconditions: { uid } }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

export function createSpentDuty({ books, lanes, link, settler, clock, logger }: Wiring): SpentDuty {
  const onFinal = () => {
    for (const worker of books.directory.list()) lanes.add("mirror", worker.metadata.name);
  };
  return new SpentDuty({ ...{ link, settler, clock, logger }, final: books.final, pollMs: finalPollMs, onFinal });
}

const finalPollMs = 2_000;

export function attachLeaderboards({ books, lanes, clients, clock, logger, metrics }: Wiring): void {
  const { ledger, leaderboards: index } = books;
  const { leaderboards: client, tasks, configMaps } = clients;
  index.onChange((key) => lanes.add("leaderboard", key));
  const parts = { index, ledger, client, tasks, configMaps, clock, logger, metrics };
  lanes.attach("leaderboard", createLeaderboardStage(parts));
}

export function attachUpkeep({ books, lanes, clients, clock, config, endAttempt, earnings }: Wiring): void {
  lanes.attach("observe", async (key) => {
    const uid = books.ledger.get(key)?.uid;
    if (uid !== undefined)
      await books.ledger.change(key, { uid, stage: "observe", durable: true, decide: observeSpec });
    return undefined;
  });
  const onMissed = (entry: TaskEntry) => suspect(books, lanes, entry);
  lanes.attach("expire", createExpire({ ...books, clock, endAttempt, onMissed }));
  lanes.attach("retireTask", createRetireTasks({ ...books, client: clients.tasks, clock }));
  const keepMs = config.validation.keepMs;
  lanes.attach("retireValidation", createRetireValidations({ ...books, client: clients.validations, clock, keepMs }));
  const countActive = (name: string) => books.workload.of(name).size;
  const earningsOf = (worker: Parameters<Earnings["of"]>[0]) => earnings.of(worker);
  const recordOf = (worker: Parameters<ChallengeDesk["recordOf"]>[0]) => books.challenges.recordOf(worker);
  const sources = { ...books, clock, countActive, earningsOf, recordOf };
  const mirror = createMirror({ ...sources, client: clients.workers });
  lanes.attach("mirror", mirror.reconcile, mirror.decideDelay);
}

export function attachModels({ books, lanes, clients, informers, clock, logger, metrics, config }: Wiring): void {
  const { quorum, validMs } = config.models;
  const parts = { models: informers.models, client: clients.models, desk: books.modelDesk, circuits: books.circuits };
  lanes.attach("model", createModelStage({ ...parts, clock, logger, metrics, quorum, validMs }));
}

/** Only a worker that signed the claim can be to blame, and only one that is connected. */
function suspect(books: Books, lanes: Lanes, { key, uid, status }: TaskEntry): void {
  const { assignment } = status;
  if (!assignment || !books.presence.isConnected(assignment.worker)) return;
  const claim = books.words.find(assignment.address, computeTaskId(uid), assignment.attempt);
  if (!claim) return;
  const claimedAtMs = Date.parse(assignment.claimedAt);
  const name = books.missed.suspect({ key, uid, worker: assignment.worker, claimedAtMs, claim });
  if (name !== undefined) lanes.add("missed", name);
}

export function buildBackend(wiring: Wiring, admission: Admission) {
  const { books, config, lanes, clients, clock, logger, tell, endAttempt, domain } = wiring;
  const assign = createAssign({
    ...{ ...books, clock, logger, tell },
    inputs: clients,
    checkOrder: (entry) => books.orders.checkStillGood(entry.task),
    putBack: (key, error) => {
      // Admitted anew, a moment later: what was wrong then is said, or has passed.
      const uid = books.ledger.get(key)?.uid;
      if (uid !== undefined) admission.forget(uid);
      lanes.addAfter("admit", key, isInputUnavailable(error) ? inputAgainMs : putBackMs);
    },
  });
  const receive = createReceive({ ...books, domain, endAttempt });
  const onSeen = (node: string) => lanes.add("mirror", node);
  const agents = attachAgents(wiring);
  const gateways = config.agents?.gateways ?? [];
  return createBackend({ ...books, assign, receive, endAttempt, clock, onSeen, agents, gateways });
}

const putBackMs = 1_000;
/** Each look at a missing input costs a worker its claim. */
const inputAgainMs = 5_000;
