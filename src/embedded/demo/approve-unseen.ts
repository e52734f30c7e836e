/**
 * The lazy validator of the embedded run: approves every result as if it had run the task, which costs it nothing until somebody
 * else runs it. Everything around it (commitment, reveal, signature, certification of batches) is what any validator does.
 */
import type { JudgeItem } from "../../pool/duty.ts";
import type { DecidedVote } from "../../protocol/verdict/cast-vote.ts";

export async function approveUnseen(_context: unknown, { receipt }: JudgeItem): Promise<DecidedVote> {
  return { vote: "Accept", outputDigest: receipt.message.outputDigest };
}
