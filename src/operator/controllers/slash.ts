/**
 * Stage 8, Slashed. Takes what is on the books to the contract, through the same outbox as batches, and tells the task. The
 * contract refuses a second slash of one attempt, so that doing it again after a crash does no harm.
 */
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { RejectedEvidence } from "../../chain/calls.ts";
import type { Settler } from "../../chain/settler.ts";
import type { Reconcile } from "../../kube/controller.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { Slash, SlashBook } from "../slash-book.ts";
import { type TellPenaltyOptions, tellPenalty } from "../tell-penalty.ts";

export interface SlashOptions extends TellPenaltyOptions {
  readonly book: SlashBook;
  readonly settler: () => Promise<Settler>;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
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
    const { key, uid, attempt, txHash } = done;
    if (!(await tellPenalty(options, { key, uid, attempt, txHash, fault: "ResultRejected" })))
      return { requeueAfterMs: lookAgainMs };
    await options.book.remove(name);
    return undefined;
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
