/**
 * Stage 8, Slashed. Takes what is on the books to the contract, through the same outbox as batches, and tells the task. The
 * contract refuses a second slash of one attempt, so that doing it again after a crash does no harm.
 */
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { RejectedEvidence } from "../../chain/calls.ts";
import type { Settler } from "../../chain/settler.ts";
import type { Reconcile } from "../../kube/controller.ts";
import { recordPenalty, stageOf } from "../../protocol/lifecycle.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { Slash, SlashBook } from "../slash-book.ts";
import type { TellTask } from "../task-events.ts";

export interface SlashOptions {
  readonly book: SlashBook;
  readonly ledger: TaskLedger;
  readonly settler: () => Promise<Settler>;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
  readonly tell: TellTask;
  /** Until it resolves the worker counts as about to be slashed, and gets no work. */
  readonly onSlashed: (address: string) => Promise<void>;
}

/** The task's own record of the attempt comes a moment after the slash is on the books. */
const lookAgainMs = 1_000;

export function createSlashStage(options: SlashOptions): Reconcile {
  return async (name) => {
    const slash = options.book.get(name);
    if (!slash || slash.state === "Refused") return undefined;
    const done = slash.state === "Pending" ? await execute(options, slash) : slash;
    if (done.txHash === undefined) return undefined;
    const entry = options.ledger.get(done.key);
    if (entry?.uid !== done.uid) {
      await options.book.remove(name);
      return undefined;
    }
    return (await tellTask(options, entry, done)) ? undefined : { requeueAfterMs: lookAgainMs };
  };
}

async function execute(options: SlashOptions, slash: Slash): Promise<Slash> {
  const { book, logger, metrics } = options;
  const { attempt, worker } = slash;
  try {
    const { txHash } = await (await options.settler()).slashRejected(toEvidence(slash));
    await options.onSlashed(slash.receipt.message.worker);
    const done: Slash = { ...slash, state: "Done", txHash };
    await book.save(done);
    metrics.slashes.inc();
    logger.info("worker slashed", { task: slash.key, attempt, worker, txHash });
    return done;
  } catch (error) {
    if (!(error instanceof InferiumError) || error.code !== "TransactionReverted") throw error;
    logger.error("the contract refused a slash", { task: slash.key, attempt, worker, error: error.message });
    const refused: Slash = { ...slash, state: "Refused" };
    await book.save(refused);
    return refused;
  }
}

function toEvidence(slash: Slash): RejectedEvidence {
  const { receipt, validationId } = slash;
  return {
    receipt: receipt.message,
    workerSignature: receipt.signature,
    epoch: BigInt(slash.epoch),
    rejections: slash.rejections.map(({ validator, votesRoot, signature, outputDigest, proof }) => ({
      attestation: { validationId, votesRoot, validator },
      signature,
      outputDigest,
      proof,
    })),
  };
}

/** True once the task holds it durably: then the books need it no more. */
async function tellTask(options: SlashOptions, entry: TaskEntry, slash: Slash): Promise<boolean> {
  const { attempt, txHash = "" } = slash;
  const isOver = stageOf(entry.status) === "Done";
  let isNews = false;
  const after = await options.ledger.change(entry.key, {
    uid: entry.uid,
    stage: "penalty",
    durable: isOver,
    decide: (status, context) => {
      const record = status.attempts?.find((ended) => ended.attempt === attempt);
      isNews = record !== undefined && record.penaltyTxHash === undefined;
      return isNews ? recordPenalty(status, { attempt, txHash }, context) : undefined;
    },
  });
  if (isNews) options.tell(entry.task, "Slashed", `The worker of attempt ${attempt} was slashed in ${txHash}.`);
  const written = after.task.status?.attempts?.find((ended) => ended.attempt === attempt)?.penaltyTxHash;
  if (written === undefined) return false;
  await options.book.remove(slash.name);
  return true;
}
