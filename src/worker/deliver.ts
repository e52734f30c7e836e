/**
 * Brings an outcome to the pool: again and again until it is recorded, superseded or refused, or its deadline has
 * passed. A receipt whose first try failed lies in the spool meanwhile, so that a restart does not lose it.
 */
import { computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { PoolClient } from "../pool/client.ts";
import type { ReceiptRequest, ReceiptResponse } from "../pool/wire.ts";
import type { Spool, SpooledReceipt } from "./spool.ts";

export interface DeliverOptions {
  readonly client: Pick<PoolClient, "receipt">;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Kept: aborted before an end; the receipt is in the spool. Unspooled: as that, but the disk has not taken it. */
export type DeliveryResult = ReceiptResponse["status"] | "Refused" | "Expired" | "Kept" | "Unspooled";

export async function deliverOutcome(
  options: DeliverOptions,
  item: SpooledReceipt,
  signal: AbortSignal,
): Promise<DeliveryResult> {
  const { clock, spool } = options;
  // Once it is told even after its deadline: whether it counts is the pool's to say, whose clock may have been set meanwhile.
  const isDue = (attempt: number) => attempt === 1 || clock.now() < item.deadlineMs;
  let isSpooled = false;
  for (let attempt = 1; isDue(attempt); attempt++) {
    const result = await tryOnce(options, item.request, signal);
    if (result !== undefined) {
      await spool.remove(item.request);
      return result;
    }
    // A failure to tell is worth less than the file: the pool learns of it by the deadline.
    isSpooled ||= item.request.outcome.kind !== "Completed" || (await isSaved(options, item));
    await clock.sleep(computeBackoffMs(attempt, { initialMs: 1000, maxMs: 15_000 }), signal).catch(() => undefined);
    if (signal.aborted) return isSpooled ? "Kept" : "Unspooled";
  }
  options.logger.warn("outcome was not delivered before its deadline", { task: item.request.task });
  await spool.remove(item.request);
  return "Expired";
}

/** A disk that is full costs what a restart would keep, not the delivery: the receipt is still in memory. */
async function isSaved({ spool, logger }: DeliverOptions, item: SpooledReceipt): Promise<boolean> {
  try {
    await spool.save(item);
    return true;
  } catch (error) {
    logger.warn("a receipt cannot be spooled and is kept in memory", {
      task: item.request.task,
      error: describeError(error),
    });
    return false;
  }
}

/** Undefined where trying again may help. */
async function tryOnce(
  { client, logger }: DeliverOptions,
  request: ReceiptRequest,
  signal: AbortSignal,
): Promise<DeliveryResult | undefined> {
  try {
    return (await client.receipt(request, signal)).status;
  } catch (error) {
    if (signal.aborted) return undefined;
    const refused = error instanceof InferiumError && error.disposition === "reject" && !isAboutSession(error);
    logger.warn("pool did not take an outcome", { task: request.task, refused, error: describeError(error) });
    return refused ? "Refused" : undefined;
  }
}

/** We may be bonded or known again later; the receipt itself was not judged. */
function isAboutSession({ evidence }: InferiumError): boolean {
  return evidence.status === 401 || evidence.status === 403;
}
