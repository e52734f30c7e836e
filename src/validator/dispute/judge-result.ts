/**
 * Is a settled result right? What a juror votes and a watcher disputes by. A wrong word here costs somebody a whole stake, so it
 * is said only of the worker's signed result for exactly the model and input that the worker signed for, and after two runs that
 * agree. That a task named another model or input is the pool's word alone: it decides nothing. Effects: the executions.
 */
import { describeError } from "../../base/errors.ts";
import type { JudgeItem } from "../../pool/duty.ts";
import type { JurorVerdict } from "../../protocol/dispute.ts";
import type { OwnResult } from "../../protocol/verdict/cast-vote.ts";
import { checkReceipt } from "../check-receipt.ts";
import { computeOwnResult, type JudgeContext, judgeAgainst } from "../judge.ts";
import { checkCalls } from "../judge-calls.ts";

export type ResultFinding =
  | { readonly verdict: JurorVerdict; readonly reason?: string }
  | { readonly verdict: "Unknown"; readonly reason: string };

/** Never rejects. */
export async function judgeResult(context: JudgeContext, item: JudgeItem, signal: AbortSignal): Promise<ResultFinding> {
  const first = await judgeOnce(context, item, signal);
  if (first.verdict !== "Wrong") return first;
  const second = await judgeOnce(context, item, signal);
  if (second.verdict === "Wrong") return first;
  return unknown(`two runs here do not agree: ${first.reason ?? "Wrong"}, then ${second.verdict}`);
}

async function judgeOnce(context: JudgeContext, item: JudgeItem, signal: AbortSignal): Promise<ResultFinding> {
  const forged = checkReceipt(context.domain, item.receipt, item);
  if (forged !== undefined) return unknown(forged);
  try {
    const unproven = item.calls && checkCalls(context.domain, item.calls, item);
    if (unproven !== undefined) return unknown(unproven);
    const own = await computeOwnResult(context, item, signal);
    const other = findOther(item, own);
    if (other !== undefined) return unknown(other);
    const { vote, reason } = judgeAgainst(item, own);
    if (vote === "Abstain") return unknown(reason ?? "it cannot be judged");
    return { verdict: vote === "Accept" ? "Right" : "Wrong", ...(reason === undefined ? {} : { reason }) };
  } catch (error) {
    return unknown(`it cannot be judged: ${describeError(error)}`);
  }
}

function findOther({ receipt: { message } }: JudgeItem, own: OwnResult): string | undefined {
  if (own.state === "Unable") return own.reason;
  if (own.modelDigest !== message.modelDigest)
    return `the pool names model ${own.modelDigest}; the worker signed for ${message.modelDigest}`;
  if (own.inputDigest === message.inputDigest) return undefined;
  return `the pool names input ${own.inputDigest}; the worker signed for ${message.inputDigest}`;
}

function unknown(reason: string): ResultFinding {
  return { verdict: "Unknown", reason };
}
