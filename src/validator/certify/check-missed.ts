/**
 * Claims that the batch says were missed: each costs a worker stake, so each must be what the worker signed, past its deadline
 * when the batch was made, and of an attempt of which this validator never saw a receipt. Pure.
 */
import { maxBatchMissed } from "../../protocol/settlement.ts";
import { claimTypes, type ProtocolDomain, recoverSigner } from "../../protocol/typed-data.ts";
import { isCompact } from "../check-receipt.ts";
import { type Finding, finding } from "./finding.ts";
import type { ParsedBatch } from "./parse-batch.ts";

export interface MissedRules {
  readonly domain: ProtocolDomain;
  /** Attempts with a receipt that this validator judged, see `attemptKey`. */
  readonly answered: ReadonlySet<string>;
}

export function checkMissed({ header, missed, tasks }: ParsedBatch, rules: MissedRules): Finding | undefined {
  if (missed.length > maxBatchMissed) {
    return finding("TooManyMissed", `The batch names ${missed.length} missed claims; at most ${maxBatchMissed} fit.`);
  }
  const settled = new Set(tasks.map(attemptKey));
  const seen = new Set<string>();
  for (const { message, signature } of missed) {
    const key = attemptKey(message);
    const what = `Attempt ${message.attempt} at task ${message.taskId}`;
    if (seen.has(key)) return finding("DuplicateMissed", `${what} is named as missed more than once.`);
    seen.add(key);
    if (settled.has(key) || rules.answered.has(key))
      return finding("MissedWasAnswered", `${what} is named as missed, and its worker sent a receipt.`);
    // By the header's own time, so that it is the same for everybody and a slow clock stops no batch.
    if (BigInt(message.deadlineMs) > header.createdAt * 1_000n)
      return finding("MissedTooEarly", `${what} is named as missed before its deadline, ${message.deadlineMs} ms.`);
    const signer = isCompact(signature) ? recoverSigner(rules.domain, claimTypes, message, signature) : undefined;
    if (signer !== message.worker)
      return finding("ClaimNotSigned", `${what}: the claim of ${message.worker} is signed by ${signer ?? "nobody"}.`);
  }
  return undefined;
}

export function attemptKey({ taskId, attempt }: { readonly taskId: string; readonly attempt: number }): string {
  return `${taskId}/${attempt}`;
}
