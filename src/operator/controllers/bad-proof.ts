/**
 * Stage 8 for validators: takes a bad proof with its endorsement to the chain, which checks the proof itself and takes the bond and
 * the seat of whoever endorsed it. Where the chain finds the proof good, those who declined it were wrong, and nothing happens.
 */
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Settler } from "../../chain/settler.ts";
import type { Reconcile } from "../../kube/controller.ts";
import type { BadProofBook } from "../bad-proof-book.ts";
import type { OperatorMetrics } from "../metrics.ts";

export interface BadProofOptions {
  readonly book: BadProofBook;
  readonly settler: () => Promise<Settler>;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
  readonly onSlashed: (address: string) => Promise<void>;
}

export function createBadProofStage({ book, settler, logger, metrics, onSlashed }: BadProofOptions): Reconcile {
  return async (name) => {
    const evidence = book.get(name);
    if (!evidence) return undefined;
    const { validator, proof } = evidence;
    const fields = { validator, task: proof.taskId };
    try {
      const { txHash } = await (await settler()).proveBadProof(evidence);
      await onSlashed(validator);
      metrics.slashes.inc();
      logger.info("validator slashed for a bad proof", { ...fields, txHash });
    } catch (error) {
      if (!(error instanceof InferiumError) || error.code !== "TransactionReverted") throw error;
      logger.error("the contract does not slash for a proof", { ...fields, error: error.message });
    }
    await book.remove(name);
    return undefined;
  };
}
