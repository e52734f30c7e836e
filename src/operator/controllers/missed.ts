/**
 * Stage 8, a deadline that passed: the worker had signed that it took the work, was there, and neither delivered nor handed
 * it back. Each step is durable before the next:
 * 1 suspected: a while is waited for a late answer; what Kubernetes says of its node excuses the worker
 * 2 due: the settle stage puts the claim into the next batch, where the validators check it and a quorum says so
 * 3 in a settled batch: the registry is told, through the same outbox as batches
 * 4 done: the task tells it
 */
import type { Clock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Settler } from "../../chain/settler.ts";
import type { Reconcile, ReconcileResult } from "../../kube/controller.ts";
import { readHeader } from "../../pool/batch-data.ts";
import { buildTaskTree } from "../../protocol/settlement.ts";
import { decideMissed } from "../../protocol/slashing.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { BatchHeaderMessage } from "../../protocol/typed-data.ts";
import type { BatchBook, BatchRecord } from "../batch-book.ts";
import { toSettledTask } from "../build-batch.ts";
import type { Directory } from "../directory.ts";
import type { OperatorMetrics } from "../metrics.ts";
import { type Missed, type MissedBook, nameMissed } from "../missed-book.ts";
import type { Presence } from "../presence.ts";
import { type TellPenaltyOptions, tellPenalty } from "../tell-penalty.ts";

export interface MissedOptions extends TellPenaltyOptions {
  readonly book: MissedBook;
  readonly batches: BatchBook;
  readonly directory: Directory;
  readonly presence: Presence;
  readonly settler: () => Promise<Settler>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
  /** So long after its deadline a late answer still counts, and the worker must be seen again. */
  readonly graceMs: number;
  readonly onSlashed: (address: string) => Promise<void>;
}

const lookAgainMs = 1_000;
/** A batch on top of ours, settled while the report is under way, makes its path too short; then the next one is longer. */
const maxTries = 8;

export function createMissedStage(options: MissedOptions): Reconcile {
  const tries = new Map<string, number>();
  return async (name) => {
    const missed = options.book.get(name);
    if (missed?.state === "Suspected") return judge(options, missed);
    if (missed?.state === "InBatch") return report(options, missed, tries);
    if (missed?.state === "Done") return tell(options, missed);
    return undefined;
  };
}

/** The batch with these claims is on the chain. */
export async function noteMissedInBatch(book: MissedBook, { body, sequence }: BatchRecord): Promise<string[]> {
  const names: string[] = [];
  for (const claim of body.data.missed ?? []) {
    const missed = book.get(nameMissed(claim));
    if (missed?.state !== "Due") continue;
    await book.save({ ...missed, state: "InBatch", batch: sequence });
    names.push(missed.name);
  }
  return names;
}

async function judge(options: MissedOptions, missed: Missed): Promise<ReconcileResult | undefined> {
  const { book, clock, directory, graceMs, logger, presence } = options;
  const { deadlineMs } = missed.claim.message;
  const leftMs = deadlineMs + graceMs - clock.now();
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  const fields = { task: missed.key, worker: missed.worker, attempt: missed.claim.message.attempt };
  const end = endOf(options, missed);
  if (end === "Open") return { requeueAfterMs: lookAgainMs };
  if (end !== "Expired") {
    await book.remove(missed.name);
    logger.info("a missed deadline is excused", { ...fields, reason: `the attempt ended otherwise: ${end}` });
    return undefined;
  }
  const worker = directory.get(missed.worker);
  const decision = decideMissed({
    claimedAtMs: missed.claimedAtMs,
    deadlineMs,
    lastSeenMs: presence.of(missed.worker).lastSeenMs,
    isThere: worker !== undefined && worker.metadata.deletionTimestamp === undefined,
    isCordoned: worker?.spec.cordoned === true,
    node: worker && directory.nodeOf(worker),
  });
  if (decision.slash) {
    await book.save({ ...missed, state: "Due" });
    logger.info("a deadline was missed without an excuse", fields);
  } else {
    await book.remove(missed.name);
    logger.info("a missed deadline is excused", { ...fields, reason: decision.reason });
  }
  return undefined;
}

/** What the task itself says of the attempt: an answer that came in time may have been written only after the deadline. */
function endOf({ ledger }: MissedOptions, { key, uid, claim }: Missed): string {
  const entry = ledger.get(key);
  if (entry?.uid !== uid) return "Deleted";
  const { attempt } = claim.message;
  const { assignment, attempts = [] } = entry.status;
  const ended = attempts.find((one) => one.attempt === attempt);
  if (ended === undefined && assignment?.attempt === attempt)
    return stageOf(entry.status) === "Run" ? "Open" : "Answered";
  return ended?.outcome ?? "Unknown";
}

async function report(
  options: MissedOptions,
  missed: Missed,
  tries: Map<string, number>,
): Promise<ReconcileResult | undefined> {
  const { book, batches, logger, metrics, settler } = options;
  const record = missed.batch === undefined ? undefined : await batches.read(missed.batch);
  const index = record?.body.data.missed?.findIndex((claim) => nameMissed(claim) === missed.name) ?? -1;
  if (record === undefined || index < 0) {
    // Another batch took its number, as after a reorganisation or an expulsion.
    const { batch: _, ...rest } = missed;
    await book.save({ ...rest, state: "Due" });
    return undefined;
  }
  const path = await readPath(batches, record);
  if (path === undefined) return { requeueAfterMs: lookAgainMs };
  const { tasks, missed: claims = [] } = record.body.data;
  const tree = buildTaskTree(
    tasks.map(toSettledTask),
    claims.map(({ message }) => message),
  );
  const { message, signature } = missed.claim;
  try {
    const proof = tree.proof(tasks.length + index);
    const { txHash } = await (await settler()).slashMissed({ claim: message, signature, path, proof });
    await options.onSlashed(message.worker);
    const done: Missed = { ...missed, state: "Done", txHash };
    await book.save(done);
    metrics.slashes.inc();
    logger.info("worker slashed for a missed deadline", { task: missed.key, worker: missed.worker, txHash });
    return tell(options, done);
  } catch (error) {
    if (!(error instanceof InferiumError) || error.code !== "TransactionReverted") throw error;
    const count = (tries.get(missed.name) ?? 0) + 1;
    tries.set(missed.name, count);
    if (count < maxTries) return { requeueAfterMs: lookAgainMs };
    tries.delete(missed.name);
    logger.error("the contract refused a slash", { task: missed.key, worker: missed.worker, error: error.message });
    await book.save({ ...missed, state: "Refused" });
    return undefined;
  }
}

/** From the batch up to the last settled one; undefined where it is not settled now. */
async function readPath(batches: BatchBook, first: BatchRecord): Promise<BatchHeaderMessage[] | undefined> {
  const path: BatchHeaderMessage[] = [];
  for (const sequence of batches.keptFrom(first.sequence)) {
    // Of batches that old only some are kept.
    if (sequence !== first.sequence + path.length) return undefined;
    const record = sequence === first.sequence ? first : await batches.read(sequence);
    if (record?.state !== "Settled" && record?.state !== "Applied") break;
    path.push(readHeader(record.body.data.header));
    // The contract keeps this one's hash for ever.
    if (sequence % checkpointInterval === 0) break;
  }
  return path.length === 0 ? undefined : path;
}

const checkpointInterval = 256;

async function tell(options: MissedOptions, missed: Missed): Promise<ReconcileResult | undefined> {
  const { key, uid, txHash = "" } = missed;
  const { attempt } = missed.claim.message;
  const isTold = await tellPenalty(options, { key, uid, attempt, txHash, fault: "DeadlineMissed" });
  if (!isTold) return { requeueAfterMs: lookAgainMs };
  await options.book.remove(missed.name);
  return undefined;
}
